//! The session as pages and Rust code use it: through Tauri's IPC, with mocks of the windows.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod page;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tauri::{
    App,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
};
use tauri_plugin_secure_token::{
    Account, Builder, ErrorCode, RefreshError, SecureTokenExt, Token, Tokens,
    store::memory::{Fault, MemoryStore},
};

use self::page::Page;

const COMMANDS: [&str; 11] = [
    "set_token",
    "get_token",
    "clear_token",
    "session_open",
    "session_hydrate",
    "session_sign_in",
    "session_sign_out",
    "session_token",
    "session_lease",
    "session_answer",
    "session_revokes",
];

fn app(plugin: Builder) -> App<MockRuntime> {
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = "app.test".into();
    for command in COMMANDS {
        let command = format!("plugin:secure-token|{command}");
        context
            .runtime_authority_mut()
            .__allow_command(command, ExecutionContext::Local);
    }
    mock_builder()
        .plugin(plugin.build())
        .build(context)
        .unwrap()
}

fn code(result: Result<Value, Value>) -> String {
    let error = result.unwrap_err();
    error["code"].as_str().unwrap_or("no code").to_owned()
}

fn open(page: &Page, channel: u32) -> Value {
    let args =
        json!({ "channel": format!("__CHANNEL__:{channel}"), "refreshes": true, "revokes": true });
    page.invoke("session_open", args).unwrap()
}

fn token(page: &Page) -> Value {
    page.invoke("session_token", json!({})).unwrap()["token"].clone()
}

#[test]
fn a_login_in_one_window_is_that_of_every_window_and_of_rust() {
    let app = app(Builder::new().store(Arc::new(MemoryStore::default())));
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    open(&one, 1);
    open(&other, 2);
    let login = json!({ "token": "t1", "refreshToken": "r1", "expiresIn": 60 });
    let snapshot = one.invoke("session_sign_in", login).unwrap();
    assert_eq!(snapshot["status"], "signedIn");
    assert_eq!(snapshot["persisted"], true);
    assert_eq!(snapshot["canRefresh"], true);
    assert!(!snapshot.to_string().contains("t1"), "{snapshot}");
    assert_eq!(token(&other), "t1");
    let session = app.secure_token().session(&Account::default());
    assert_eq!(session.token().unwrap().expose(), "t1");
    let out = other.invoke("session_sign_out", json!({})).unwrap();
    assert_eq!(
        (&out["status"], &out["reason"]),
        (&json!("signedOut"), &json!("logout"))
    );
    assert!(out["login"].as_u64() > snapshot["login"].as_u64());
    assert_eq!(token(&one), Value::Null);
    let records = one.invoke("session_revokes", json!({})).unwrap();
    assert_eq!(records[0]["refreshToken"], "r1");
    assert_eq!(one.invoke("session_revokes", json!({})), Ok(json!([])));
}

#[test]
fn without_a_key_store_a_page_that_reloads_is_still_signed_in() {
    let store = Arc::new(MemoryStore::default());
    store.inject(Fault::Fails(ErrorCode::Unavailable));
    let app = app(Builder::new().store(store));
    let page = Page::open(&app, "main");
    open(&page, 1);
    let snapshot = page
        .invoke("session_sign_in", json!({ "token": "t1" }))
        .unwrap();
    assert_eq!(snapshot["persisted"], false);
    assert_eq!(snapshot["error"]["code"], "unavailable");
    assert_eq!(open(&page, 2)["status"], "signedIn");
    assert_eq!(token(&page), "t1");
}

#[test]
fn p8_a_page_with_the_lease_buys_the_token_for_every_window() {
    let app = app(Builder::new().store(Arc::new(MemoryStore::default())));
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    open(&one, 1);
    open(&other, 2);
    let login = json!({ "token": "t1", "refreshToken": "r1" });
    one.invoke("session_sign_in", login).unwrap();
    let lease = one
        .invoke("session_lease", json!({ "rejected": "t1" }))
        .unwrap();
    assert_eq!(lease["record"]["refreshToken"], "r1");
    let answer = json!({ "lease": lease["lease"], "token": "t2", "refreshToken": "r2" });
    assert_eq!(
        code(other.invoke("session_answer", answer.clone())),
        "conflict"
    );
    let unfit = json!({ "lease": lease["lease"], "token": "a\nb" });
    assert_eq!(
        code(one.invoke("session_answer", unfit)),
        "invalid-argument"
    );
    assert_eq!(
        one.invoke("session_answer", answer.clone()).unwrap()["token"],
        "t2"
    );
    assert_eq!(code(one.invoke("session_answer", answer)), "conflict");
    let next = other
        .invoke("session_token", json!({ "rejected": "t1" }))
        .unwrap();
    assert_eq!(next["token"], "t2");
    let stored = other.invoke("get_token", json!({})).unwrap();
    assert_eq!(stored["refreshToken"], "r2");
}

