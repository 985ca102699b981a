//! The commands as a page calls them: through Tauri's IPC, with a mock of the window.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod page;

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::{
    App,
    ipc::InvokeBody,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
};
use tauri_plugin_secure_token::{
    Account, Builder, ErrorCode, SecureTokenExt,
    store::{
        Item,
        memory::{Fault, MemoryStore},
    },
};

use self::page::Page;

const COMMANDS: [&str; 6] = [
    "set_token",
    "get_token",
    "clear_token",
    "list_accounts",
    "watch_tokens",
    "store_info",
];

fn app(identifier: &str, plugin: Builder) -> tauri::Result<App<MockRuntime>> {
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = identifier.into();
    for command in COMMANDS {
        let command = format!("plugin:secure-token|{command}");
        context
            .runtime_authority_mut()
            .__allow_command(command, ExecutionContext::Local);
    }
    mock_builder().plugin(plugin.build()).build(context)
}

/// A page of an app that keeps its tokens in `store`.
fn open(store: &Arc<MemoryStore>) -> Page {
    let plugin = Builder::new().store(store.clone());
    Page::open(&app("app.test", plugin).unwrap(), "main")
}

fn code(answer: Result<Value, Value>) -> String {
    let error = answer.unwrap_err();
    error["code"].as_str().unwrap_or("no code").to_owned()
}

#[test]
fn a_token_goes_in_and_comes_out_and_goes() {
    let page = open(&Arc::default());
    let set = json!({ "token": "t", "refreshToken": "r", "expiresAt": 1_767_225_600_000_u64 });
    assert_eq!(page.invoke("set_token", set), Ok(json!({ "revision": 1 })));
    assert_eq!(
        page.invoke("get_token", json!({})),
        Ok(
            json!({ "token": "t", "refreshToken": "r", "expiresAt": 1_767_225_600_000_u64, "revision": 1 })
        )
    );
    assert_eq!(
        page.invoke("list_accounts", json!({})),
        Ok(json!(["default"]))
    );
    let clear = page.invoke("clear_token", json!({ "ifRevision": 1 }));
    assert_eq!(clear, Ok(json!({ "revision": 2 })));
    assert_eq!(page.invoke("get_token", json!({})), Ok(Value::Null));
    assert_eq!(
        page.invoke("clear_token", json!({})),
        Ok(json!({ "revision": 3 }))
    );
}

#[test]
fn a_token_outlives_the_app_also_in_pieces() {
    for store in [MemoryStore::default(), MemoryStore::with_max_len(60)].map(Arc::new) {
        let long = "t".repeat(1000);
        open(&store)
            .invoke("set_token", json!({ "token": long }))
            .unwrap();
        let restarted = open(&store);
        let stored = restarted.invoke("get_token", json!({}));
        assert_eq!(stored, Ok(json!({ "token": long, "revision": 0 })));
        let accounts = restarted.invoke("list_accounts", json!({}));
        assert_eq!(accounts, Ok(json!(["default"])));
        restarted.invoke("clear_token", json!({})).unwrap();
        assert!(store.items_stored().is_empty());
    }
}

#[test]
fn what_is_not_known_is_left_out_of_the_answer() {
    let page = open(&Arc::default());
    page.invoke("set_token", json!({ "token": "t" })).unwrap();
    assert_eq!(
        page.invoke("get_token", json!({})),
        Ok(json!({ "token": "t", "revision": 1 }))
    );
}

#[test]
fn accounts_are_kept_apart() {
    let page = open(&Arc::default());
    page.invoke("set_token", json!({ "account": "a", "token": "ta" }))
        .unwrap();
    page.invoke("set_token", json!({ "account": "b", "token": "tb" }))
        .unwrap();
    assert_eq!(
        page.invoke("get_token", json!({ "account": "b" })).unwrap()["token"],
        "tb"
    );
    assert_eq!(page.invoke("get_token", json!({})), Ok(Value::Null));
    assert_eq!(
        page.invoke("list_accounts", json!({})),
        Ok(json!(["a", "b"]))
    );
}

#[test]
fn a_stale_revision_is_a_conflict() {
    let page = open(&Arc::default());
    page.invoke("set_token", json!({ "token": "a" })).unwrap();
    page.invoke("set_token", json!({ "token": "b", "ifRevision": 1 }))
        .unwrap();
    assert_eq!(
        code(page.invoke("set_token", json!({ "token": "c", "ifRevision": 1 }))),
        "conflict"
    );
    assert_eq!(
        code(page.invoke("clear_token", json!({ "ifRevision": 1 }))),
        "conflict"
    );
    assert_eq!(page.invoke("get_token", json!({})).unwrap()["token"], "b");
}

#[test]
fn p1_every_failure_of_the_store_reaches_the_page_as_its_code() {
    for &code in ErrorCode::ALL {
        let store = Arc::new(MemoryStore::default());
        let page = open(&store);
        store.inject(Fault::Fails(code));
        let error = page.invoke("get_token", json!({})).unwrap_err();
        assert_eq!(error["code"], code.as_str());
        assert_eq!(error["retryable"], code.is_retryable());
    }
}

