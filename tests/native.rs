//! Requests that Rust sends, as a page asks for them: through Tauri's IPC, with mocks of the windows.
#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod capability;
mod http;
mod page;

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tauri::{
    App,
    ipc::InvokeBody,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_secure_token::{
    Account, Builder, SecureTokenExt, Token, Tokens, store::memory::MemoryStore,
};

use self::{
    capability::authority,
    http::{Server, reply, start},
    page::Page,
};

/// An app in which somebody is signed in, and whose windows may use `/v1/` of `server`.
fn app(server: &Server) -> App<MockRuntime> {
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = "app.test".into();
    *context.runtime_authority_mut() = authority(
        &["*"],
        &json!([
            "secure-token:native",
            {
                "identifier": "secure-token:allow-native-fetch",
                "allow": [{ "url": server.url("/v1/*") }],
            },
            {
                "identifier": "secure-token:allow-native-media",
                "allow": [{ "url": server.url("/v1/*") }],
            },
        ]),
    );
    let plugin = Builder::new().store(Arc::new(MemoryStore::default()));
    let app = mock_builder()
        .plugin(plugin.build())
        .build(context)
        .unwrap();
    let session = app.secure_token().session(&Account::default());
    let tokens = Tokens::new(Token::new("canary-token").unwrap());
    tauri::async_runtime::block_on(session.login(tokens)).unwrap();
    app
}

fn frame(head: &Value, body: &[u8]) -> Vec<u8> {
    let head = head.to_string();
    let len = u32::try_from(head.len()).unwrap().to_be_bytes();
    [&len[..], head.as_bytes(), body].concat()
}

fn parse(frame: &[u8]) -> (Value, Vec<u8>) {
    let (len, rest) = frame.split_first_chunk().unwrap();
    let (head, body) = rest.split_at(u32::from_be_bytes(*len).try_into().unwrap());
    (serde_json::from_slice(head).unwrap(), body.to_vec())
}

/// Sends a frame as bytes.
fn send(page: &Page, command: &str, head: &Value, body: &[u8]) -> Result<(Value, Vec<u8>), Value> {
    let response = page.invoke(command, InvokeBody::Raw(frame(head, body)))?;
    let bytes: Vec<u8> = serde_json::from_value(response).unwrap();
    Ok(parse(&bytes))
}

fn get(id: u64, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url, "headers": [], "redirect": "follow", "body": "none" })
}

fn code<T>(result: Result<T, Value>) -> String {
    let error = result.err().unwrap();
    error["code"].as_str().unwrap_or("no code").to_owned()
}

#[test]
fn a_request_and_its_response_are_one_frame_each() {
    let server = Server::start(|seen, wire| reply(wire, 201, &[("x-a", "1")], &seen.body));
    let app = app(&server);
    let page = Page::open(&app, "main");
    let head = json!({
        "id": 1, "method": "POST", "url": server.url("/v1/me"), "headers": [["X-B", "2"]],
        "redirect": "follow", "body": "whole", "length": 4, "repeat": true, "login": 1,
    });
    let login = app
        .secure_token()
        .session(&Account::default())
        .snapshot()
        .login;
    let mut head = head;
    head["login"] = login.into();
    let (response, body) = send(&page, "native_fetch", &head, b"body").unwrap();
    assert_eq!(body, b"body");
    assert_eq!(
        response,
        json!({
            "status": 201, "statusText": "Created", "headers": [["x-a", "1"], ["content-length", "4"]],
            "url": server.url("/v1/me"), "redirected": false, "type": "default", "body": "whole",
        })
    );
    let [seen] = &server.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(seen.token(), Some("canary-token"));
    assert_eq!(seen.header("x-b"), Some("2"));
    let origin = if cfg!(windows) {
        "http://tauri.localhost"
    } else {
        "tauri://localhost"
    };
    assert_eq!(seen.header("origin"), Some(origin));
}

#[test]
fn a_frame_in_base64_gets_one_in_base64() {
    let server = Server::start(|seen, wire| reply(wire, 200, &[], &seen.body));
    let page = Page::open(&app(&server), "main");
    let mut head = get(1, &server.url("/v1/me"));
    (head["method"], head["body"]) = ("POST".into(), "whole".into());
    let text = BASE64_STANDARD.encode(frame(&head, b"\xff\0body"));
    let response = page
        .invoke("native_fetch", json!({ "frame": text }))
        .unwrap();
    let bytes = BASE64_STANDARD.decode(response.as_str().unwrap()).unwrap();
    assert_eq!(parse(&bytes).1, b"\xff\0body");
    // Without its scheme for the IPC, Tauri makes a list of the bytes.
    let response = page.invoke("native_fetch", json!(frame(&head, b"\xff\0body")));
    let bytes: Vec<u8> = serde_json::from_value(response.unwrap()).unwrap();
    assert_eq!(parse(&bytes).1, b"\xff\0body");
}

