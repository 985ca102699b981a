//! What changes between two calls of one connection: each call looks again before it believes what it
//! found the last time.

use serde_json::Value;

use crate::{
    DEFAULT, code, other_program::OtherProgram, provider::Provider, session::Session,
    worker::Worker,
};

/// A worker that has found its item, and another program.
async fn found() -> (Session, Worker, OtherProgram) {
    let session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "first");
    assert_eq!(worker.get(DEFAULT)["token"], "first");
    let other = OtherProgram::of(&session);
    (session, worker, other)
}

#[tokio::test]
async fn p1_the_collection_that_is_the_default_now_is_used() {
    let (_session, mut worker, other) = found().await;
    let before = other.default_collection().await;
    other
        .make_default("/org/freedesktop/secrets/collection/session")
        .await;
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert!(worker.set(DEFAULT, "elsewhere")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "elsewhere");
    other.make_default(&before).await;
    assert_eq!(worker.get(DEFAULT)["token"], "first");
}

#[tokio::test]
async fn p1_an_item_that_has_become_that_of_another_program_is_left_alone() {
    let (_session, mut worker, other) = found().await;
    let items = other.items(DEFAULT).await;
    other.add_attribute(&items[0], DEFAULT).await;
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert!(worker.set(DEFAULT, "second")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "second");
    assert_eq!(other.items(DEFAULT).await.len(), 2);
}

#[tokio::test]
async fn an_item_that_another_program_removed_is_absent_and_made_again() {
    let (_session, mut worker, other) = found().await;
    let items = other.items(DEFAULT).await;
    other.delete(&items[0]).await;
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert!(worker.set(DEFAULT, "second")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "second");
}

#[tokio::test]
async fn p3_a_second_item_of_another_program_goes_with_the_next_write_or_clear() {
    let (_session, mut worker, other) = found().await;
    other.add_item(DEFAULT, "theirs").await;
    assert!(worker.set(DEFAULT, "second")["revision"].is_u64());
    assert_eq!(other.items(DEFAULT).await.len(), 1);
    assert_eq!(worker.get(DEFAULT)["token"], "second");
    other.add_item(DEFAULT, "theirs").await;
    assert!(worker.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT), Value::Null);
}

#[tokio::test]
async fn an_account_with_a_second_item_of_another_program_is_listed_once() {
    let (_session, mut worker, other) = found().await;
    worker.set("between", "kept");
    other.add_item(DEFAULT, "theirs").await;
    assert_eq!(other.items(DEFAULT).await.len(), 2);
    assert_eq!(worker.list(), serde_json::json!(["between", DEFAULT]));
}

#[tokio::test]
async fn p1_a_collection_that_was_locked_meanwhile_is_locked() {
    let (session, mut worker, other) = found().await;
    other.lock_default_collection().await;
    assert_eq!(code(&worker.get(DEFAULT)), "locked");
    assert_eq!(code(&worker.set(DEFAULT, "second")), "locked");
    assert_eq!(code(&worker.clear(DEFAULT)), "locked");
    session.unlock().await;
    assert_eq!(worker.get(DEFAULT)["token"], "first");
}

/// KWallet gives an empty secret for an item of a locked wallet, and no error.
#[tokio::test]
async fn p1_a_wallet_that_was_locked_meanwhile_is_locked() {
    let session = Session::with(Provider::KWallet).await;
    let _prompter = session.ignoring_prompter().await;
    let mut worker = Worker::with_deadline(&session, 4_000);
    worker.set(DEFAULT, "first");
    assert_eq!(worker.get(DEFAULT)["token"], "first");
    OtherProgram::of(&session).lock_default_collection().await;
    assert_eq!(code(&worker.get(DEFAULT)), "locked");
    assert_eq!(code(&worker.set(DEFAULT, "second")), "locked");
}

#[tokio::test]
async fn the_item_of_one_account_is_not_taken_for_that_of_another() {
    let (_session, mut worker, _other) = found().await;
    assert_eq!(worker.get("other"), Value::Null);
    assert!(worker.set("other", "second")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "first");
    assert!(worker.clear("other")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "first");
}
