//! Listeners of Rust callers that take their time, call back or panic.

use std::sync::mpsc;

use super::*;
use crate::{
    handle::SecureToken,
    session::{Limits, Outbox, Sessions},
    store::memory::MemoryStore,
};

fn tokens() -> SecureToken {
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::new(store.clone(), LATE, true);
    let (alone, limits) = (Processes::none(), Limits::with_refresh(LATE));
    let outbox = Outbox::new(store, alone.clone(), LATE);
    let sessions = Sessions::new(vault.clone(), &alone, outbox, None, None, limits);
    SecureToken { vault, sessions }
}

/// Waits for the next notice without blocking the runtime of the test.
async fn next(notices: mpsc::Receiver<Notice>) -> (Notice, mpsc::Receiver<Notice>) {
    let received = tokio::task::spawn_blocking(move || (notices.recv().unwrap(), notices));
    received.await.unwrap()
}

#[tokio::test]
async fn p2_a_listener_that_panics_does_not_fail_the_write_that_it_hears_of() {
    let tokens = tokens();
    let (sender, notices) = mpsc::channel();
    let _bad = tokens.watch_tokens(|_| panic!("a fault of the test"));
    let _worse = tokens.vault.watch(|_| panic!("a fault of the test"));
    let _good = tokens.watch_tokens(move |notice| sender.send(notice.clone()).unwrap());
    let written = tokens.set_token(&account(), record("t"), None).await;
    assert_eq!(written, Ok(1));
    let (notice, notices) = next(notices).await;
    assert_eq!(notice.revision, 1);
    tokens.clear_token(&account(), None).await.unwrap();
    let (notice, _) = next(notices).await;
    assert_eq!((notice.revision, notice.present), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_listener_may_block_on_a_read_of_what_has_changed() {
    let tokens = Arc::new(tokens());
    let (sender, notices) = mpsc::channel();
    let (never, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    let _stuck = tokens.watch_tokens(move |_| {
        let _ = lock(&stuck).recv();
    });
    let _watch = tokens.watch_tokens({
        let tokens = tokens.clone();
        move |notice| {
            let read = tauri::async_runtime::block_on(tokens.get_token(&account()));
            assert_eq!(token(read).unwrap(), "t");
            sender.send(notice.clone()).unwrap();
        }
    });
    tokens
        .set_token(&account(), record("t"), None)
        .await
        .unwrap();
    assert_eq!(next(notices).await.0.revision, 1);
    drop(never);
}

#[tokio::test]
async fn what_waits_for_a_listener_that_is_stuck_is_bounded() {
    let tokens = tokens();
    let (sender, notices) = mpsc::channel();
    let (go_on, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    let _watch = tokens.watch_tokens(move |notice| {
        let _ = lock(&stuck).recv();
        sender.send(notice.clone()).unwrap();
    });
    for _ in 0..1_000 {
        tokens.clear_token(&account(), None).await.unwrap();
    }
    drop(go_on);
    let heard = tokio::task::spawn_blocking(move || {
        let newest = notices.iter().position(|notice| notice.revision == 1_000);
        newest.unwrap()
    });
    assert!(heard.await.unwrap() <= 257);
}

#[tokio::test]
async fn a_watch_that_was_dropped_hears_nothing_more() {
    let tokens = tokens();
    let (sender, notices) = mpsc::channel();
    let watch = tokens.watch_tokens(move |notice| sender.send(notice.clone()).unwrap());
    drop(watch);
    tokens.clear_token(&account(), None).await.unwrap();
    // The sender went with the listener.
    assert!(
        tokio::task::spawn_blocking(move || notices.recv())
            .await
            .unwrap()
            .is_err()
    );
}
