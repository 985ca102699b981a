//! An app whose pages sign in by Rust.

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::{
    App,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
};
use tauri_plugin_secure_token::{
    Account, Builder, Native, Post, SecureTokenExt, Session, store::memory::MemoryStore,
};

use crate::{page::Page, server::Server};

const COMMANDS: [&str; 6] = [
    "native_sign_in",
    "set_token",
    "session_open",
    "session_sign_in",
    "session_sign_out",
    "session_token",
];

pub fn build(plugin: Builder) -> tauri::Result<App<MockRuntime>> {
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = "app.test".into();
    for command in COMMANDS {
        let command = format!("plugin:secure-token|{command}");
        let authority = context.runtime_authority_mut();
        authority.__allow_command(command, ExecutionContext::Local);
    }
    mock_builder().plugin(plugin.build()).build(context)
}

pub fn plugin() -> Builder {
    Builder::new().store(Arc::new(MemoryStore::default()))
}

pub fn app(native: Native) -> App<MockRuntime> {
    build(plugin().native(native)).unwrap()
}

pub fn login() -> Post {
    Post::to("/auth/login")
        .token("/token")
        .refresh_token("/refreshToken")
        .expires_in("/expiresIn")
}

pub fn refresh() -> Post {
    Post::to("/auth/refresh")
        .send_refresh_token("/refreshToken")
        .token("/token")
        .refresh_token("/refreshToken")
        .expires_in("/expiresIn")
}

pub fn revoke() -> Post {
    Post::to("/auth/logout").send_refresh_token("/refreshToken")
}

/// How the app of most tests says it.
pub fn native(server: &Server) -> Native {
    Native::to(server.origin())
        .login(login())
        .refresh(refresh())
        .revoke(revoke())
}

pub fn session(app: &App<MockRuntime>) -> Session {
    app.secure_token().session(&Account::default())
}

pub fn token(app: &App<MockRuntime>) -> Option<String> {
    session(app).token().map(|token| token.expose().to_owned())
}

pub fn sign_in(page: &Page) -> Result<Value, Value> {
    let body = json!({ "email": "a@b.c", "password": "p" });
    page.invoke("native_sign_in", json!({ "body": body }))
}

pub fn tokens(name: &str) -> Value {
    json!({ "token": format!("access-{name}"), "refreshToken": format!("refresh-{name}"), "user": { "name": "Ada" } })
}

pub fn code(result: Result<Value, Value>) -> String {
    let error = result.unwrap_err();
    error["code"].as_str().unwrap_or("no code").to_owned()
}

/// Waits until `condition` holds of the session.
pub async fn until(session: &Session, condition: impl Fn(&Session) -> bool) {
    let wait = async {
        while !condition(session) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::server::LIMIT, wait)
        .await
        .unwrap();
}
