//! What happens while a login is on its way.

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use serde_json::{Value, json};
use tauri::{App, test::MockRuntime};
use tauri_plugin_secure_token::{
    Account, Builder, Native, Record, SecureTokenExt, Status, Token,
    store::memory::{Fault, MemoryStore},
};

use crate::{
    app::{app, build, code, login, native, plugin, session, sign_in, token, tokens, until},
    page::Page,
    server::{Request, Say, Server, json as say},
};

/// A page whose login the server holds.
struct Pending {
    held: u32,
    login: JoinHandle<Result<Value, Value>>,
}

impl Pending {
    fn start(app: &App<MockRuntime>, server: &Server, held: u32) -> Self {
        let before = server.requests().len();
        server.say([Say::Held(held)]);
        let page = Page::open(app, &format!("login-{held}"));
        let login = std::thread::spawn(move || sign_in(&page));
        server.wait_for_requests(before + 1);
        Self { held, login }
    }

    /// Lets the server respond with the tokens that are named `name`.
    fn end(self, server: &Server, name: &str) -> Result<Value, Value> {
        server.let_go(self.held, say(200, &tokens(name)));
        self.login.join().unwrap()
    }
}

fn revoked(request: &Request) -> Value {
    assert_eq!(request.path, "/auth/logout");
    request.json()["refreshToken"].clone()
}

#[test]
fn p3_a_logout_during_a_login_wins_and_the_tokens_are_revoked() {
    let server = Server::start();
    let app = app(native(&server));
    let pending = Pending::start(&app, &server, 1);
    let page = Page::open(&app, "main");
    let out = page.invoke("session_sign_out", json!({})).unwrap();
    assert_eq!(out["status"], "signedOut");
    server.say([say(200, &json!({}))]);
    assert_eq!(code(pending.end(&server, "late")), "conflict");
    assert_eq!(token(&app), None);
    assert_eq!(revoked(&server.wait_for_requests(2)[1]), "refresh-late");
    assert_eq!(token(&app), None);

    // The next login is not held against it.
    server.say([say(200, &tokens("next"))]);
    assert_eq!(sign_in(&page).unwrap()["ok"], true);
    assert_eq!(token(&app).as_deref(), Some("access-next"));
}

#[test]
fn p9_of_two_logins_the_one_that_began_later_wins_whichever_ends_first() {
    let server = Server::start();
    let app = app(native(&server));
    let (first, second) = (
        Pending::start(&app, &server, 1),
        Pending::start(&app, &server, 2),
    );
    server.say([say(200, &json!({}))]);
    assert_eq!(second.end(&server, "b").unwrap()["ok"], true);
    assert_eq!(code(first.end(&server, "a")), "conflict");
    assert_eq!(token(&app).as_deref(), Some("access-b"));
    assert_eq!(revoked(&server.wait_for_requests(3)[2]), "refresh-a");

    let (first, second) = (
        Pending::start(&app, &server, 3),
        Pending::start(&app, &server, 4),
    );
    server.say([say(200, &json!({})), say(200, &json!({}))]);
    assert_eq!(first.end(&server, "c").unwrap()["ok"], true);
    assert_eq!(revoked(&server.wait_for_requests(6)[5]), "refresh-b");
    assert_eq!(second.end(&server, "d").unwrap()["ok"], true);
    assert_eq!(token(&app).as_deref(), Some("access-d"));
    assert_eq!(revoked(&server.wait_for_requests(7)[6]), "refresh-c");
}

#[tokio::test]
async fn p9_a_sign_in_of_another_kind_during_a_login_wins() {
    let server = Server::start();
    // Without a revocation, which would take what the server is to say to a login.
    let app = app(Native::to(server.origin()).login(login()));
    let page = Page::open(&app, "main");
    for (held, command) in [(1, "session_sign_in"), (2, "set_token")] {
        let pending = Pending::start(&app, &server, held);
        let newer = format!("of-{command}");
        page.invoke(command, json!({ "token": newer })).unwrap();
        assert_eq!(code(pending.end(&server, "late")), "conflict");
        assert_eq!(token(&app), Some(newer));
    }
    let pending = Pending::start(&app, &server, 3);
    app.secure_token()
        .clear_token(&Account::default(), None)
        .await
        .unwrap();
    assert_eq!(code(pending.end(&server, "late")), "conflict");
    assert_eq!(token(&app), None);
}

#[test]
fn a_login_that_finds_an_account_of_another_name_changed_still_signs_in() {
    let server = Server::start();
    let app = app(native(&server));
    let pending = Pending::start(&app, &server, 1);
    let page = Page::open(&app, "main");
    page.invoke("session_sign_out", json!({ "account": "other" }))
        .unwrap();
    assert_eq!(pending.end(&server, "1").unwrap()["ok"], true);
    assert_eq!(token(&app).as_deref(), Some("access-1"));
}

#[tokio::test]
async fn a_session_that_the_server_ends_during_a_login_does_not_stop_it() {
    let server = Server::start();
    let app = app(native(&server));
    server.say([say(200, &tokens("old"))]);
    sign_in(&Page::open(&app, "main")).unwrap();
    let pending = Pending::start(&app, &server, 1);
    server.say([say(400, &json!({ "error": "invalid_grant" }))]);
    let rejected = Token::new("access-old").unwrap();
    assert_eq!(session(&app).refresh(Some(&rejected)).await, Ok(None));
    assert_eq!(session(&app).snapshot().status, Status::SignedOut);
    assert_eq!(pending.end(&server, "new").unwrap()["ok"], true);
    assert_eq!(token(&app).as_deref(), Some("access-new"));
}

#[tokio::test]
async fn a_store_that_is_read_during_a_login_does_not_stop_it() {
    let (server, store) = (Server::start(), Arc::new(MemoryStore::default()));
    let earlier = build(Builder::new().store(store.clone())).unwrap();
    let record = Record::new(Token::new("access-stored").unwrap());
    let (account, strict) = (Account::default(), earlier.secure_token());
    strict.set_token(&account, record, None).await.unwrap();
    store.inject(Fault::Hangs);
    let app = build(Builder::new().store(store.clone()).native(native(&server))).unwrap();
    let pending = Pending::start(&app, &server, 1);
    assert_eq!(session(&app).snapshot().status, Status::Hydrating);
    store.heal();
    until(&session(&app), |session| session.token().is_some()).await;
    assert_eq!(pending.end(&server, "new").unwrap()["ok"], true);
    assert_eq!(token(&app).as_deref(), Some("access-new"));
}

#[tokio::test]
async fn a_login_is_carried_out_although_its_page_is_gone() {
    let server = Server::start();
    let plugin = plugin()
        .deadline(Duration::from_secs(20))
        .native(native(&server));
    let app = build(plugin).unwrap();
    let pending = Pending::start(&app, &server, 1);
    let windows = tauri::Manager::webview_windows(&app);
    windows["login-1"].destroy().unwrap();
    server.let_go(pending.held, say(200, &tokens("1")));
    until(&session(&app), |session| session.token().is_some()).await;
    assert_eq!(token(&app).as_deref(), Some("access-1"));
}
