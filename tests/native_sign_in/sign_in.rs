//! What a page gets, and what the session becomes.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tauri_plugin_secure_token::{
    Account, Builder, Error, ErrorCode, LoginError, Native, Post, SecureTokenExt, SignedIn, Status,
    Token, Tokens, store::memory::MemoryStore,
};

use crate::{
    app::{app, build, code, login, native, plugin, session, sign_in, token, tokens},
    page::Page,
    server::{Say, Server, json as say, text},
};

#[test]
fn p4_the_page_gets_the_response_without_its_tokens() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    let body = json!({
        "token": "access-1", "refreshToken": "refresh-1", "expiresIn": 3600, "user": { "name": "Ada" }
    });
    server.say([say(201, &body)]);
    let response = sign_in(&page).unwrap();
    assert_eq!(
        (&response["ok"], &response["status"]),
        (&json!(true), &json!(201))
    );
    assert_eq!(
        response["body"],
        json!({ "expiresIn": 3600, "user": { "name": "Ada" } })
    );
    assert_eq!(response["snapshot"]["status"], "signedIn");
    assert_eq!(response["snapshot"]["persisted"], true);
    assert_eq!(response["snapshot"]["canRefresh"], true);
    assert!(response["snapshot"]["expiresAt"].is_u64());
    assert!(
        !response.to_string().contains("access-1") && !response.to_string().contains("refresh-1")
    );
    assert_eq!(token(&app).as_deref(), Some("access-1"));

    let request = &server.requests()[0];
    assert!(request.head.starts_with("POST /auth/login HTTP/1.1\r\n"));
    assert_eq!(request.json(), json!({ "email": "a@b.c", "password": "p" }));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("accept"), Some("application/json"));
    for absent in ["authorization", "cookie", "origin", "referer"] {
        assert_eq!(request.header(absent), None);
    }
}

#[tokio::test]
async fn a_login_that_is_not_to_be_remembered_stays_out_of_the_store() {
    let (server, store) = (Server::start(), Arc::new(MemoryStore::default()));
    let app = build(Builder::new().store(store).native(native(&server))).unwrap();
    let page = Page::open(&app, "main");
    for remember in [true, false] {
        server.say([say(200, &tokens("1"))]);
        let args = json!({ "account": "work", "body": {}, "remember": remember });
        let response = page.invoke("native_sign_in", args).unwrap();
        assert_eq!(response["ok"], true);
        let work = Account::new("work").unwrap();
        let stored = app.secure_token().get_token(&work).await.unwrap();
        assert_eq!(stored.is_some(), remember);
    }
    assert_eq!(session(&app).ready().await.status, Status::SignedOut);
}

#[test]
fn a_server_that_asks_for_more_signs_nobody_in() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for body in [
        json!({ "mfa": "needed", "mfaToken": "m" }),
        json!({ "token": null, "mfa": "needed" }),
        json!({ "token": "", "mfa": "needed" }),
    ] {
        server.say([say(200, &body)]);
        let response = sign_in(&page).unwrap();
        assert_eq!(
            (&response["ok"], &response["status"]),
            (&json!(false), &json!(200))
        );
        assert_eq!(response["body"]["mfa"], "needed");
        assert_ne!(response["snapshot"]["status"], "signedIn");
        assert_eq!(token(&app), None);
    }
}

#[test]
fn a_refused_login_reaches_the_page_with_its_status_and_its_json() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    let wrong = json!({ "message": "wrong password", "token": ["is missing"] });
    server.say([
        say(401, &wrong),
        text(503, "text/html", "<html>down</html>"),
        text(
            400,
            "application/json",
            &format!("\"{}\"", "x".repeat(1024 * 1024)),
        ),
        text(204, "text/plain", ""),
    ]);
    for (status, body) in [
        (401, wrong),
        (503, Value::Null),
        (400, Value::Null),
        (204, Value::Null),
    ] {
        let response = sign_in(&page).unwrap();
        assert_eq!(
            (&response["ok"], &response["status"]),
            (&json!(false), &json!(status))
        );
        assert_eq!(response["body"], body);
        assert_eq!(token(&app), None);
    }
}

#[test]
fn no_redirect_is_followed() {
    let (server, other) = (Server::start(), Server::start());
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for status in [301, 302, 303, 307, 308] {
        let headers = format!("location: {}/auth/login\r\n", other.origin());
        server.say([crate::server::with_headers(status, &headers, "")]);
        let response = sign_in(&page).unwrap();
        assert_eq!(
            (&response["ok"], &response["status"]),
            (&json!(false), &json!(status))
        );
    }
    assert_eq!((server.requests().len(), other.requests().len()), (5, 0));
}

#[test]
fn p6_a_server_that_does_not_respond_is_a_timeout_and_no_server_is_unavailable() {
    let server = Server::start();
    let app = app(native(&server));
    server.say([Say::HangUp]);
    assert_eq!(code(sign_in(&Page::open(&app, "main"))), "unavailable");

    let plugin = plugin().deadline(Duration::from_millis(300));
    let app = build(plugin.native(native(&server))).unwrap();
    server.say([Say::Held(1)]);
    assert_eq!(code(sign_in(&Page::open(&app, "main"))), "timeout");

    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let login = Post::to("/login?key=CANARY").token("/token");
    let app = crate::app::app(Native::to(format!("http://{nobody}")).login(login));
    let error = sign_in(&Page::open(&app, "main")).unwrap_err();
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("unavailable"), &json!(true))
    );
    assert!(!error.to_string().contains("CANARY"), "{error}");
}