/// The call is refused with `code`, and nothing that was sent is in the answer.
fn assert_refused(page: &Page, command: &str, args: Value, code: &str) {
    let error = page.invoke(command, args).unwrap_err();
    assert_eq!(error["code"], code, "{command}: {error}");
    let text = error.to_string();
    assert!(!text.contains("canary") && !text.contains("4242"), "{text}");
    assert!(text.len() < 200, "{text}");
}

#[test]
fn bad_records_are_refused_without_being_shown_and_change_nothing() {
    let page = open(&Arc::default());
    page.invoke("set_token", json!({ "token": "kept" }))
        .unwrap();
    for args in [
        json!({}),
        json!({ "token": "" }),
        json!({ "token": "canary\0" }),
        json!({ "token": null }),
        json!({ "token": 424_242 }),
        json!({ "token": ["canary"] }),
        json!({ "token": { "canary": 1 } }),
        json!({ "token": "canary", "refreshToken": "" }),
        json!({ "token": "canary", "refreshToken": null }),
        json!({ "token": "canary", "expiresAt": -424_242 }),
        json!({ "token": "canary", "expiresAt": 4242.42 }),
        json!({ "token": "canary", "expiresAt": "424242" }),
        json!({ "token": "canary", "expiresAt": 1_u64 << 53 }),
        json!({ "token": "canary", "ifRevision": true }),
        json!({ "token": "canary", "canary": "canary" }),
        json!({ "token": "canary", "refresh_token": "canary" }),
        json!({ "token": "canary", "account": "" }),
        json!({ "token": "canary", "account": "canary\n" }),
        json!({ "token": "canary", "account": "a".repeat(513) }),
        json!({ "token": "canary", "account": 424_242 }),
        json!(["canary"]),
    ] {
        assert_refused(&page, "set_token", args, "invalid-argument");
    }
    let too_long = "x".repeat(1024 * 1024 + 1);
    for args in [
        json!({ "token": too_long }),
        json!({ "token": "canary", "refreshToken": too_long }),
    ] {
        assert_refused(&page, "set_token", args, "too-large");
    }
    let raw = page.invoke("set_token", InvokeBody::Raw(b"canary".to_vec()));
    assert_eq!(raw.unwrap_err()["code"], "invalid-argument");

    let stored = page.invoke("get_token", json!({}));
    assert_eq!(stored, Ok(json!({ "token": "kept", "revision": 1 })));
    let accounts = page.invoke("list_accounts", json!({}));
    assert_eq!(accounts, Ok(json!(["default"])));
}

#[test]
fn bad_arguments_of_the_other_commands_are_refused_without_being_shown() {
    let page = open(&Arc::default());
    for (command, args) in [
        ("get_token", json!({ "account": "" })),
        ("get_token", json!({ "service": "canary" })),
        ("clear_token", json!({ "account": "canary\u{7f}" })),
        ("clear_token", json!({ "token": "canary" })),
        ("list_accounts", json!({ "account": "canary" })),
        ("store_info", json!({ "account": "canary" })),
        ("watch_tokens", json!({ "channel": "canary" })),
        ("watch_tokens", json!({})),
        (
            "watch_tokens",
            json!({ "channel": "__CHANNEL__:7", "canary": 1 }),
        ),
    ] {
        assert_refused(&page, command, args, "invalid-argument");
    }
}

#[test]
fn p4_the_stored_bytes_do_not_show_the_token() {
    let store = Arc::new(MemoryStore::default());
    let page = open(&store);
    page.invoke("set_token", json!({ "token": "canary" }))
        .unwrap();
    let stored = store.peek(&Item::of(&Account::default())).unwrap();
    let stored = String::from_utf8(stored).unwrap();
    assert!(stored.starts_with("secure-token.v1."));
    assert!(!stored.contains("canary"));
}

#[test]
fn store_info_tells_what_the_store_is() {
    let store = Arc::new(MemoryStore::default());
    let page = open(&store);
    let info = page.invoke("store_info", json!({})).unwrap();
    assert_eq!(info["store"], "memory");
    assert_eq!(info["persistent"], false);
    assert_eq!(info["state"], "available");
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(
        page.invoke("store_info", json!({})).unwrap()["state"],
        "locked"
    );
}

#[test]
fn an_empty_identifier_or_a_deadline_of_zero_stops_the_app_from_starting() {
    let store = || Builder::new().store(Arc::new(MemoryStore::default()));
    let zero = store().deadline(std::time::Duration::ZERO);
    for (identifier, plugin) in [("", store()), ("app.test", zero)] {
        let error = app(identifier, plugin).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("misconfigured"), "{error}");
    }
}

#[test]
fn an_earlier_identifier_that_is_empty_or_todays_stops_the_app_from_starting() {
    let earlier = |identifier| Builder::new().earlier_identifier(identifier);
    let with_store = earlier("app.before").store(Arc::new(MemoryStore::default()));
    for plugin in [earlier(""), earlier("app.test"), with_store] {
        let error = app("app.test", plugin).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("misconfigured"), "{error}");
    }
}

#[test]
fn rust_callers_see_what_the_page_stored() {
    let page = open(&Arc::default());
    page.invoke("set_token", json!({ "token": "t" })).unwrap();
    let stored =
        tauri::async_runtime::block_on(page.window.secure_token().get_token(&Account::default()));
    assert_eq!(stored.unwrap().unwrap().record.token.expose(), "t");
}
