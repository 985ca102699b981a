//! The promises that the vault keeps, over a store whose faults the test sets.

use std::sync::Mutex;

use super::*;
use crate::{
    Token,
    store::{
        Item,
        memory::{Fault, MemoryStore},
    },
};

const SOON: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_secs(60);

fn vault(deadline: Duration) -> (Vault, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    (Vault::new(store.clone(), deadline, true), store)
}

fn account() -> Account {
    Account::default()
}

fn record(token: &str) -> Record {
    Record::new(Token::new(token).unwrap())
}

fn token(stored: Result<Option<StoredRecord>>) -> Option<String> {
    stored
        .unwrap()
        .map(|stored| stored.record.token.expose().to_owned())
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

/// Runs `future` until it waits for something.
async fn started<T>(future: &mut (impl Future<Output = T> + Unpin)) {
    assert!(futures_util::poll!(future).is_pending());
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn p1_a_store_that_fails_is_never_an_absent_record() {
    for fault in ErrorCode::ALL {
        let (vault, store) = vault(LATE);
        store.inject(Fault::Fails(fault));
        assert_eq!(code(vault.get(&account()).await), fault);
        store.heal();
        assert_eq!(vault.get(&account()).await, Ok(None));
    }
}

#[tokio::test]
async fn p1_a_read_of_something_corrupt_keeps_it_and_a_write_replaces_it() {
    let (vault, store) = vault(LATE);
    let item = Item::of(&account());
    store.poke(item.clone(), "of another program");
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Corrupt);
    assert_eq!(store.peek(&item).unwrap(), b"of another program");
    vault.set(&account(), record("ours"), None).await.unwrap();
    assert_eq!(token(vault.get(&account()).await).unwrap(), "ours");
}

#[tokio::test]
async fn p2_a_failed_write_changes_nothing() {
    let (vault, store) = vault(LATE);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Locked);
    assert_eq!(code(vault.clear(&account(), None).await), ErrorCode::Locked);
    let stored = vault.get(&account()).await.unwrap().unwrap();
    assert_eq!(stored.record, record("old"));
    assert_eq!(stored.revision, 1);
    store.heal();
    let fresh = Vault::new(store, LATE, true);
    assert_eq!(token(fresh.get(&account()).await).unwrap(), "old");
}

#[tokio::test]
async fn p2_a_caller_that_goes_away_does_not_split_memory_from_the_store() {
    let (vault, store) = vault(LATE);
    store.inject(Fault::Hangs);
    let account = account();
    {
        let mut set = Box::pin(vault.set(&account, record("new"), None));
        started(&mut set).await;
    }
    store.heal();
    until(|| store.peek(&Item::of(&account)).is_some()).await;
    assert_eq!(token(vault.get(&account).await).unwrap(), "new");
}

#[tokio::test]
async fn p2_after_a_timeout_the_store_is_asked_again() {
    let (vault, store) = vault(SOON);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Hangs);
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    store.heal();
    let landed_late = envelope::encode(&record("new")).unwrap();
    store.poke(Item::of(&account()), landed_late.to_vec());
    assert_eq!(token(vault.get(&account()).await).unwrap(), "new");
}

#[tokio::test]
async fn p3_a_read_that_started_before_a_clear_does_not_bring_the_record_back() {
    let (vault, store) = vault(LATE);
    Vault::new(store.clone(), LATE, true)
        .set(&account(), record("old"), None)
        .await
        .unwrap();
    store.inject(Fault::Hangs);
    let account = account();
    let mut early = Box::pin(vault.get(&account));
    started(&mut early).await;
    until(|| store.hanging() == 1).await;
    let mut clear = Box::pin(vault.clear(&account, None));
    started(&mut clear).await;
    store.heal();
    clear.await.unwrap();
    assert_eq!(vault.get(&account).await, Ok(None));
    assert_eq!(token(early.await).unwrap(), "old");
    assert_eq!(vault.get(&account).await, Ok(None));
    assert!(store.items_stored().is_empty());
}

#[tokio::test]
async fn p3_a_write_based_on_a_revision_before_the_clear_is_a_conflict() {
    let (vault, store) = vault(LATE);
    let revision = vault.set(&account(), record("old"), None).await.unwrap();
    vault.clear(&account(), None).await.unwrap();
    let rotated = vault.set(&account(), record("new"), Some(revision)).await;
    assert_eq!(code(rotated), ErrorCode::Conflict);
    assert!(store.items_stored().is_empty());
    assert_eq!(vault.get(&account()).await, Ok(None));
}

#[tokio::test]
async fn p3_clearing_an_absent_account_succeeds_and_counts() {
    let (vault, _) = vault(LATE);
    assert_eq!(vault.clear(&account(), None).await, Ok(1));
    let write = vault.set(&account(), record("late"), Some(0)).await;
    assert_eq!(code(write), ErrorCode::Conflict);
}

