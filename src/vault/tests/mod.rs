//! The promises that the vault keeps, over stores whose faults the test sets.

mod growth;
mod keychains;
mod listeners;
mod renamed;
mod silent;
mod stores;
mod unsettled;

use std::sync::Mutex;

use super::*;
use crate::{
    store::{Item, memory::Fault},
    token::Token,
};
use stores::{Kind, TestStore, over_each_store};

over_each_store! {
    p1_a_store_that_fails_is_never_an_absent_record,
    p1_a_read_of_something_corrupt_keeps_it_and_a_write_replaces_it,
    p2_a_failed_write_changes_nothing,
    p2_a_caller_that_goes_away_does_not_split_memory_from_the_store,
    p2_after_a_timeout_the_store_is_asked_again,
    p3_a_read_that_started_before_a_clear_does_not_bring_the_record_back,
    p3_a_read_that_found_the_record_of_a_write_before_it_does_not_outlive_a_clear,
    p3_a_write_based_on_a_revision_before_the_clear_is_a_conflict,
    p3_clearing_an_absent_account_succeeds_and_counts,
    p4_notices_and_debug_texts_have_no_token,
    p6_every_call_ends_at_the_deadline_and_the_next_one_works,
    p6_a_prompt_that_nobody_answers_ends_at_the_deadline,
    p6_who_waits_behind_a_prompt_is_told_the_same,
    reads_that_come_together_ask_the_store_once,
    a_record_is_read_from_memory_after_the_first_time,
    without_the_memory_copy_every_read_asks_the_store,
    a_prefetched_record_is_in_memory,
    revisions_count_per_account,
    the_writes_of_one_account_keep_their_order,
    a_watch_ends_when_it_is_dropped,
}

const SOON: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_secs(60);

fn vault(kind: Kind, deadline: Duration) -> (Vault, TestStore) {
    let store = TestStore::new(kind);
    (store.vault(deadline), store)
}

fn account() -> Account {
    Account::default()
}

/// Long enough to be in pieces where items are small.
fn record(token: &str) -> Record {
    let mut record = Record::new(Token::new(token).unwrap());
    record.refresh_token = Some(Token::new("r".repeat(100)).unwrap());
    record
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
async fn the_records_of_these_tests_are_in_pieces_where_items_are_small() {
    let (vault, store) = vault(Kind::SmallItems, LATE);
    vault.set(&account(), record("t"), None).await.unwrap();
    assert!(store.items_stored().len() > 2);
}

async fn p1_a_store_that_fails_is_never_an_absent_record(kind: Kind) {
    for failure in TestStore::new(kind).failures() {
        let (vault, store) = vault(kind, LATE);
        store.fail(failure);
        assert_eq!(code(vault.get(&account()).await), failure.code);
        store.heal();
        assert_eq!(vault.get(&account()).await, Ok(None));
    }
}

async fn p1_a_read_of_something_corrupt_keeps_it_and_a_write_replaces_it(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    let item = Item::of(&account());
    store.poke(item.clone(), "of another program");
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Corrupt);
    assert_eq!(store.peek(&item).unwrap(), b"of another program");
    vault.set(&account(), record("ours"), None).await.unwrap();
    assert_eq!(token(vault.get(&account()).await).unwrap(), "ours");
}

async fn p2_a_failed_write_changes_nothing(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Locked);
    assert_eq!(code(vault.clear(&account(), None).await), ErrorCode::Locked);
    let stored = vault.get(&account()).await.unwrap().unwrap();
    assert_eq!(stored.record, record("old"));
    assert_eq!(stored.revision, 1);
    store.heal();
    let fresh = store.vault(LATE);
    assert_eq!(token(fresh.get(&account()).await).unwrap(), "old");
}

async fn p2_a_caller_that_goes_away_does_not_split_memory_from_the_store(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
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

async fn p2_after_a_timeout_the_store_is_asked_again(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Hangs);
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    store.heal();
    let landed_late = envelope::encode(&record("new")).unwrap();
    store.poke(Item::of(&account()), landed_late.to_vec());
    assert_eq!(token(vault.get(&account()).await).unwrap(), "new");
}

