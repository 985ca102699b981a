//! Which window may do what: capabilities resolved by Tauri from the permission files that ship.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod capability;
mod page;

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::{
    App,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_secure_token::{
    Account, Builder, SecureTokenExt, Token, Tokens, store::memory::MemoryStore,
};

use self::page::Page;

/// An app whose window `main` has these permissions.
fn app(permissions: &Value) -> App<MockRuntime> {
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = "app.test".into();
    *context.runtime_authority_mut() = capability::authority(&["main"], permissions);
    let plugin = Builder::new().store(Arc::new(MemoryStore::default()));
    mock_builder()
        .plugin(plugin.build())
        .build(context)
        .unwrap()
}

fn main_page(permissions: &Value) -> Page {
    Page::open(&app(permissions), "main")
}

fn set(page: &Page, account: &str) -> Result<Value, Value> {
    page.invoke("set_token", json!({ "account": account, "token": "t" }))
}

fn get(page: &Page, account: &str) -> Result<Value, Value> {
    page.invoke("get_token", json!({ "account": account }))
}

fn is_refused_by_tauri(answer: &Result<Value, Value>) -> bool {
    matches!(answer, Err(Value::String(text)) if text.contains("not allowed"))
}

fn is_out_of_scope(answer: &Result<Value, Value>) -> bool {
    matches!(answer, Err(error) if error["code"] == "forbidden")
}

#[test]
fn p5_the_default_set_grants_every_command() {
    let page = main_page(&json!(["secure-token:default"]));
    assert!(set(&page, "a").is_ok());
    assert!(get(&page, "a").is_ok());
    assert_eq!(page.invoke("list_accounts", json!({})), Ok(json!(["a"])));
    let watch = json!({ "channel": "__CHANNEL__:1" });
    assert!(page.invoke("watch_tokens", watch).is_ok());
    assert!(page.invoke("store_info", json!({})).is_ok());
    assert!(
        page.invoke("clear_token", json!({ "account": "a" }))
            .is_ok()
    );
}

#[test]
fn p5_the_sets_grant_their_half() {
    let page = main_page(&json!(["secure-token:read-only"]));
    assert!(get(&page, "a").is_ok());
    assert!(is_refused_by_tauri(&set(&page, "a")));
    assert!(is_refused_by_tauri(&page.invoke("clear_token", json!({}))));

    let page = main_page(&json!(["secure-token:write-only"]));
    assert!(set(&page, "a").is_ok());
    assert!(page.invoke("clear_token", json!({})).is_ok());
    assert!(is_refused_by_tauri(&get(&page, "a")));
    assert!(is_refused_by_tauri(
        &page.invoke("list_accounts", json!({}))
    ));
}

fn log_in(page: &Page) {
    let channel = json!({ "channel": "__CHANNEL__:1", "refreshes": true, "revokes": true });
    page.invoke("session_open", channel).unwrap();
    let login = json!({ "token": "t", "refreshToken": "r" });
    page.invoke("session_sign_in", login).unwrap();
}

#[test]
fn p5_access_gives_the_access_token_and_never_a_refresh_token() {
    let page = main_page(&json!(["secure-token:access"]));
    log_in(&page);
    let given = page.invoke("session_token", json!({})).unwrap();
    assert_eq!(given["token"], "t");
    assert_eq!(given.get("refreshToken"), None);
    for command in [
        "session_lease",
        "session_answer",
        "session_revokes",
        "get_token",
        "set_token",
    ] {
        assert!(
            is_refused_by_tauri(&page.invoke(command, json!({}))),
            "{command}"
        );
    }
    assert_eq!(
        page.invoke("session_sign_out", json!({})).unwrap()["status"],
        "signedOut"
    );
}

#[test]
fn p5_native_gives_no_token_at_all() {
    let app = app(&json!(["secure-token:native"]));
    let page = Page::open(&app, "main");
    let session = app.secure_token().session(&Account::default());
    let tokens = Tokens::new(Token::new("canary").unwrap());
    tauri::async_runtime::block_on(session.login(tokens)).unwrap();
    let snapshot = page.invoke("session_hydrate", json!({})).unwrap();
    assert_eq!(snapshot["status"], "signedIn");
    assert!(!snapshot.to_string().contains("canary"));
    for command in [
        "session_token",
        "session_lease",
        "session_answer",
        "session_revokes",
        // A token of its own choice would be one that the page knows.
        "session_sign_in",
        "get_token",
        "set_token",
        "clear_token",
    ] {
        assert!(
            is_refused_by_tauri(&page.invoke(command, json!({}))),
            "{command}"
        );
    }
    assert_eq!(
        page.invoke("session_sign_out", json!({})).unwrap()["status"],
        "signedOut"
    );
}

#[test]
fn p5_the_scope_of_each_session_command_is_checked() {
    let narrowed = |command: &str| json!({ "identifier": format!("secure-token:allow-{command}"), "allow": [{ "account": "mine" }] });
    let commands = [
        ("session-open", json!({ "channel": "__CHANNEL__:1" })),
        ("session-hydrate", json!({})),
        ("session-sign-in", json!({ "token": "t" })),
        ("session-token", json!({})),
        ("session-lease", json!({})),
        ("session-answer", json!({ "lease": 1, "failed": true })),
        ("session-revokes", json!({})),
        ("session-sign-out", json!({})),
    ];
    let permissions: Vec<_> = commands
        .iter()
        .map(|(command, _)| narrowed(command))
        .collect();
    let page = main_page(&json!(permissions));
    for (command, args) in commands {
        let command = command.replace('-', "_");
        let mut of_theirs = args.clone();
        of_theirs["account"] = json!("theirs");
        assert!(
            is_out_of_scope(&page.invoke(&command, of_theirs)),
            "{command}"
        );
        assert!(
            is_out_of_scope(&page.invoke(&command, args.clone())),
            "{command}"
        );
        let mut of_mine = args;
        of_mine["account"] = json!("mine");
        assert!(
            !is_out_of_scope(&page.invoke(&command, of_mine)),
            "{command}"
        );
    }
}

#[test]
fn p5_another_window_is_refused() {
    let app = app(&json!(["secure-token:default"]));
    assert!(get(&Page::open(&app, "main"), "a").is_ok());
    assert!(is_refused_by_tauri(&get(&Page::open(&app, "other"), "a")));
}

#[test]
fn p5_a_command_can_be_narrowed_to_named_accounts() {
    let page = main_page(&json!([
        "secure-token:allow-set-token",
        {
            "identifier": "secure-token:allow-get-token",
            "allow": [{ "account": "mine" }, { "account": "work-*" }],
            "deny": [{ "account": "work-secret" }],
        },
        { "identifier": "secure-token:allow-list-accounts", "allow": [{ "account": "mine" }] },
        { "identifier": "secure-token:allow-clear-token", "deny": [{ "account": "mine" }] },
    ]));
    for account in ["mine", "work-1", "work-secret", "default"] {
        set(&page, account).unwrap();
    }
    assert!(get(&page, "mine").is_ok());
    assert!(get(&page, "work-1").is_ok());
    assert!(is_out_of_scope(&get(&page, "work-secret")));
    assert!(is_out_of_scope(&page.invoke("get_token", json!({}))));
    assert_eq!(page.invoke("list_accounts", json!({})), Ok(json!(["mine"])));
    let clear = |account| page.invoke("clear_token", json!({ "account": account }));
    assert!(is_out_of_scope(&clear("mine")));
    assert!(clear("work-1").is_ok());
    assert!(get(&page, "mine").is_ok());
}

#[test]
fn p5_an_out_of_scope_write_changes_nothing() {
    let page = main_page(&json!([
        "secure-token:read-only",
        { "identifier": "secure-token:allow-set-token", "allow": [{ "account": "mine" }] },
    ]));
    assert!(is_out_of_scope(&set(&page, "theirs")));
    assert_eq!(get(&page, "theirs"), Ok(Value::Null));
}

#[test]
fn p5_a_scope_entry_that_is_spelt_wrongly_grants_nothing_and_says_so() {
    for (list, entry) in [
        ("allow", json!({ "acount": "mine" })),
        ("allow", json!({ "account": "" })),
        ("deny", json!({ "account": "*-admin" })),
        ("deny", json!({ "account": "work/**" })),
    ] {
        let page = main_page(&json!([
            { "identifier": "secure-token:allow-get-token", list: [entry] },
        ]));
        for account in ["mine", "the-admin", "work/1", "other"] {
            let error = get(&page, account).unwrap_err();
            assert_eq!(error["code"], "misconfigured");
            assert!(error["message"].as_str().unwrap().contains("work-*"));
        }
    }
}

/// Tauri hands both on as no entries.
#[test]
fn p5_an_empty_list_is_as_no_list() {
    let page = main_page(&json!([
        { "identifier": "secure-token:allow-get-token", "allow": [] },
    ]));
    assert!(get(&page, "any").is_ok());
}
