//! Refreshing at the endpoint that the app named.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tauri::{App, test::MockRuntime};
use tauri_plugin_secure_token::{ErrorCode, Native, Post, Session, Status, Token, Tokens};

use crate::{
    app::{app, build, native, plugin, refresh, session, token},
    server::{Say, Server, json as say, with_headers},
};

async fn log_in(app: &App<MockRuntime>, refresh_token: Option<&str>) -> Session {
    let session = session(app);
    let mut tokens = Tokens::new(Token::new("access-1").unwrap());
    tokens.refresh_token = refresh_token.map(|token| Token::new(token).unwrap());
    session.login(tokens).await.unwrap();
    session
}

/// What the session does when a server refuses its token.
async fn rejected(session: &Session) -> Result<Option<String>, ErrorCode> {
    let rejected = session.token().unwrap();
    match session.refresh(Some(&rejected)).await {
        Ok(token) => Ok(token.map(|token| token.expose().to_owned())),
        Err(error) => {
            assert!(
                !error.to_string().contains("access-") && !error.to_string().contains("refresh-")
            );
            Err(error.code())
        }
    }
}

fn now() -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    now.as_millis().try_into().unwrap()
}

#[tokio::test]
async fn p8_rust_renews_the_token_at_the_endpoint_of_the_app() {
    let server = Server::start();
    let app = app(native(&server));
    let session = log_in(&app, Some("refresh-1")).await;
    server.say([
        say(
            200,
            &json!({ "token": "access-2", "refreshToken": "refresh-2", "expiresIn": 3600 }),
        ),
        say(200, &json!({ "token": "access-3", "expiresIn": "3600" })),
        say(200, &json!({ "token": "access-4" })),
    ]);
    for (sent, bought) in [
        ("refresh-1", "access-2"),
        ("refresh-2", "access-3"),
        ("refresh-2", "access-4"),
    ] {
        let refreshed = session.refresh(None).await.unwrap().unwrap();
        assert_eq!(refreshed.expose(), bought);
        let request = server.requests().pop().unwrap();
        assert_eq!(request.path, "/auth/refresh");
        assert_eq!(request.json(), json!({ "refreshToken": sent }));
        assert_eq!(request.header("authorization"), None);
    }
    assert_eq!(session.snapshot().expires_at, None);
    assert_eq!(token(&app).as_deref(), Some("access-4"));
}

#[tokio::test]
async fn an_oauth_server_is_asked_as_the_standard_says() {
    let server = Server::start();
    let native = Native::to(server.origin()).refresh(Post::oauth_refresh("/oauth/token", "my-app"));
    let app = app(native);
    let session = log_in(&app, Some("refresh+1")).await;
    let body = json!({ "access_token": "access-2", "refresh_token": "refresh-2", "expires_in": 60, "token_type": "Bearer" });
    server.say([say(200, &body)]);
    assert_eq!(rejected(&session).await, Ok(Some("access-2".into())));
    let request = &server.requests()[0];
    assert_eq!(request.path, "/oauth/token");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let mut fields: Vec<_> = request.body.split('&').collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "client_id=my-app",
            "grant_type=refresh_token",
            "refresh_token=refresh%2B1"
        ]
    );
}

#[tokio::test]
async fn a_server_that_renews_by_the_bearer_gets_it() {
    let server = Server::start();
    let post = Post::to("/refresh").send_bearer().token("/token");
    let app = app(Native::to(server.origin()).refresh(post));
    let session = log_in(&app, None).await;
    server.say([say(200, &json!({ "token": "access-2" }))]);
    assert_eq!(rejected(&session).await, Ok(Some("access-2".into())));
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some("Bearer access-1"));
    assert_eq!(request.json(), json!({}));
}

/// A response of the fixture that the page's tests have too.
fn said(case: &Value) -> (u16, Say) {
    let status: u16 = case["status"].as_u64().unwrap().try_into().unwrap();
    let kind = case["type"].as_str().unwrap_or("application/json");
    let named = case["headers"].as_object().into_iter().flatten();
    let named = named.map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap()));
    let kind = (!kind.is_empty()).then(|| format!("content-type: {kind}\r\n"));
    let headers = kind.into_iter().chain(named).collect::<Vec<_>>().concat();
    let body = match &case["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    (status, with_headers(status, &headers, &body))
}