#[test]
fn a_body_is_written_and_read_in_pieces() {
    let server = Server::start(|seen, wire| reply(wire, 200, &[], &seen.body));
    let app = app(&server);
    let page = Arc::new(Page::open(&app, "main"));
    let mut head = get(1, &server.url("/v1/me"));
    (head["method"], head["body"]) = ("PUT".into(), "stream".into());
    let writer = page.clone();
    let written = std::thread::spawn(move || {
        for _ in 0..3 {
            let end = json!({ "id": 1, "end": false });
            let written = send(&writer, "native_write", &end, &vec![b'x'; 1_000_000]);
            assert_eq!(written.unwrap().0, json!({}));
        }
        send(
            &writer,
            "native_write",
            &json!({ "id": 1, "end": true }),
            b"",
        )
        .unwrap();
    });
    let (response, mut got) = send(&page, "native_fetch", &head, b"").unwrap();
    written.join().unwrap();
    assert_eq!(response["body"], "more");
    loop {
        let (head, bytes) = send(&page, "native_read", &json!({ "id": 1 }), b"").unwrap();
        got.extend(bytes);
        if head["end"] == true {
            break;
        }
    }
    assert!(got == vec![b'x'; 3_000_000]);
    let again = send(&page, "native_read", &json!({ "id": 1 }), b"");
    assert_eq!(code(again), "invalid-argument");
}

/// A server whose bodies never end.
fn endless() -> Server {
    Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"\r\n")?;
        loop {
            wire.write_all(&[b'x'; 4096])?;
        }
    })
}

#[test]
fn p6_a_request_is_of_one_page_and_ends_with_it() {
    let server = endless();
    let app = app(&server);
    let (one, other) = (Page::open(&app, "one"), Page::open(&app, "other"));
    let head = json!({ "id": 5 });
    send(&one, "native_fetch", &get(5, &server.url("/v1/me")), b"").unwrap();
    assert_eq!(
        code(send(&other, "native_read", &head, b"")),
        "invalid-argument"
    );
    other.invoke("native_abort", head.clone()).unwrap();
    assert!(send(&one, "native_read", &head, b"").is_ok());
    one.invoke("native_abort", head.clone()).unwrap();
    assert_eq!(
        code(send(&one, "native_read", &head, b"")),
        "invalid-argument"
    );
    server.wait_until(|server| server.closed() == 1);
    one.invoke("native_abort", head).unwrap();
}

#[test]
fn p4_bad_arguments_are_refused_without_being_shown_and_send_nothing() {
    let server = Server::start(|_, wire| reply(wire, 200, &[], b""));
    let page = Page::open(&app(&server), "main");
    let url = server.url("/v1/me?SECRET");
    let with = |name: &str, value: Value| {
        let mut head = get(1, &url);
        head[name] = value;
        head
    };
    for (head, expected) in [
        (with("id", json!(-1)), "invalid-argument"),
        (with("id", json!(1_u64 << 53)), "invalid-argument"),
        (with("SECRET", json!(1)), "invalid-argument"),
        (with("method", json!("GET SECRET")), "invalid-argument"),
        (with("url", json!("/SECRET")), "invalid-argument"),
        (with("headers", json!("SECRET")), "invalid-argument"),
        (with("headers", json!([["x"]])), "invalid-argument"),
        (
            with("headers", json!([["x", "SECRET\r\ny: z"]])),
            "invalid-argument",
        ),
        (
            with("headers", json!([["AUTHORIZATION", "SECRET"]])),
            "forbidden",
        ),
        (
            with("headers", json!([["Transfer-Encoding", "chunked"]])),
            "forbidden",
        ),
        (with("redirect", json!("SECRET")), "invalid-argument"),
        (with("body", json!("whole")), "invalid-argument"),
        (with("body", json!("SECRET")), "invalid-argument"),
        (with("length", json!("SECRET")), "invalid-argument"),
        (with("account", json!("")), "invalid-argument"),
        (with("method", json!("TRACE")), "forbidden"),
        (with("url", json!(server.url("/SECRET"))), "forbidden"),
    ] {
        let error = send(&page, "native_fetch", &head, b"SECRET").err().unwrap();
        assert_eq!(error["code"], expected, "{head}");
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }
    for body in [
        InvokeBody::Raw(b"SECRET".to_vec()),
        InvokeBody::Json(json!({ "frame": "SECRET" })),
        InvokeBody::Json(json!({ "frame": 5 })),
        InvokeBody::Json(json!({ "SECRET": 5 })),
        InvokeBody::Json(json!("SECRET")),
        InvokeBody::Json(json!([0, 0, 0, 256])),
        InvokeBody::Json(json!(["SECRET"])),
    ] {
        for command in ["native_fetch", "native_read", "native_write"] {
            let error = page.invoke(command, body.clone()).err().unwrap();
            assert_eq!(error["code"], "invalid-argument", "{command}");
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
    }
    assert!(server.seen().is_empty());
}

#[test]
fn p5_a_ticket_for_a_medium_is_given_within_the_scope_alone() {
    let server = Server::start(|_, wire| reply(wire, 200, &[], b""));
    let page = Page::open(&app(&server), "main");
    let media = |path: &str| page.invoke("native_media", json!({ "url": server.url(path) }));
    let address = media("/v1/avatar").unwrap();
    let start = if cfg!(windows) {
        "http://secure-token.localhost/"
    } else {
        "secure-token://localhost/"
    };
    assert!(address.as_str().unwrap().starts_with(start), "{address}");
    assert_eq!(media("/v1/avatar"), Ok(address));
    assert_eq!(code(media("/admin")), "forbidden");
    assert!(server.seen().is_empty());
}