async fn p3_a_read_that_started_before_a_clear_does_not_bring_the_record_back(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    store
        .vault(LATE)
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

async fn p3_a_read_that_found_the_record_of_a_write_before_it_does_not_outlive_a_clear(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    store.inject(Fault::Hangs);
    let account = account();
    let mut login = Box::pin(vault.set(&account, record("t"), None));
    started(&mut login).await;
    let mut second_window = Box::pin(vault.get(&account));
    started(&mut second_window).await;
    store.heal();
    login.await.unwrap();
    assert_eq!(token(second_window.await).unwrap(), "t");
    vault.clear(&account, None).await.unwrap();
    assert_eq!(vault.get(&account).await, Ok(None));
}

async fn p3_a_write_based_on_a_revision_before_the_clear_is_a_conflict(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    let revision = vault.set(&account(), record("old"), None).await.unwrap();
    vault.clear(&account(), None).await.unwrap();
    let rotated = vault.set(&account(), record("new"), Some(revision)).await;
    assert_eq!(code(rotated), ErrorCode::Conflict);
    assert!(store.items_stored().is_empty());
    assert_eq!(vault.get(&account()).await, Ok(None));
}

async fn p3_clearing_an_absent_account_succeeds_and_counts(kind: Kind) {
    let (vault, _) = vault(kind, LATE);
    assert_eq!(vault.clear(&account(), None).await, Ok(1));
    let write = vault.set(&account(), record("late"), Some(0)).await;
    assert_eq!(code(write), ErrorCode::Conflict);
}

async fn p4_notices_and_debug_texts_have_no_token(kind: Kind) {
    let (vault, _) = vault(kind, LATE);
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

async fn p6_every_call_ends_at_the_deadline_and_the_next_one_works(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
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

async fn p6_a_prompt_that_nobody_answers_ends_at_the_deadline(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    store.inject(Fault::Prompts);
    assert_eq!(code(vault.get(&account()).await), store.unanswered_prompt());
    store.heal();
    assert_eq!(vault.get(&account()).await, Ok(None));
}

async fn p6_who_waits_behind_a_prompt_is_told_the_same(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    store.inject(Fault::Prompts);
    let (account, other) = (account(), Account::new("other").unwrap());
    let (set, clear, read) = tokio::join!(
        vault.set(&account, record("t"), None),
        vault.clear(&account, None),
        vault.get(&other),
    );
    assert_eq!(code(set), store.unanswered_prompt());
    assert_eq!(code(clear), store.unanswered_prompt());
    assert_eq!(code(read), store.unanswered_prompt());
}

async fn reads_that_come_together_ask_the_store_once(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
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

async fn a_record_is_read_from_memory_after_the_first_time(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    vault.set(&account(), record("t"), None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
}

async fn without_the_memory_copy_every_read_asks_the_store(kind: Kind) {
    let store = TestStore::new(kind);
    let vault = Vault::new(store.open(), LATE, false);
    vault.set(&account(), record("t"), None).await.unwrap();
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Locked);
}

async fn a_prefetched_record_is_in_memory(kind: Kind) {
    let (writer, store) = vault(kind, LATE);
    writer.set(&account(), record("t"), None).await.unwrap();
    let vault = store.vault(LATE);
    vault.prefetch(account());
    let slot = vault.slot(&account());
    until(|| lock(&slot.state).copy.is_some()).await;
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
}

async fn revisions_count_per_account(kind: Kind) {
    let (vault, _) = vault(kind, LATE);
    let other = Account::new("other").unwrap();
    assert_eq!(vault.set(&account(), record("a"), None).await, Ok(1));
    assert_eq!(vault.set(&account(), record("b"), Some(1)).await, Ok(2));
    assert_eq!(vault.set(&other, record("c"), Some(0)).await, Ok(1));
    assert_eq!(vault.clear(&account(), Some(2)).await, Ok(3));
    assert_eq!(vault.list().await, Ok(vec![other]));
}

async fn the_writes_of_one_account_keep_their_order(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
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

async fn a_watch_ends_when_it_is_dropped(kind: Kind) {
    let (vault, _) = vault(kind, LATE);
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