#[tokio::test]
async fn p4_notices_and_debug_texts_have_no_token() {
    let (vault, _) = vault(LATE);
    let seen = Arc::new(Mutex::new(String::new()));
    let _watch = vault.watch({
        let seen = seen.clone();
        move |notice| lock(&seen).push_str(&serde_json::to_string(notice).unwrap())
    });
    vault.set(&account(), record("canary"), None).await.unwrap();
    let stored = vault.get(&account()).await.unwrap();
    let text = format!("{stored:?} {}", lock(&seen));
    assert!(text.contains(r#"{"account":"default","revision":1,"present":true}"#));
    assert!(!text.contains("canary"));
}

#[tokio::test]
async fn p6_every_call_ends_at_the_deadline_and_the_next_one_works() {
    let (vault, store) = vault(SOON);
    store.inject(Fault::Hangs);
    let account = account();
    assert_eq!(code(vault.get(&account).await), ErrorCode::Timeout);
    let set = vault.set(&account, record("t"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    assert_eq!(code(vault.clear(&account, None).await), ErrorCode::Timeout);
    assert_eq!(code(vault.list().await), ErrorCode::Timeout);
    store.heal();
    assert_eq!(vault.get(&account).await, Ok(None));
    assert!(store.items_stored().is_empty());
    vault.set(&account, record("t"), None).await.unwrap();
}

#[tokio::test]
async fn p6_a_prompt_that_nobody_answers_is_locked() {
    let (vault, store) = vault(SOON);
    store.inject(Fault::Prompts);
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Locked);
    store.heal();
    assert_eq!(vault.get(&account()).await, Ok(None));
}

#[tokio::test]
async fn p6_who_waits_behind_a_prompt_is_told_that_the_store_is_locked() {
    let (vault, store) = vault(SOON);
    store.inject(Fault::Prompts);
    let (account, other) = (account(), Account::new("other").unwrap());
    let (set, clear, read) = tokio::join!(
        vault.set(&account, record("t"), None),
        vault.clear(&account, None),
        vault.get(&other),
    );
    assert_eq!(code(set), ErrorCode::Locked);
    assert_eq!(code(clear), ErrorCode::Locked);
    assert_eq!(code(read), ErrorCode::Locked);
}

#[tokio::test]
async fn reads_that_come_together_ask_the_store_once() {
    let (vault, store) = vault(LATE);
    store.inject(Fault::Hangs);
    let account = account();
    let mut reads: Vec<_> = (0..100).map(|_| Box::pin(vault.get(&account))).collect();
    for read in &mut reads {
        started(read).await;
    }
    until(|| store.hanging() == 1).await;
    // One call passes; a second one would fail.
    store.inject(Fault::FailsAfter(0, ErrorCode::Locked));
    for read in reads {
        assert_eq!(read.await, Ok(None));
    }
}

#[tokio::test]
async fn a_record_is_read_from_memory_after_the_first_time() {
    let (vault, store) = vault(LATE);
    vault.set(&account(), record("t"), None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
}

#[tokio::test]
async fn without_the_memory_copy_every_read_asks_the_store() {
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::new(store.clone(), LATE, false);
    vault.set(&account(), record("t"), None).await.unwrap();
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Locked);
}

#[tokio::test]
async fn a_prefetched_record_is_in_memory() {
    let (writer, store) = vault(LATE);
    writer.set(&account(), record("t"), None).await.unwrap();
    let vault = Vault::new(store.clone(), LATE, true);
    vault.prefetch(account());
    let slot = vault.slot(&account());
    until(|| lock(&slot.state).copy.is_some()).await;
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
}

#[tokio::test]
async fn revisions_count_per_account() {
    let (vault, _) = vault(LATE);
    let other = Account::new("other").unwrap();
    assert_eq!(vault.set(&account(), record("a"), None).await, Ok(1));
    assert_eq!(vault.set(&account(), record("b"), Some(1)).await, Ok(2));
    assert_eq!(vault.set(&other, record("c"), Some(0)).await, Ok(1));
    assert_eq!(vault.clear(&account(), Some(2)).await, Ok(3));
    assert_eq!(vault.list().await, Ok(vec![other]));
}

#[tokio::test]
async fn the_writes_of_one_account_keep_their_order() {
    let (vault, store) = vault(LATE);
    store.inject(Fault::Hangs);
    let account = account();
    let mut writes = Vec::new();
    for number in 0..50 {
        let mut write = Box::pin(vault.set(&account, record(&format!("t{number}")), Some(number)));
        started(&mut write).await;
        writes.push(write);
    }
    store.heal();
    for (number, write) in (1..).zip(writes) {
        assert_eq!(write.await, Ok(number));
    }
    assert_eq!(token(vault.get(&account).await).unwrap(), "t49");
}

#[tokio::test]
async fn a_watch_ends_when_it_is_dropped() {
    let (vault, _) = vault(LATE);
    let count = Arc::new(Mutex::new(0));
    let watch = vault.watch({
        let count = count.clone();
        move |_| *lock(&count) += 1
    });
    vault.set(&account(), record("t"), None).await.unwrap();
    drop(watch);
    vault.clear(&account(), None).await.unwrap();
    assert_eq!(*lock(&count), 1);
    assert_eq!(vault.watches(), 0);
}
