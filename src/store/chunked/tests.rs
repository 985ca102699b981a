//! Long records over a store in memory with small items, which fails at every point.

mod full;
mod one_failure;

use std::time::Duration;

use super::*;
use crate::store::memory::{Fault, MemoryStore};

const MAX_LEN: usize = 60;

fn account() -> Account {
    Account::default()
}

async fn read(store: &dyn SecretStore) -> Result<Option<Vec<u8>>> {
    let stored = get(store, &account(), &Prompts::default()).await?;
    Ok(stored.map(|bytes| bytes.to_vec()))
}

async fn write(store: &dyn SecretStore, bytes: &[u8]) -> Result<()> {
    set(store, &account(), bytes, &Prompts::default()).await
}

async fn clear(store: &dyn SecretStore) -> Result<()> {
    delete(store, &account(), &Prompts::default()).await
}

/// How many items the record of the account is, with its own.
fn items_of(record: &[u8]) -> usize {
    match record.len() {
        0..=MAX_LEN => 1,
        longer => 1 + longer.div_ceil(MAX_LEN),
    }
}

#[tokio::test]
async fn records_around_the_limit_come_back_whole() {
    for length in [1, MAX_LEN - 1, MAX_LEN, MAX_LEN + 1, 2 * MAX_LEN, 1000] {
        let store = MemoryStore::with_max_len(MAX_LEN);
        let record = vec![b'x'; length];
        write(&store, &record).await.unwrap();
        assert_eq!(read(&store).await.unwrap(), Some(record));
    }
}

#[tokio::test]
async fn p2_a_write_that_stops_anywhere_leaves_the_old_record_or_the_new_one() {
    for old in [vec![b'o'; 20], vec![b'o'; 300]] {
        for new in [vec![b'n'; 20], vec![b'n'; 400]] {
            for calls in 0..40 {
                let store = MemoryStore::with_max_len(MAX_LEN);
                write(&store, &old).await.unwrap();
                store.inject(Fault::FailsAfter(calls, ErrorCode::Internal));
                let acknowledged = write(&store, &new).await.is_ok();
                store.heal();
                let stored = read(&store).await.unwrap().unwrap();
                assert_eq!(stored == new, acknowledged, "stopped after {calls} calls");
                assert!(stored == new || stored == old);

                write(&store, b"next").await.unwrap();
                assert_eq!(store.items_stored(), [Item::of(&account())]);
            }
        }
    }
}

/// Every call waits, so that the calls of those that run at once alternate.
fn slow_store() -> MemoryStore {
    let store = MemoryStore::with_max_len(MAX_LEN);
    store.inject(Fault::Slow(Duration::from_millis(1)));
    store
}

#[tokio::test(start_paused = true)]
async fn p2_two_that_write_at_once_leave_one_whole_record() {
    for (one, other) in [(400, 300), (300, 400), (400, 20), (20, 400)] {
        let store = slow_store();
        let (one, other) = (vec![b'a'; one], vec![b'b'; other]);
        let written = tokio::join!(write(&store, &one), write(&store, &other));
        assert_eq!(written, (Ok(()), Ok(())));
        let stored = read(&store).await.unwrap().unwrap();
        assert!(stored == one || stored == other);
    }
}

#[tokio::test(start_paused = true)]
async fn p3_a_clear_and_a_write_at_once_leave_the_whole_record_or_nothing() {
    for later in 0..10 {
        let store = slow_store();
        write(&store, &[b'o'; 100]).await.unwrap();
        let new = vec![b'n'; 300];
        let clear = async {
            tokio::time::sleep(Duration::from_millis(later)).await;
            delete(&store, &account(), &Prompts::default()).await
        };
        let changed = tokio::join!(write(&store, &new), clear);
        assert_eq!(changed, (Ok(()), Ok(())));
        let stored = read(&store).await.unwrap();
        assert!(stored.is_none_or(|stored| stored == new));
    }
}

