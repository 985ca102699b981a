//! What is logged, while everything goes wrong.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;
use tauri_plugin_secure_token::{Native, Post, Token};

use crate::{
    app::{app, refresh, revoke, session},
    page::Page,
    server::{Say, Server, json as say, with_headers},
};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Notebook;

impl Log for Notebook {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}", record.target(), record.args());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// Whether somebody has logged `text`: the plugin, or what sends its requests.
fn logged(text: &str) -> bool {
    LINES.lock().unwrap().iter().any(|line| line.contains(text))
}

#[tokio::test]
async fn p4_no_log_line_at_any_level_has_a_token_or_a_password() {
    log::set_logger(&Notebook).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let server = Server::start();
    let login = Post::to("/login?key=CANARY")
        .header("apikey", "CANARY")
        .token("/token");
    let login = login.refresh_token("/refreshToken");
    let native = Native::to(server.origin()).login(login);
    let app = app(native
        .refresh(refresh().send_bearer())
        .revoke(revoke().send_bearer()));
    let page = Page::open(&app, "main");
    let tokens = json!({ "token": "CANARY-access", "refreshToken": "CANARY-refresh" });
    server.say([
        with_headers(
            200,
            "x-token: CANARY\r\nset-cookie: CANARY=1\r\n",
            "{\"token\":5,\"a\":\"CANARY\"}",
        ),
        say(200, &json!({ "token": "CANARY\u{0}" })),
        say(200, &json!({ "token": "CANARY", "copy": "CANARY" })),
        say(400, &json!({ "message": "CANARY" })),
        Say::HangUp,
        Say::This(b"HTTP/1.1 CANARY\r\n\r\n".to_vec()),
        Say::This(b"CANARY\r\n\r\n".to_vec()),
        say(200, &tokens),
    ]);
    for _ in 0..8 {
        let args = json!({ "body": { "password": "CANARY" } });
        if let Err(error) = page.invoke("native_sign_in", args) {
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }
    let session = session(&app);
    for response in [
        say(200, &json!({ "token": 5, "a": "CANARY" })),
        say(200, &json!({ "token": "CANARY\n" })),
        say(500, &tokens),
        Say::HangUp,
        say(
            400,
            &json!({ "error": "invalid_grant", "error_description": "CANARY" }),
        ),
    ] {
        let rejected = Token::new("CANARY-access").unwrap();
        server.say([response]);
        // A person asks, so that no rest is waited for.
        drop(session.refresh(None).await);
        drop(rejected);
    }
    assert_eq!(session.token(), None);
    assert!(logged("the refresh of default failed"));
    assert!(!logged("CANARY"), "{:?}", LINES.lock().unwrap());
}
