//! Long records in a store with small items.
//!
//! A long record is cut into pieces of a new generation. When all of them are stored, the account's
//! own item becomes a header that names the generation; after that the pieces of other generations
//! go. A process that is killed in between leaves the old record or the new one, whole; what it
//! leaves over goes with the next write. Two processes that write take turns, see
//! [`SecretStore::exclusive`]: each would take the other's new pieces for left-overs.
//!
//! The header is `secure-token.chunks.v1.GENERATION.COUNT.LENGTH.CHECK`: the generation as 16 and
//! the CRC-32 of the record as 8 hexadecimal digits, the number of pieces and the length of the
//! record in bytes as decimal numbers.

use zeroize::Zeroizing;

use super::{Chunk, Item, Prompts, SecretStore};
use crate::{Account, Error, ErrorCode, Result};

const PREFIX: &str = "secure-token.chunks.v1.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    generation: u64,
    count: u32,
    length: usize,
    check: u32,
}

impl Header {
    fn encode(self) -> String {
        format!(
            "{PREFIX}{:016x}.{}.{}.{:08x}",
            self.generation, self.count, self.length, self.check
        )
    }

    /// `None` where `stored` is not a header but a record.
    fn decode(stored: &[u8]) -> Result<Option<Self>> {
        let Some(fields) = stored.strip_prefix(PREFIX.as_bytes()) else {
            return Ok(None);
        };
        let parse = || {
            let mut fields = std::str::from_utf8(fields).ok()?.split('.');
            let header = Self {
                generation: u64::from_str_radix(fields.next()?, 16).ok()?,
                count: fields.next()?.parse().ok()?,
                length: fields.next()?.parse().ok()?,
                check: u32::from_str_radix(fields.next()?, 16).ok()?,
            };
            (header.encode().as_bytes() == stored).then_some(header)
        };
        parse()
            .map(Some)
            .ok_or_else(|| Error::corrupt("the header of a long record is damaged"))
    }
}

/// What is stored for `account`.
pub(crate) async fn get(
    store: &dyn SecretStore,
    account: &Account,
    prompts: &Prompts,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    if store.max_len().is_none() {
        return store.get(&Item::of(account), prompts).await;
    }
    match read(store, account, prompts).await {
        Err(error) if matches!(error.code(), ErrorCode::Corrupt | ErrorCode::Internal) => {
            // Another process may have replaced the record while its pieces were read: then one is
            // missing, or the store has its own word for what is just being removed.
            let _alone = store.exclusive().await?;
            read(store, account, prompts).await
        }
        answer => answer,
    }
}

async fn read(
    store: &dyn SecretStore,
    account: &Account,
    prompts: &Prompts,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(stored) = store.get(&Item::of(account), prompts).await? else {
        return Ok(None);
    };
    match Header::decode(&stored)? {
        Some(header) => join(store, account, header, prompts).await.map(Some),
        None => Ok(Some(stored)),
    }
}

async fn join(
    store: &dyn SecretStore,
    account: &Account,
    header: Header,
    prompts: &Prompts,
) -> Result<Zeroizing<Vec<u8>>> {
    let damaged = || Error::corrupt("a piece of a long record is missing or damaged");
    let max_len = store.max_len().unwrap_or(usize::MAX);
    if header.length.div_ceil(max_len) != header.count as usize {
        return Err(damaged());
    }
    let mut pieces = Vec::new();
    for index in 0..header.count {
        let item = chunk(account, header.generation, index);
        pieces.push(store.get(&item, prompts).await?.ok_or_else(damaged)?);
    }
    // The header's length is not believed before the pieces are there: it may be damaged. The
    // buffer has its final size from the start: one that grows leaves its old copy unwiped.
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let mut record = Zeroizing::new(Vec::with_capacity(length));
    for piece in pieces {
        record.extend_from_slice(&piece);
    }
    if record.len() == header.length && crc32fast::hash(&record) == header.check {
        Ok(record)
    } else {
        Err(damaged())
    }
}

/// Stores `bytes` for `account`.
pub(crate) async fn set(
    store: &dyn SecretStore,
    account: &Account,
    bytes: &[u8],
    prompts: &Prompts,
) -> Result<()> {
    let head = Item::of(account);
    let Some(max_len) = store.max_len() else {
        return store.set(&head, bytes, prompts).await;
    };
    let _alone = store.exclusive().await?;
    let left_over = pieces(store, account, prompts).await?;
    if bytes.len() <= max_len {
        store.set(&head, bytes, prompts).await?;
    } else {
        let generation = unused_generation(&left_over);
        let mut count = 0;
        for piece in bytes.chunks(max_len) {
            store
                .set(&chunk(account, generation, count), piece, prompts)
                .await?;
            count += 1;
        }
        let header = Header {
            generation,
            count,
            length: bytes.len(),
            check: crc32fast::hash(bytes),
        };
        store
            .set(&head, header.encode().as_bytes(), prompts)
            .await?;
    }
    remove(store, &left_over, prompts).await;
    Ok(())
}

/// Removes what is stored for `account`.
pub(crate) async fn delete(
    store: &dyn SecretStore,
    account: &Account,
    prompts: &Prompts,
) -> Result<()> {
    let head = Item::of(account);
    if store.max_len().is_none() {
        return store.delete(&head, prompts).await;
    }
    let _alone = store.exclusive().await?;
    let left_over = pieces(store, account, prompts).await?;
    store.delete(&head, prompts).await?;
    for piece in left_over {
        store.delete(&piece, prompts).await?;
    }
    Ok(())
}

async fn pieces(
    store: &dyn SecretStore,
    account: &Account,
    prompts: &Prompts,
) -> Result<Vec<Item>> {
    let mut items = store.list(prompts).await?;
    items.retain(|item| item.account == *account && item.chunk.is_some());
    Ok(items)
}

/// The record is written already, so that a piece that stays is no failure of the write: the next
/// write finds it and tries again.
async fn remove(store: &dyn SecretStore, pieces: &[Item], prompts: &Prompts) {
    for piece in pieces {
        if let Err(error) = store.delete(piece, prompts).await {
            log::warn!("a piece of a replaced record stays until the next write: {error}");
        }
    }
}

fn chunk(account: &Account, generation: u64, index: u32) -> Item {
    Item {
        account: account.clone(),
        chunk: Some(Chunk { generation, index }),
    }
}

fn unused_generation(pieces: &[Item]) -> u64 {
    let used = pieces.iter().filter_map(|item| item.chunk);
    used.map(|chunk| chunk.generation)
        .max()
        .map_or(0, |newest| newest.wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::memory::{Fault, MemoryStore};

    const MAX_LEN: usize = 60;

    fn account() -> Account {
        Account::default()
    }

    async fn read(store: &MemoryStore) -> Result<Option<Vec<u8>>> {
        let stored = get(store, &account(), &Prompts::default()).await?;
        Ok(stored.map(|bytes| bytes.to_vec()))
    }

    async fn write(store: &MemoryStore, bytes: &[u8]) -> Result<()> {
        set(store, &account(), bytes, &Prompts::default()).await
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
        delete(&store, &account(), &Prompts::default())
            .await
            .unwrap();
        assert!(store.items_stored().is_empty());
    }
}
