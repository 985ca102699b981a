//! Responses to a login that are wrong, by accident or on purpose.

use serde_json::json;
use tauri_plugin_secure_token::{Native, Post};

use crate::{
    app::{app, code, native, sign_in, token, tokens},
    page::Page,
    server::{Say, Server, json as say, text, with_headers},
};

#[test]
fn p4_a_token_that_the_page_would_see_signs_nobody_in() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for body in [
        json!({ "token": "access-1", "user": { "token": "access-1" } }),
        json!({ "token": "access-1", "list": [[{ "a": "Bearer access-1" }]] }),
        json!({ "token": "access-1", "access-1": true }),
        json!({ "token": "access-1", "refreshToken": "refresh-1", "copy": "refresh-1" }),
        json!({ "token": null, "refreshToken": "refresh-1", "copy": "refresh-1" }),
        json!({ "token": "a/c+1", "avatar": "https://a.b/c?t=a%2Fc%2B1" }),
        json!({ "token": "a/c", "inner": "{\"token\":\"a\\/c\"}" }),
        json!({ "token": "access-1", "refreshToken": "access-1-r", "copy": "access-1-r" }),
    ] {
        server.say([say(200, &body)]);
        let error = sign_in(&page).unwrap_err();
        assert_eq!(error["code"], "forbidden", "{body}");
        assert!(
            !error.to_string().contains("access-1") && !error.to_string().contains("refresh-1")
        );
        assert_eq!(token(&app), None);
    }
}

#[test]
fn a_second_copy_that_is_cut_signs_in() {
    let server = Server::start();
    let login = crate::app::login().cut("/user/token");
    let app = app(Native::to(server.origin()).login(login));
    let body = json!({ "token": "access-1", "user": { "token": "access-1", "name": "Ada" } });
    server.say([say(200, &body)]);
    let response = sign_in(&Page::open(&app, "main")).unwrap();
    assert_eq!(response["body"], json!({ "user": { "name": "Ada" } }));
    assert_eq!(token(&app).as_deref(), Some("access-1"));
}

#[test]
fn p4_a_token_in_a_header_or_given_twice_does_not_reach_the_page() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    let headers = "authorization: Bearer access-1\r\nset-cookie: t=access-1\r\nx-access-1: 1\r\n";
    let body = r#"{"token":"access-0","token":"access-1"}"#;
    server.say([
        with_headers(200, headers, body),
        with_headers(200, "", body),
    ]);
    for _ in 0..2 {
        let response = sign_in(&page).unwrap();
        assert_eq!(response["ok"], true);
        assert!(!response.to_string().contains("access-"), "{response}");
    }
    assert_eq!(token(&app).as_deref(), Some("access-1"));
    // The cookie was not kept.
    assert_eq!(server.requests()[1].header("cookie"), None);
}

#[test]
fn p4_a_failure_that_has_tokens_in_it_does_not_show_them() {
    let server = Server::start();
    let app = app(native(&server));
    server.say([say(500, &tokens("1"))]);
    let response = sign_in(&Page::open(&app, "main")).unwrap();
    assert_eq!(response["body"], json!({ "user": { "name": "Ada" } }));
    assert_eq!(token(&app), None);
}

#[test]
fn a_body_that_is_too_long_or_never_ends_is_not_read_to_its_end() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    let long = format!(
        "{{\"token\":\"access-1\",\"x\":\"{}\"}}",
        "x".repeat(10 * 1024 * 1024)
    );
    let lies = "HTTP/1.1 200 X\r\ncontent-length: 99999999999\r\n\r\n{}";
    server.say([
        text(200, "application/json", &long),
        Say::Endless,
        Say::This(lies.into()),
    ]);
    for _ in 0..3 {
        assert_eq!(code(sign_in(&page)), "too-large");
        assert_eq!(token(&app), None);
    }
}

#[test]
fn a_body_that_is_no_object_signs_nobody_in() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    let deep = "[".repeat(100_000);
    for body in [
        "<html>access-1</html>",
        "",
        "[]",
        "null",
        "5",
        "\"access-1\"",
        "[\"access-1\"]",
        "{\"token\":",
        &deep,
    ] {
        server.say([text(200, "application/json", body)]);
        let response = sign_in(&page).unwrap();
        assert_eq!(
            (&response["ok"], &response["status"]),
            (&json!(false), &json!(200))
        );
        assert_eq!(token(&app), None);
    }
    let half = "HTTP/1.1 200 X\r\ncontent-length: 50\r\n\r\n{\"token\":\"access-1\"}";
    server.say([Say::CutOff(half.into())]);
    assert_eq!(code(sign_in(&page)), "unavailable");
    assert_eq!(token(&app), None);
}

#[test]
fn tokens_in_arrays_and_as_the_whole_body_sign_in() {
    for (pointer, body, left) in [
        (
            "/tokens/1/value",
            json!({ "tokens": [{}, { "value": "access-1" }] }),
            json!({ "tokens": [{}, {}] }),
        ),
        ("/0", json!(["access-1", 5]), json!([null, 5])),
        ("", json!("access-1"), json!(null)),
        (
            "/a~1b/~0",
            json!({ "a/b": { "~": "access-1" } }),
            json!({ "a/b": {} }),
        ),
    ] {
        let server = Server::start();
        let app = app(Native::to(server.origin()).login(Post::to("/login").token(pointer)));
        server.say([say(200, &body)]);
        let response = sign_in(&Page::open(&app, "main")).unwrap();
        assert_eq!((&response["ok"], &response["body"]), (&json!(true), &left));
        assert_eq!(token(&app).as_deref(), Some("access-1"));
    }
}

#[test]
fn p4_a_token_that_cannot_be_one_is_an_error_that_does_not_show_it() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for body in [
        json!({ "token": 12345 }),
        json!({ "token": { "value": "access-1" } }),
        json!({ "token": ["access-1"] }),
        json!({ "token": "access-1\nX-Header: 1" }),
        json!({ "token": " access-1" }),
        json!({ "token": "access-1\u{e4}" }),
        json!({ "token": "access-1\u{0}" }),
        json!({ "token": "access-1", "refreshToken": 5 }),
    ] {
        server.say([say(200, &body)]);
        let error = sign_in(&page).unwrap_err();
        assert_eq!(error["code"], "misconfigured", "{body}");
        assert!(!error.to_string().contains("access-1") && !error.to_string().contains("12345"));
        assert_eq!(token(&app), None);
    }
}

#[test]
fn a_lifetime_that_says_nothing_signs_in_without_an_expiry() {
    let server = Server::start();
    let app = app(native(&server));
    let page = Page::open(&app, "main");
    for (expires_in, is_known) in [
        (json!(3600), true),
        (json!("3600"), true),
        (json!(3600.5), true),
        (json!(-1), false),
        (json!(0), false),
        (json!("soon"), false),
        (json!(null), false),
        (json!({}), false),
        (json!(1e308), false),
        (json!(u64::MAX), false),
    ] {
        server.say([say(
            200,
            &json!({ "token": "access-1", "expiresIn": expires_in }),
        )]);
        let response = sign_in(&page).unwrap();
        assert_eq!(response["ok"], true);
        assert_eq!(
            response["snapshot"]["expiresAt"].is_u64(),
            is_known,
            "{expires_in}"
        );
    }
}