#[test]
fn p9_a_token_of_an_earlier_login_gets_nothing() {
    let app = app(Builder::new().store(Arc::new(MemoryStore::default())));
    let page = Page::open(&app, "main");
    let first = page
        .invoke("session_sign_in", json!({ "token": "t1" }))
        .unwrap();
    page.invoke("session_sign_in", json!({ "token": "u1" }))
        .unwrap();
    for args in [
        json!({ "rejected": "t1" }),
        json!({ "fresh": true, "login": first["login"] }),
        json!({ "rejected": "u1", "login": first["login"] }),
    ] {
        let given = page.invoke("session_token", args.clone()).unwrap();
        assert_eq!(given["token"], Value::Null, "{args}");
    }
    assert_eq!(token(&page), "u1");
}

#[test]
fn p8_rust_refreshes_once_for_rust_and_for_every_window() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let plugin = Builder::new()
        .store(Arc::new(MemoryStore::default()))
        .refresh(move |_, record| {
            let n = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                if record.refresh_token.is_none() {
                    return Err(RefreshError::Ended);
                }
                let mut tokens = Tokens::new(Token::new(format!("n{n}")).unwrap());
                tokens.refresh_token = Some(Token::new(format!("r{n}")).unwrap());
                Ok(tokens)
            }
        });
    let app = app(plugin);
    let page = Page::open(&app, "main");
    open(&page, 1);
    let login = json!({ "token": "t1", "refreshToken": "r" });
    page.invoke("session_sign_in", login).unwrap();
    let session = app.secure_token().session(&Account::default());
    let rejected = Token::new("t1").unwrap();
    let by_rust = tauri::async_runtime::block_on(session.refresh(Some(&rejected)));
    assert_eq!(by_rust.unwrap().unwrap().expose(), "n0");
    let by_page = page
        .invoke("session_lease", json!({ "rejected": "t1" }))
        .unwrap();
    assert_eq!(by_page["token"], "n0");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // A record without a refresh token ends the session.
    page.invoke("session_sign_in", json!({ "token": "t2" }))
        .unwrap();
    let refused = page
        .invoke("session_token", json!({ "rejected": "t2" }))
        .unwrap();
    assert_eq!(refused["token"], Value::Null);
    assert_eq!(refused["snapshot"]["reason"], "refused");
    let fresh = tauri::async_runtime::block_on(session.fresh_token(Duration::ZERO));
    assert_eq!(fresh, Ok(None));
}

#[test]
fn bad_arguments_are_refused_and_change_nothing() {
    let app = app(Builder::new().store(Arc::new(MemoryStore::default())));
    let page = Page::open(&app, "main");
    page.invoke("session_sign_in", json!({ "token": "t1" }))
        .unwrap();
    for (command, args) in [
        ("session_open", json!({})),
        ("session_open", json!({ "channel": "x" })),
        (
            "session_open",
            json!({ "channel": "__CHANNEL__:1", "refreshes": "yes" }),
        ),
        ("session_sign_in", json!({})),
        ("session_sign_in", json!({ "token": "SECRET\n2" })),
        (
            "session_sign_in",
            json!({ "token": "SECRET", "expiresIn": "60" }),
        ),
        (
            "session_sign_in",
            json!({ "token": "SECRET", "remember": 0 }),
        ),
        ("session_sign_in", json!({ "token": "SECRET", "SECRET": 1 })),
        ("session_token", json!({ "fresh": 1 })),
        ("session_token", json!({ "minLife": -1 })),
        ("session_token", json!({ "login": "1" })),
        ("session_lease", json!({ "rejected": 5 })),
        ("session_answer", json!({ "token": "SECRET" })),
        ("session_answer", json!({ "lease": 1 })),
        (
            "session_answer",
            json!({ "lease": 1, "ended": true, "failed": true }),
        ),
        ("session_sign_out", json!({ "account": "" })),
    ] {
        let error = page.invoke(command, args.clone()).unwrap_err();
        assert_eq!(error["code"], "invalid-argument", "{command} {args}");
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }
    let long = json!({ "rejected": "x".repeat(2 << 20) });
    assert_eq!(code(page.invoke("session_token", long)), "too-large");
    let unknown = json!({ "lease": 1, "token": "u" });
    assert_eq!(code(page.invoke("session_answer", unknown)), "conflict");
    assert_eq!(token(&page), "t1");
}

#[test]
fn a_page_opens_no_thousand_channels() {
    let app = app(Builder::new().store(Arc::new(MemoryStore::default())));
    let page = Page::open(&app, "main");
    let opened = (0..1000).filter(|channel| {
        let args = json!({ "channel": format!("__CHANNEL__:{channel}") });
        page.invoke("session_open", args).is_ok()
    });
    assert_eq!(opened.count(), 64);
}
