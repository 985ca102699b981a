//! Telling the server that a login has ended.

use serde_json::json;
use tauri_plugin_secure_token::{Native, Post, Session, Token, Tokens};

use crate::{
    app::{app, native, session, until},
    server::{Say, Server, json as say, with_headers},
};

async fn in_and_out(session: &Session, refresh_token: Option<&str>) {
    let mut tokens = Tokens::new(Token::new("access-1").unwrap());
    tokens.refresh_token = refresh_token.map(|token| Token::new(token).unwrap());
    session.login(tokens).await.unwrap();
    session.logout().await;
}

async fn all_revoked(session: &Session) {
    until(session, |session| session.snapshot().revokes == 0).await;
}

#[tokio::test]
async fn a_logout_is_told_to_the_server_until_it_has_decided() {
    let server = Server::start();
    let app = app(native(&server));
    let session = session(&app);
    // The third is what a server says that is restarting, or a portal that wants a login.
    for (responses, requests) in [
        (vec![say(200, &json!({}))], 1),
        (vec![with_headers(204, "", "")], 1),
        (
            vec![say(400, &json!({ "error": "unsupported_token_type" }))],
            1,
        ),
        (vec![say(401, &json!({}))], 1),
        (vec![say(404, &json!({}))], 1),
        (vec![say(503, &json!({})), say(200, &json!({}))], 2),
        (vec![say(429, &json!({})), say(200, &json!({}))], 2),
        (vec![say(408, &json!({})), say(200, &json!({}))], 2),
        (
            vec![
                with_headers(302, "location: /\r\n", ""),
                say(200, &json!({})),
            ],
            2,
        ),
        (vec![Say::HangUp, say(200, &json!({}))], 2),
    ] {
        let before = server.requests().len();
        server.say(responses);
        in_and_out(&session, Some("refresh-1")).await;
        all_revoked(&session).await;
        let sent = &server.requests()[before..];
        assert_eq!(sent.len(), requests);
        for request in sent {
            assert_eq!(request.path, "/auth/logout");
            assert_eq!(request.json(), json!({ "refreshToken": "refresh-1" }));
        }
    }
}

#[tokio::test]
async fn an_oauth_server_is_told_which_token_it_has() {
    let server = Server::start();
    let app = app(Native::to(server.origin()).revoke(Post::oauth_revoke("/revoke", "my-app")));
    let session = session(&app);
    for (refresh_token, sent) in [(Some("refresh-1"), "refresh-1"), (None, "access-1")] {
        server.say([with_headers(200, "", "")]);
        in_and_out(&session, refresh_token).await;
        all_revoked(&session).await;
        let request = server.requests().pop().unwrap();
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        let mut fields: Vec<_> = request.body.split('&').collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["client_id=my-app".to_owned(), format!("token={sent}")]
        );
    }
}

#[tokio::test]
async fn a_logout_goes_out_by_the_bearer_if_the_app_says_so() {
    let server = Server::start();
    let post = Post::to("/logout")
        .send_bearer()
        .send_refresh_token("/refreshToken");
    let app = app(Native::to(server.origin()).revoke(post));
    let session = session(&app);
    for (refresh_token, body) in [
        (Some("refresh-1"), json!({ "refreshToken": "refresh-1" })),
        (None, json!({})),
    ] {
        server.say([with_headers(204, "", "")]);
        in_and_out(&session, refresh_token).await;
        all_revoked(&session).await;
        let request = server.requests().pop().unwrap();
        assert_eq!(request.header("authorization"), Some("Bearer access-1"));
        assert_eq!(request.json(), body);
    }
}

#[tokio::test]
async fn without_a_refresh_token_there_is_nothing_to_say() {
    let server = Server::start();
    let app = app(native(&server));
    let session = session(&app);
    in_and_out(&session, None).await;
    all_revoked(&session).await;
    assert!(server.requests().is_empty());
}