#[tokio::test]
async fn the_refusals_of_the_shared_fixture_end_the_session_and_nothing_else_does() {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/refusals.json")).unwrap();
    let cases = |name: &str| fixture[name].as_array().unwrap().clone();
    let server = Server::start();
    let app = app(Native::to(server.origin()).refresh(refresh()));
    assert!(cases("refused").len() > 20 && cases("passing").len() > 10);
    for case in cases("refused") {
        let session = log_in(&app, Some("refresh-1")).await;
        server.say([said(&case).1]);
        assert_eq!(rejected(&session).await, Ok(None), "{case}");
        assert_eq!(session.snapshot().status, Status::SignedOut, "{case}");
    }
    for case in cases("passing") {
        let session = log_in(&app, Some("refresh-1")).await;
        let (status, say) = said(&case);
        server.say([say]);
        let rejected = Token::new("access-1").unwrap();
        let error = session.refresh(Some(&rejected)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{case}");
        assert_eq!(
            error.message(),
            format!("the refresh failed with status {status}"),
            "{case}"
        );
        assert_eq!(session.snapshot().status, Status::SignedIn, "{case}");
    }
}

#[tokio::test]
async fn the_server_is_left_alone_for_as_long_as_it_asks_for() {
    let server = Server::start();
    let app = app(native(&server));
    for headers in [
        "retry-after: 1200\r\n",
        "date: Wed, 21 Oct 2015 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2015 07:48:00 GMT\r\n",
    ] {
        let session = log_in(&app, Some("refresh-1")).await;
        server.say([with_headers(503, headers, "")]);
        let before = now();
        assert_eq!(rejected(&session).await, Err(ErrorCode::Unavailable));
        let retry_at = session.snapshot().retry_at.unwrap();
        assert!((before + 1_200_000..before + 1_600_000).contains(&retry_at));
    }
}

#[tokio::test]
async fn a_success_without_a_token_that_can_be_used_keeps_the_session() {
    let server = Server::start();
    let app = app(Native::to(server.origin()).refresh(refresh()));
    for body in [
        "<html></html>",
        "",
        "[]",
        "null",
        r#"{"token":5}"#,
        r#"{"token":""}"#,
        r#"{"token":"access-2\nX: 1"}"#,
        r#"{"token":"access-2","refreshToken":{}}"#,
    ] {
        let session = log_in(&app, Some("refresh-1")).await;
        server.say([with_headers(200, "", body)]);
        assert_eq!(
            rejected(&session).await,
            Err(ErrorCode::Unavailable),
            "{body}"
        );
        assert_eq!(token(&app).as_deref(), Some("access-1"));
    }
    let redirect = with_headers(302, "location: /auth/login\r\n", "");
    for say in [redirect, Say::HangUp, Say::Endless] {
        let session = log_in(&app, Some("refresh-1")).await;
        server.say([say]);
        assert_eq!(rejected(&session).await, Err(ErrorCode::Unavailable));
        assert_eq!(token(&app).as_deref(), Some("access-1"));
    }
}

#[tokio::test]
async fn p6_a_refresh_that_gets_no_response_ends_at_the_deadline() {
    let server = Server::start();
    let plugin = plugin().refresh_deadline(Duration::from_millis(200));
    let app = build(plugin.native(native(&server))).unwrap();
    let session = log_in(&app, Some("refresh-1")).await;
    server.say([Say::Held(1)]);
    assert_eq!(rejected(&session).await, Err(ErrorCode::Unavailable));
    assert_eq!(token(&app).as_deref(), Some("access-1"));
}

#[tokio::test]
async fn a_refused_token_that_nothing_can_renew_ends_the_session() {
    let server = Server::start();
    let app = app(native(&server));
    let session = log_in(&app, None).await;
    assert_eq!(rejected(&session).await, Ok(None));
    assert_eq!(session.snapshot().status, Status::SignedOut);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.path != "/auth/refresh")
    );
}