#[tokio::test(start_paused = true)]
async fn p1_a_record_that_is_replaced_while_it_is_read_is_not_corrupt() {
    let store = slow_store();
    write(&store, b"short").await.unwrap();
    // The same long record each time: its generation and its header come again.
    let writer = async {
        for _ in 0..50 {
            write(&store, &[b'x'; 300]).await.unwrap();
            write(&store, b"short").await.unwrap();
        }
    };
    let reader = async {
        loop {
            let length = read(&store).await.unwrap().unwrap().len();
            assert!([5, 300].contains(&length));
        }
    };
    tokio::select! { () = writer => {}, () = reader => {} }
}

#[tokio::test]
async fn p1_a_piece_that_fails_while_another_writes_is_read_again_in_a_turn() {
    let store = MemoryStore::with_max_len(MAX_LEN);
    let record = vec![b'x'; 300];
    write(&store, &record).await.unwrap();
    for code in [ErrorCode::Corrupt, ErrorCode::Internal] {
        let turn = store.exclusive().await.unwrap();
        store.inject(Fault::FailsAfter(2, code));
        let mut second_look = Box::pin(read(&store));
        assert!(futures_util::poll!(&mut second_look).is_pending());
        store.heal();
        drop(turn);
        assert_eq!(second_look.await, Ok(Some(record.clone())));
    }
}

#[tokio::test]
async fn a_missing_or_altered_piece_is_corrupt_and_kept() {
    for damage in [None, Some(b"other".to_vec()), Some(vec![b'y'; MAX_LEN])] {
        let store = MemoryStore::with_max_len(MAX_LEN);
        write(&store, &[b'x'; 300]).await.unwrap();
        let piece = chunk(&account(), 0, 2);
        match damage {
            Some(bytes) => store.poke(piece, bytes),
            None => store.delete(&piece, &Prompts::default()).await.unwrap(),
        }
        let before = store.items_stored().len();
        assert_eq!(read(&store).await.unwrap_err().code(), ErrorCode::Corrupt);
        assert_eq!(store.items_stored().len(), before);
    }
}

#[tokio::test]
async fn a_header_that_lies_is_corrupt() {
    let long = format!("{PREFIX}0000000000000000.4294967295.18446744073709551615.00000000");
    for header in [PREFIX, "secure-token.chunks.v1.0.1.1.0", &long] {
        let store = MemoryStore::with_max_len(MAX_LEN);
        store.poke(Item::of(&account()), header);
        assert_eq!(read(&store).await.unwrap_err().code(), ErrorCode::Corrupt);
    }
}

#[tokio::test]
async fn p3_a_cleared_record_leaves_no_piece() {
    let store = MemoryStore::with_max_len(MAX_LEN);
    write(&store, &[b'x'; 300]).await.unwrap();
    clear(&store).await.unwrap();
    assert!(store.items_stored().is_empty());
}

