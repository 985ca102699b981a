//! Long records in a store with small items.
//!
//! A long record is cut into pieces of a new generation. When all of them are stored, the account's
//! own item becomes a header that names the generation; after that the pieces of the old one go. A
//! process that is killed in between leaves the old record or the new one, whole. A write that fails
//! removes the pieces that it has stored.
//!
//! A piece that no header names is left over, from a process that was killed or a write that was
//! dropped at its deadline. The next write or clear of the account removes it. A write for which the
//! store has no room removes those of every account, and tries once more.
//!
//! Two processes that write take turns, see [`SecretStore::exclusive`]: each would take the other's
//! new pieces for left-overs.
//!
//! The header is `secure-token.chunks.v1.GENERATION.COUNT.LENGTH.CHECK`: the generation as 16 and
//! the CRC-32 of the record as 8 hexadecimal digits, the number of pieces and the length of the
//! record in bytes as decimal numbers.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::{Chunk, Item, Prompts, SecretStore};
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

const PREFIX: &str = "secure-token.chunks.v1.";

/// What the headers of all versions begin with.
const ANY_VERSION: &str = "secure-token.chunks.";

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

    /// `None` if `stored` is not a header but a record.
    fn decode(stored: &[u8]) -> Result<Option<Self>> {
        if !stored.starts_with(ANY_VERSION.as_bytes()) {
            return Ok(None);
        }
        let parse = || {
            let fields = stored.strip_prefix(PREFIX.as_bytes())?;
            let mut fields = std::str::from_utf8(fields).ok()?.split('.');
            let header = Self {
                generation: u64::from_str_radix(fields.next()?, 16).ok()?,
                count: fields.next()?.parse().ok()?,
                length: fields.next()?.parse().ok()?,
                check: u32::from_str_radix(fields.next()?, 16).ok()?,
            };
            (header.encode().as_bytes() == stored).then_some(header)
        };
        parse().map(Some).ok_or_else(|| {
            Error::corrupt("the header of a long record is damaged, or of a later version")
        })
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
///
/// # Errors
///
/// Any of the store's; then the record is what it was before. `too-large`: the record needs more
/// pieces than [`SecretStore::max_chunks`].
pub(crate) async fn set(
    store: &dyn SecretStore,
    account: &Account,
    bytes: &[u8],
    prompts: &Prompts,
) -> Result<()> {
    let Some(max_len) = store.max_len() else {
        return store.set(&Item::of(account), bytes, prompts).await;
    };
    let needed = bytes.len().div_ceil(max_len);
    if let Some(most) = store.max_chunks()
        && needed > most as usize
    {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!(
                "the record needs {needed} items of the key store, of which it may have {most}"
            ),
        ));
    }
    let _alone = store.exclusive().await?;
    let first = match replace(store, account, bytes, max_len, prompts).await {
        // Perhaps the store is full.
        Err(error) if error.code() == ErrorCode::Unavailable => error,
        written => return written,
    };
    if !make_room(store, prompts).await {
        return Err(first);
    }
    match replace(store, account, bytes, max_len, prompts).await {
        // The first attempt may have changed the record, so no error may say that nothing has changed.
        Err(error) if !error.code().leaves_writes_open() => Err(first),
        written => written,
    }
}

/// Removes what is stored for `account`.
///
/// The account's own item goes first: a process that is killed amid the pieces must not leave a
/// record that is corrupt.
///
/// # Errors
///
/// Any of the store's. If a piece could not be removed, the record is gone nevertheless, and the
/// next clear or write of the account removes the piece. The code then never says that nothing has
/// changed: `locked` becomes `unavailable`, and one that no retry helps `internal`.
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
    let pieces = pieces(store, Some(account), prompts).await?;
    store.delete(&head, prompts).await?;
    remove(store, pieces, prompts).await.map_err(|stayed| {
        let code = match stayed.error.code() {
            code if code.leaves_writes_open() => code,
            code if code.is_retryable() => ErrorCode::Unavailable,
            _ => ErrorCode::Internal,
        };
        Error::new(
            code,
            format!(
                "the record is gone, but {} of its pieces could not be removed; clear it again: {}",
                stayed.pieces.len(),
                stayed.error.message()
            ),
        )
    })
}

/// Writes `bytes` in the place of the record of `account`. Called in a turn.
async fn replace(
    store: &dyn SecretStore,
    account: &Account,
    bytes: &[u8],
    max_len: usize,
    prompts: &Prompts,
) -> Result<()> {
    let pieces = pieces(store, Some(account), prompts).await?;
    let needed_by = if pieces.is_empty() && bytes.len() <= max_len {
        NeededBy::NoRecord
    } else {
        NeededBy::of(store, account, prompts).await
    };
    let generation = unused_generation(&pieces, needed_by);
    let (mut old, left_over): (Vec<_>, _) = pieces
        .into_iter()
        .partition(|piece| needed_by.may_need(piece));
    if let Err(stayed) = remove(store, left_over, prompts).await {
        old.extend(stayed.pieces);
    }
    if bytes.len() <= max_len {
        store.set(&Item::of(account), bytes, prompts).await?;
    } else {
        set_long(store, account, bytes, max_len, generation, prompts).await?;
    }
    // The record is written already: a piece that stays is no failure of the write.
    remove_or_warn(store, old, prompts).await;
    Ok(())
}