#[test]
fn constants_headers_and_forms_are_sent_as_the_app_says() {
    let server = Server::start();
    let post = Post::form("/oauth/token?realm=a")
        .send("/grant_type", "password")
        .send("/client_id", "my app")
        .header("apikey", "k")
        .token("/access_token");
    let app = app(Native::to(server.origin()).login(post));
    let page = Page::open(&app, "main");
    server.say([say(200, &json!({ "access_token": "access-1" }))]);
    let body = json!({ "username": "ä&b=c", "password": "p p", "keep": true, "n": 5, "grant_type": "other" });
    let response = page
        .invoke("native_sign_in", json!({ "body": body }))
        .unwrap();
    assert_eq!(response["ok"], true);
    let request = &server.requests()[0];
    assert_eq!(request.path, "/oauth/token?realm=a");
    assert_eq!(request.header("apikey"), Some("k"));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let mut fields: Vec<_> = request.body.split('&').collect();
    fields.sort_unstable();
    let expected = [
        "client_id=my+app",
        "grant_type=password",
        "keep=true",
        "n=5",
        "password=p+p",
        "username=%C3%A4%26b%3Dc",
    ];
    assert_eq!(fields, expected);
    for body in [
        json!([]),
        json!("a"),
        json!(null),
        json!({ "a": [1] }),
        json!({ "a": null }),
        json!({ "a": {} }),
    ] {
        let refused = page.invoke("native_sign_in", json!({ "body": body }));
        assert_eq!(code(refused), "invalid-argument");
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn constants_of_json_replace_what_the_page_sends() {
    let server = Server::start();
    let login = login().send("/device/kind", "desktop").send("/v", 2);
    let app = app(Native::to(server.origin()).login(login));
    let page = Page::open(&app, "main");
    server.say([say(200, &tokens("1"))]);
    let body = json!({ "device": { "kind": "x", "name": "n" }, "v": 1 });
    assert!(
        page.invoke("native_sign_in", json!({ "body": body }))
            .is_ok()
    );
    assert_eq!(
        server.requests()[0].json(),
        json!({ "device": { "kind": "desktop", "name": "n" }, "v": 2 })
    );
    for body in [json!([]), json!({ "device": "x" })] {
        let refused = page.invoke("native_sign_in", json!({ "body": body }));
        assert_eq!(code(refused), "invalid-argument");
    }
}

#[test]
fn a_function_of_the_app_logs_in_where_no_request_can_be_described() {
    let native = Native::to("https://api.example.com").login_with(
        async |account: Account, credentials: Value| match credentials["code"].as_str() {
            Some("right") => {
                let token = format!("access-of-{account}");
                let mut signed_in = SignedIn::new(Tokens::new(Token::new(token)?));
                signed_in.body = json!({ "name": "Ada" });
                Ok(signed_in)
            }
            Some("leaks") => {
                let mut signed_in = SignedIn::new(Tokens::new(Token::new("access-1")?));
                signed_in.body = json!({ "copy": "access-1" });
                Ok(signed_in)
            }
            Some("unfit") => Ok(SignedIn::new(Tokens::new(Token::new("access\n1")?))),
            Some("down") => Err(Error::new(ErrorCode::Unavailable, "no network").into()),
            Some("panic") => panic!("the app's function panics"),
            Some("late") => std::future::pending().await,
            _ => Err(LoginError::Refused {
                status: 401,
                body: json!({ "message": "wrong" }),
            }),
        },
    );
    let app = build(plugin().deadline(Duration::from_millis(300)).native(native)).unwrap();
    let page = Page::open(&app, "main");
    let with = |code: &str| {
        page.invoke(
            "native_sign_in",
            json!({ "account": "a", "body": { "code": code } }),
        )
    };
    let refused = with("wrong").unwrap();
    assert_eq!(
        (&refused["ok"], &refused["status"]),
        (&json!(false), &json!(401))
    );
    assert_eq!(refused["body"], json!({ "message": "wrong" }));
    for (sent, expected) in [
        ("leaks", "forbidden"),
        ("unfit", "misconfigured"),
        ("down", "unavailable"),
        ("panic", "internal"),
        ("late", "timeout"),
    ] {
        assert_eq!(code(with(sent)), expected);
    }
    let account = app.secure_token().session(&Account::new("a").unwrap());
    assert_eq!(account.token(), None);
    let response = with("right").unwrap();
    assert_eq!(
        (&response["ok"], &response["status"]),
        (&json!(true), &json!(200))
    );
    assert_eq!(response["body"], json!({ "name": "Ada" }));
    assert_eq!(account.token().unwrap().expose(), "access-of-a");
}

#[test]
fn bad_arguments_are_named_and_send_nothing() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for args in [
        json!({}),
        json!({ "body": {}, "account": 5 }),
        json!({ "body": {}, "account": "" }),
        json!({ "body": {}, "remember": "CANARY" }),
        json!({ "body": {}, "token": "CANARY" }),
    ] {
        let error = page.invoke("native_sign_in", args).unwrap_err();
        assert_eq!(error["code"], "invalid-argument");
        assert!(!error.to_string().contains("CANARY"));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn without_a_login_the_page_hears_what_the_app_has_to_say() {
    for plugin in [
        plugin(),
        plugin().native(Native::to("https://api.example.com")),
    ] {
        let app = build(plugin).unwrap();
        assert_eq!(code(sign_in(&Page::open(&app, "main"))), "misconfigured");
    }
}