/// Takes `future` up to its `waits`-th wait, and drops it there as a deadline does; whether it had
/// finished before. Each call of a [`slow_store`] is one wait.
async fn drop_after<T>(waits: u64, future: impl Future<Output = T>) -> bool {
    let deadline = Duration::from_micros(waits * 1_000 + 500);
    tokio::time::timeout(deadline, future).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn p2_a_write_that_is_dropped_anywhere_leaves_a_whole_record_and_pieces_that_go_next() {
    let mut left_over = 0;
    for (old, new) in [(300, 420), (20, 420), (300, 20)] {
        let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
        for waits in 0.. {
            let store = slow_store();
            write(&store, &old).await.unwrap();
            let finished = drop_after(waits, write(&store, &new)).await;
            let stored = read(&store).await.unwrap().unwrap();
            assert!(stored == old || stored == new, "dropped after {waits}");
            assert!(!finished || stored == new);
            left_over += store.items_stored().len() - items_of(&stored);

            if waits % 2 == 0 {
                write(&store, b"next").await.unwrap();
                assert_eq!(store.items_stored(), [Item::of(&account())]);
            } else {
                clear(&store).await.unwrap();
                assert!(store.items_stored().is_empty());
            }
            if finished {
                break;
            }
        }
    }
    // New pieces without a header: 1 to 7, twice. Old ones after it: 5 to 1, twice.
    assert_eq!(left_over, 2 * 28 + 2 * 15);
}

#[tokio::test(start_paused = true)]
async fn p3_a_clear_that_is_dropped_anywhere_leaves_the_record_or_none_and_goes_on_next() {
    let mut left_over = 0;
    let record = vec![b'o'; 300];
    for waits in 0.. {
        let store = slow_store();
        write(&store, &record).await.unwrap();
        let finished = drop_after(waits, clear(&store)).await;
        let stored = read(&store).await.unwrap();
        let needed = stored.as_ref().map_or(0, |stored| items_of(stored));
        assert!(stored.is_none_or(|stored| stored == record));
        left_over += store.items_stored().len() - needed;
        clear(&store).await.unwrap();
        assert!(store.items_stored().is_empty());
        if finished {
            break;
        }
    }
    assert_eq!(left_over, 5 + 4 + 3 + 2 + 1);
}

#[tokio::test]
async fn p2_the_pieces_of_a_planted_generation_never_make_a_write_use_the_live_one() {
    for planted in [u64::MAX, u64::MAX - 1, 1, 0x0123_4567_89ab_cdef] {
        for calls in 0..40 {
            let store = MemoryStore::with_max_len(MAX_LEN);
            let (old, new) = (vec![b'o'; 300], vec![b'n'; 420]);
            write(&store, &old).await.unwrap();
            store.poke(chunk(&account(), planted, 0), "planted");
            store.inject(Fault::FailsAfter(calls, ErrorCode::Internal));
            let acknowledged = write(&store, &new).await.is_ok();
            store.heal();
            let stored = read(&store).await.unwrap().unwrap();
            assert_eq!(stored == new, acknowledged, "{planted:x}, {calls} calls");
            assert!(stored == new || stored == old);
        }
    }
}

#[test]
fn an_unused_generation_is_neither_of_a_piece_nor_of_the_header() {
    let piece = |generation| chunk(&account(), generation, 0);
    for (pieces, live, expected) in [
        (&[][..], None, 0),
        (&[], Some(4), 5),
        (&[], Some(u64::MAX), 0),
        (&[0, 9], Some(0), 10),
        (&[0, u64::MAX], Some(0), 1),
        (&[0, 1, 2, u64::MAX], Some(3), 4),
    ] {
        let pieces: Vec<_> = pieces.iter().copied().map(piece).collect();
        let needed_by = live.map_or(NeededBy::NoRecord, NeededBy::Generation);
        assert_eq!(unused_generation(&pieces, needed_by), expected);
    }
}

#[tokio::test]
async fn p1_pieces_of_a_header_that_is_damaged_or_later_stay_until_a_write_succeeds() {
    for header in [
        "secure-token.chunks.v1.damaged",
        "secure-token.chunks.v2.later",
    ] {
        let store = MemoryStore::with_max_len(MAX_LEN);
        write(&store, &[b'o'; 300]).await.unwrap();
        store.poke(Item::of(&account()), header);
        assert_eq!(read(&store).await.unwrap_err().code(), ErrorCode::Corrupt);
        let before = store.items_stored().len();
        store.set_room(Some(before + 3));
        for _ in 0..3 {
            let written = write(&store, &[b'n'; 420]).await;
            assert_eq!(written.unwrap_err().code(), ErrorCode::Unavailable);
            assert_eq!(store.items_stored().len(), before);
        }
        write(&store, b"short").await.unwrap();
        assert_eq!(store.items_stored(), [Item::of(&account())]);
    }
}
