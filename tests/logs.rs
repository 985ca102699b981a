//! What the plugin logs: a logger takes down everything at every level, while everything goes wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod page;

use std::sync::{Arc, Mutex};

use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;
use tauri::{
    test::{mock_builder, mock_context, noop_assets},
    utils::acl::ExecutionContext,
};
use tauri_plugin_secure_token::{
    Account, Builder, ErrorCode,
    store::{
        Item,
        memory::{Fault, MemoryStore},
    },
};

use self::page::Page;

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

/// Whether the plugin has logged `text`.
fn logged(text: &str) -> bool {
    let lines = LINES.lock().unwrap();
    let ours = |line: &&String| line.starts_with("tauri_plugin_secure_token");
    lines.iter().filter(ours).any(|line| line.contains(text))
}

#[test]
fn p4_no_log_line_at_any_level_has_a_token_or_what_is_stored() {
    log::set_logger(&Notebook).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let store = Arc::new(MemoryStore::with_max_len(100));
    store.poke(Item::of(&Account::default()), "canary");

    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = "app.test".into();
    for command in ["set_token", "get_token", "clear_token"] {
        let command = format!("plugin:secure-token|{command}");
        let authority = context.runtime_authority_mut();
        authority.__allow_command(command, ExecutionContext::Local);
    }
    let plugin = Builder::new().store(store.clone()).build();
    let app = mock_builder().plugin(plugin).build(context).unwrap();
    let page = Page::open(&app, "main");

    // The read ahead of something corrupt is logged by itself.
    while !logged("corrupt") {
        std::thread::yield_now();
    }
    let long = "canary".repeat(100);
    for token in ["canary", "canary\0", &long] {
        let answer = page.invoke("set_token", json!({ "token": token }));
        assert_eq!(answer.is_err(), token.contains('\0'));
    }
    // The write succeeds, but not the removal of the pieces that it replaces.
    store.inject(Fault::FailsAfter(3, ErrorCode::Internal));
    let short = page.invoke("set_token", json!({ "token": "canary" }));
    assert!(short.is_ok() && logged("stay until the next write"));
    for &code in ErrorCode::ALL {
        store.inject(Fault::Fails(code));
        assert!(page.invoke("clear_token", json!({})).is_err());
    }
    let stored = store.peek(&Item::of(&Account::default())).unwrap();
    let payload = String::from_utf8(stored).unwrap();
    let payload = payload.split('.').nth(2).unwrap();
    assert!(!logged("canary") && !logged(payload));
}