/// Writes `bytes` as pieces of `generation`, then the header.
async fn set_long(
    store: &dyn SecretStore,
    account: &Account,
    bytes: &[u8],
    max_len: usize,
    generation: u64,
    prompts: &Prompts,
) -> Result<()> {
    let mut own = Vec::new();
    let mut count = 0;
    for piece in bytes.chunks(max_len) {
        let item = chunk(account, generation, count);
        let written = store.set(&item, piece, prompts).await;
        own.push(item);
        count += 1;
        if let Err(error) = written {
            remove_or_warn(store, own, prompts).await;
            return Err(error);
        }
    }
    let header = Header {
        generation,
        count,
        length: bytes.len(),
        check: crc32fast::hash(bytes),
    }
    .encode();
    let head = Item::of(account);
    let Err(error) = store.set(&head, header.as_bytes(), prompts).await else {
        return Ok(());
    };
    match store.get(&head, prompts).await {
        // The store has written what it reports as failed.
        Ok(Some(stored)) if *stored == header.as_bytes() => Ok(()),
        Ok(_) => {
            remove_or_warn(store, own, prompts).await;
            Err(error)
        }
        // Perhaps the header is stored, and needs the pieces.
        Err(_) => Err(error),
    }
}

/// Removes what is left over of any account; whether there was something. Called in a turn.
async fn make_room(store: &dyn SecretStore, prompts: &Prompts) -> bool {
    let Ok(pieces) = pieces(store, None, prompts).await else {
        return false;
    };
    let accounts: HashSet<_> = pieces.iter().map(|piece| piece.account.clone()).collect();
    let mut left_over = pieces;
    for account in &accounts {
        let needed_by = NeededBy::of(store, account, prompts).await;
        left_over.retain(|piece| piece.account != *account || !needed_by.may_need(piece));
    }
    let found = left_over.len();
    match remove(store, left_over, prompts).await {
        Ok(()) => found > 0,
        Err(stayed) => stayed.pieces.len() < found,
    }
}

/// Which pieces of an account its own item needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NeededBy {
    /// None: nothing is stored, or a record that fits into one item.
    NoRecord,
    /// Those of this generation.
    Generation(u64),
    /// The item cannot be read, or is damaged, or is the header of a later version.
    Unknown,
}

impl NeededBy {
    async fn of(store: &dyn SecretStore, account: &Account, prompts: &Prompts) -> Self {
        let Ok(stored) = store.get(&Item::of(account), prompts).await else {
            return Self::Unknown;
        };
        let Some(stored) = stored else {
            return Self::NoRecord;
        };
        match Header::decode(&stored) {
            Ok(Some(header)) => Self::Generation(header.generation),
            Ok(None) => Self::NoRecord,
            Err(_) => Self::Unknown,
        }
    }

    fn may_need(self, piece: &Item) -> bool {
        match self {
            Self::NoRecord => false,
            Self::Generation(generation) => piece
                .chunk
                .is_some_and(|chunk| chunk.generation == generation),
            Self::Unknown => true,
        }
    }
}

/// The pieces of `account`, or of every account.
async fn pieces(
    store: &dyn SecretStore,
    account: Option<&Account>,
    prompts: &Prompts,
) -> Result<Vec<Item>> {
    let mut items = store.list(prompts).await?;
    items.retain(|item| {
        item.chunk.is_some() && account.is_none_or(|account| item.account == *account)
    });
    Ok(items)
}

/// Pieces that could not be removed, and why the last of them was not.
struct Stayed {
    pieces: Vec<Item>,
    error: Error,
}

/// Removes `pieces`, each of them even if another one cannot be removed.
async fn remove(
    store: &dyn SecretStore,
    pieces: Vec<Item>,
    prompts: &Prompts,
) -> Result<(), Stayed> {
    let mut stayed = Vec::new();
    let mut failure = None;
    for piece in pieces {
        if let Err(error) = store.delete(&piece, prompts).await {
            stayed.push(piece);
            failure = Some(error);
        }
    }
    match failure {
        None => Ok(()),
        Some(error) => Err(Stayed {
            pieces: stayed,
            error,
        }),
    }
}

async fn remove_or_warn(store: &dyn SecretStore, pieces: Vec<Item>, prompts: &Prompts) {
    if let Err(stayed) = remove(store, pieces, prompts).await {
        log::warn!(
            "{} pieces of a record stay until the next write or clear of its account: {}",
            stayed.pieces.len(),
            stayed.error
        );
    }
}

fn chunk(account: &Account, generation: u64, index: u32) -> Item {
    Item {
        account: account.clone(),
        chunk: Some(Chunk { generation, index }),
    }
}

/// The first generation after the newest of `pieces` that no piece and no header has.
fn unused_generation(pieces: &[Item], needed_by: NeededBy) -> u64 {
    let mut used: HashSet<_> = pieces
        .iter()
        .filter_map(|piece| piece.chunk)
        .map(|chunk| chunk.generation)
        .collect();
    if let NeededBy::Generation(generation) = needed_by {
        used.insert(generation);
    }
    let newest = used.iter().max();
    let mut generation = newest.map_or(0, |newest| newest.wrapping_add(1));
    while used.contains(&generation) {
        generation = generation.wrapping_add(1);
    }
    generation
}

#[cfg(test)]
mod tests;
