//! What the vault knows of each account: its order, its revision, its copy in memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{Arc, LazyLock, Mutex},
};

use futures_util::future::Shared;

use super::{LoginMark, Stored};
use crate::{
    error::Result, processes::Stamp, record::Record, store::Prompts, sync::lock, token::Account,
};

/// A read that is under way, for everybody who asks meanwhile: an unlock prompt that was dismissed
/// is not shown once for each of them.
pub(super) type SharedRead = Shared<Pin<Box<dyn Future<Output = Result<Option<Stored>>> + Send>>>;

/// What the vault knows of one account.
pub(super) struct Slot {
    /// Held by the call that talks to the store, so that the calls of one account have an order.
    pub(super) order: Arc<tokio::sync::Mutex<()>>,
    pub(super) state: Mutex<State>,
    /// The prompts of the call that holds the order.
    pub(super) prompts: Prompts,
}

#[derive(Default)]
pub(super) struct State {
    /// Counts the changes, and what may have been one.
    pub(super) revision: u64,
    pub(super) copy: Option<Arc<Record>>,
    /// What the store held when it was last read or written.
    pub(super) at_rest: AtRest,
    /// The stamp of the other processes at that time.
    pub(super) stamp: Option<Stamp>,
    /// The last write has no known outcome and may still reach the store, so no read is kept in memory.
    pub(super) unsettled: bool,
    reading: Option<Reading>,
    reads: u64,
}

/// What is known of the bytes that the store holds. It keeps a digest of them, and no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum AtRest {
    #[default]
    NotKnown,
    Nothing,
    Bytes(u64),
}

impl AtRest {
    pub(super) fn of(bytes: Option<&[u8]>) -> Self {
        static DIGEST: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        bytes.map_or(Self::Nothing, |bytes| Self::Bytes(DIGEST.hash_one(bytes)))
    }
}

struct Reading {
    id: u64,
    /// The revision at which the read began. After a change nobody joins it.
    revision: u64,
    result: SharedRead,
}

impl State {
    /// Which login the record in the store is of.
    pub(super) fn login(&self) -> LoginMark {
        self.stamp.map(|stamp| stamp.login)
    }

    /// The copy in memory.
    pub(super) fn stored(&self) -> Option<Stored> {
        let copy = self.copy.as_ref()?;
        Some(Stored {
            record: copy.clone(),
            revision: self.revision,
            login: self.login(),
        })
    }

    /// The read under way, if nothing has changed since it began.
    pub(super) fn joinable_read(&self) -> Option<SharedRead> {
        let reading = self.reading.as_ref()?;
        (reading.revision == self.revision).then(|| reading.result.clone())
    }

    /// Keeps the read that `start` starts for others to join, until the [`ReadingEnd`] that `start` is
    /// given is dropped.
    pub(super) fn begin_read(
        &mut self,
        slot: &Arc<Slot>,
        start: impl FnOnce(ReadingEnd) -> SharedRead,
    ) -> SharedRead {
        self.reads += 1;
        let id = self.reads;
        let result = start(ReadingEnd {
            slot: slot.clone(),
            id,
        });
        self.reading = Some(Reading {
            id,
            revision: self.revision,
            result: result.clone(),
        });
        result
    }

    /// The store has carried out a write of `at_rest`; `copy` is what memory keeps of it.
    pub(super) fn settle(&mut self, copy: Option<Arc<Record>>, at_rest: AtRest) -> u64 {
        self.copy = copy;
        self.at_rest = at_rest;
        self.unsettled = false;
        self.revision += 1;
        self.revision
    }

    /// A write may or may not have happened: only the store knows what the record is now.
    pub(super) fn unsettle(&mut self) -> u64 {
        self.copy = None;
        self.at_rest = AtRest::NotKnown;
        self.unsettled = true;
        self.revision += 1;
        self.revision
    }
}

/// Ends a read when it is dropped, however the read ended: who asks later asks the store.
pub(super) struct ReadingEnd {
    slot: Arc<Slot>,
    id: u64,
}

impl Drop for ReadingEnd {
    fn drop(&mut self) {
        let mut state = lock(&self.slot.state);
        if state.reading.as_ref().is_some_and(|now| now.id == self.id) {
            state.reading = None;
        }
    }
}

/// How many slots are kept before those that nobody uses are removed.
const KEPT: usize = 1024;

/// The slots of all accounts.
pub(super) struct Slots(Mutex<Map>);

struct Map {
    by_account: HashMap<Account, Arc<Slot>>,
    sweep_at: usize,
    /// Where a new slot starts: no slot that was removed was further, so that no revision comes twice.
    start_revision: u64,
    start_unsettled: bool,
}

impl Default for Slots {
    fn default() -> Self {
        Self(Mutex::new(Map {
            by_account: HashMap::new(),
            sweep_at: KEPT,
            start_revision: 0,
            start_unsettled: false,
        }))
    }
}

impl Slots {
    /// The slot of `account`, whose prompts count among `all_prompts` too.
    pub(super) fn of(&self, account: &Account, all_prompts: &Arc<Prompts>) -> Arc<Slot> {
        let mut map = lock(&self.0);
        if let Some(slot) = map.by_account.get(account) {
            return slot.clone();
        }
        if map.by_account.len() >= map.sweep_at {
            map.sweep();
        }
        let slot = Arc::new(Slot {
            order: Arc::default(),
            state: Mutex::new(State {
                revision: map.start_revision,
                unsettled: map.start_unsettled,
                ..State::default()
            }),
            prompts: all_prompts.part(),
        });
        map.by_account.insert(account.clone(), slot.clone());
        slot
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.0).by_account.len()
    }
}

impl Map {
    /// Removes the slots that hold no record and that no call uses. Without this, every name that was
    /// ever asked for would take memory for as long as the process lives.
    fn sweep(&mut self) {
        let (mut revision, mut unsettled) = (self.start_revision, self.start_unsettled);
        self.by_account.retain(|_, slot| {
            let state = lock(&slot.state);
            let is_used = Arc::strong_count(slot) > 1 || state.copy.is_some();
            if !is_used {
                revision = revision.max(state.revision);
                unsettled |= state.unsettled;
            }
            is_used
        });
        self.start_revision = revision;
        self.start_unsettled = unsettled;
        self.sweep_at = KEPT.max(2 * self.by_account.len());
    }
}
