//! The heart: order, memory copy, revisions, deadlines and notices, above any store.

mod deadline;
pub(crate) mod envelope;
#[cfg(any(desktop, test))]
mod renamed;
mod slot;
pub(crate) mod watch;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::maybe_done, poll};
use zeroize::Zeroizing;

pub use self::watch::{Notice, Watch};
use self::{
    deadline::Deadline,
    slot::{AtRest, ReadingEnd, SharedRead, Slot, Slots},
    watch::Watchers,
};
use crate::{
    error::{Error, ErrorCode, Result},
    processes::{AccountLock, Processes, Stamp},
    record::Record,
    store::{Prompts, SecretStore, StoreInfo, StoreState, chunked},
    sync::lock,
    task,
    token::Account,
};

/// A record as it was read, with the revision of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// What the account stores.
    pub record: Record,
    /// The revision that a write may demand, see [`SecureToken::set_token`].
    ///
    /// [`SecureToken::set_token`]: crate::SecureToken::set_token
    pub revision: u64,
}

/// A [`StoredRecord`] that shares the copy in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) record: Arc<Record>,
    pub(crate) revision: u64,
    pub(crate) login: LoginMark,
}

/// Which login the record in the store is of: two records of one account with one mark are of one login.
/// `None` if there are no other processes, or none of them can be understood.
pub(crate) type LoginMark = Option<u64>;

impl From<Stored> for StoredRecord {
    fn from(stored: Stored) -> Self {
        Self {
            record: Arc::unwrap_or_clone(stored.record),
            revision: stored.revision,
        }
    }
}

/// What a change of a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangedBy {
    /// Another login, or the end of one.
    Login,
    /// A refresh: the record is of the same login as the one before.
    Rotation,
}

/// What the store held when it was asked, whatever the copy in memory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtRestNow {
    pub(crate) record: Option<Arc<Record>>,
    pub(crate) revision: u64,
    pub(crate) login: LoginMark,
}

impl AtRestNow {
    /// An account that nobody has ever used.
    pub(crate) const NOTHING: Self = Self {
        record: None,
        revision: 0,
        login: None,
    };
}

impl From<Stored> for AtRestNow {
    fn from(stored: Stored) -> Self {
        Self {
            record: Some(stored.record),
            revision: stored.revision,
            login: stored.login,
        }
    }
}

/// A write that the store has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) revision: u64,
    pub(crate) login: LoginMark,
}

/// The records of one app.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Inner>);

struct Inner {
    store: Arc<dyn SecretStore>,
    limit: Duration,
    memory_copy: bool,
    slots: Slots,
    prompts: Arc<Prompts>,
    watchers: Watchers,
    processes: Processes,
}

impl Vault {
    /// The records of an app that has one process.
    pub(crate) fn new(store: Arc<dyn SecretStore>, limit: Duration, memory_copy: bool) -> Self {
        Self::shared(store, limit, memory_copy, Processes::none())
    }

    /// The records that `processes` share.
    pub(crate) fn shared(
        store: Arc<dyn SecretStore>,
        limit: Duration,
        memory_copy: bool,
        processes: Processes,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            limit,
            memory_copy,
            slots: Slots::default(),
            prompts: Arc::default(),
            watchers: Watchers::default(),
            processes,
        }))
    }

    /// The record of `account`, from memory if there is a copy. It is at least as new as every write
    /// that was acknowledged before this was called.
    pub(crate) async fn get(&self, account: &Account) -> Result<Option<StoredRecord>> {
        Ok(self.get_shared(account).await?.map(StoredRecord::from))
    }

    /// As [`get`](Self::get), without a copy of the record.
    pub(crate) async fn get_shared(&self, account: &Account) -> Result<Option<Stored>> {
        let slot = self.slot(account);
        let reading = {
            let mut state = lock(&slot.state);
            if let Some(stored) = state.stored() {
                return Ok(Some(stored));
            }
            match state.joinable_read() {
                Some(reading) => reading,
                None => state.begin_read(&slot, |end| self.start_read(account, &slot, end)),
            }
        };
        reading.await
    }

    fn start_read(&self, account: &Account, slot: &Arc<Slot>, end: ReadingEnd) -> SharedRead {
        let (inner, account, slot) = (self.0.clone(), account.clone(), slot.clone());
        let deadline = inner.deadline();
        let task = task::spawn(async move {
            let _end = end;
            let read = inner.read(&account, &slot);
            deadline.limit(read, &slot.prompts).await?
        });
        // A store that panics ends the task.
        task.map(|joined| joined.unwrap_or_else(|_| Err(stopped())))
            .boxed()
            .shared()
    }

    /// Reads the store itself, past the copy in memory. A record that another process has changed gets a
    /// new revision, and its watchers are notified.
    pub(crate) async fn reread(&self, account: &Account) -> Result<AtRestNow> {
        let (inner, account, slot) = (self.0.clone(), account.clone(), self.slot(account));
        let deadline = inner.deadline();
        spawn(async move {
            let reread = async {
                let _turn = slot.order.lock().await;
                inner.reread(&account, &slot).await
            };
            let now = deadline.limit(reread, &slot.prompts).await??;
            Ok(inner.tell_of(&account, now))
        })
        .await
    }

    /// Whether another process has changed `account` since this one read or wrote it.
    pub(crate) fn is_behind(&self, account: &Account) -> bool {
        // A stamp that cannot be read at this moment is not the one that is known.
        self.0.processes.are_possible()
            && lock(&self.slot(account).state).stamp != self.0.processes.stamp(account)
    }

    /// Stores `record` and returns the new revision.
    pub(crate) async fn set(
        &self,
        account: &Account,
        record: Record,
        if_revision: Option<u64>,
    ) -> Result<u64> {
        let set = self.set_shared(account, Arc::new(record), if_revision, ChangedBy::Login);
        Ok(set.await?.revision)
    }

    /// As [`set`](Self::set), without a copy of the record.
    pub(crate) async fn set_shared(
        &self,
        account: &Account,
        record: Arc<Record>,
        if_revision: Option<u64>,
        by: ChangedBy,
    ) -> Result<Acknowledged> {
        let bytes = envelope::encode(&record)?;
        let change = Change::Set { record, bytes, by };
        self.write(account, if_revision, change).await
    }

    /// Removes the record of `account` and returns the new revision.
    pub(crate) async fn clear(&self, account: &Account, if_revision: Option<u64>) -> Result<u64> {
        Ok(self.clear_shared(account, if_revision).await?.revision)
    }

    /// As [`clear`](Self::clear), for the owner of the session.
    pub(crate) async fn clear_shared(
        &self,
        account: &Account,
        if_revision: Option<u64>,
    ) -> Result<Acknowledged> {
        self.write(account, if_revision, Change::Clear).await
    }

    async fn write(
        &self,
        account: &Account,
        if_revision: Option<u64>,
        change: Change,
    ) -> Result<Acknowledged> {
        let (inner, account, slot) = (self.0.clone(), account.clone(), self.slot(account));
        let deadline = inner.deadline();
        // Queued before the task starts, so that writes keep the order in which they were asked for.
        let mut turn = Box::pin(maybe_done(slot.order.clone().lock_owned()));
        let _ = poll!(&mut turn);
        spawn(async move {
            // A write that never gets its turn has changed nothing.
            deadline.limit(turn.as_mut(), &slot.prompts).await?;
            let turn = turn.as_mut().take_output();
            let written = inner
                .write(&account, &slot, if_revision, change, deadline)
                .await?;
            // A listener may take its time, or write.
            drop(turn);
            inner.watchers.tell(&Notice {
                account,
                revision: written.revision,
                present: written.present,
            });
            written.result
        })
        .await
    }

    /// The accounts that hold a record.
    pub(crate) async fn list(&self) -> Result<Vec<Account>> {
        let inner = self.0.clone();
        spawn(async move {
            let prompts = inner.prompts.part();
            let list = inner.store.list(&prompts);
            let items = inner.deadline().limit(list, &prompts).await??;
            let heads = items.into_iter().filter(|item| item.chunk.is_none());
            let mut accounts: Vec<_> = heads
                .map(|item| item.account)
                .filter(|account| !account.is_internal())
                .collect();
            accounts.sort();
            // Another program can make an item twice.
            accounts.dedup();
            Ok(accounts)
        })
        .await
    }

    /// What the store is and how it is now.
    pub(crate) async fn info(&self) -> Result<StoreInfo> {
        let inner = self.0.clone();
        spawn(async move {
            let info = inner.deadline().limit(inner.store.info(), &inner.prompts);
            Ok(info.await.unwrap_or_else(|error| {
                let state = match error.code() {
                    ErrorCode::Locked => StoreState::Locked,
                    _ => StoreState::Unavailable,
                };
                let mut info = StoreInfo::new("unknown", state);
                info.detail = error.message().into();
                info
            }))
        })
        .await
    }

    /// Fills the memory copy of `account` in the background, for the first `get` of the page.
    pub(crate) fn prefetch(&self, account: Account) {
        let vault = self.clone();
        task::spawn(async move {
            if let Err(error) = vault.get(&account).await {
                log::warn!("the token could not be read ahead: {error}");
            }
        });
    }

    /// Calls `listener` after every change, until the returned [`Watch`] is dropped. It must not block.
    pub(crate) fn watch(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Watch {
        self.0.watchers.add(listener)
    }

    #[cfg(test)]
    pub(crate) fn watches(&self) -> usize {
        self.0.watchers.len()
    }

    fn slot(&self, account: &Account) -> Arc<Slot> {
        self.0.slots.of(account, &self.0.prompts)
    }
}

/// What a write does.
enum Change {
    Set {
        record: Arc<Record>,
        bytes: Zeroizing<Vec<u8>>,
        by: ChangedBy,
    },
    Clear,
}

/// A write that happened, or may have.
struct Written {
    revision: u64,
    /// Whether the account may hold a record now.
    present: bool,
    result: Result<Acknowledged>,
}

impl Inner {
    fn deadline(&self) -> Deadline {
        Deadline::start(self.limit)
    }

    async fn read(&self, account: &Account, slot: &Slot) -> Result<Option<Stored>> {
        let turn = slot.order.lock().await;
        if let Some(stored) = lock(&slot.state).stored() {
            return Ok(Some(stored));
        }
        let now = self.reread(account, slot).await?;
        drop(turn);
        let AtRestNow {
            record,
            revision,
            login,
        } = self.tell_of(account, now);
        Ok(record.map(|record| Stored {
            record,
            revision,
            login,
        }))
    }

    /// Notifies the watchers if the record was changed by another process.
    fn tell_of(&self, account: &Account, (now, changed): (AtRestNow, bool)) -> AtRestNow {
        if changed {
            self.watchers.tell(&Notice {
                account: account.clone(),
                revision: now.revision,
                present: now.record.is_some(),
            });
        }
        now
    }

    /// Called with the order of `slot` held. Returns whether another process has changed the record
    /// since this one knew it.
    async fn reread(&self, account: &Account, slot: &Slot) -> Result<(AtRestNow, bool)> {
        // Before the read: a change that comes in between is then found by the next look.
        let before = self.processes.stamp(account);
        let bytes = chunked::get(&*self.store, account, &slot.prompts).await?;
        // After the read: a login is announced before its record is written.
        let after = self.processes.stamp(account);
        let at_rest = AtRest::of(bytes.as_ref().map(|bytes| bytes.as_slice()));
        let record = bytes
            .map(|bytes| envelope::decode(&bytes).map(Arc::new))
            .transpose()?;
        let mut state = lock(&slot.state);
        let changed = state.at_rest != AtRest::NotKnown && state.at_rest != at_rest;
        if changed {
            state.revision += 1;
            state.copy = None;
        }
        if !state.unsettled {
            state.at_rest = at_rest;
            if self.memory_copy {
                state.copy.clone_from(&record);
            }
        }
        state.stamp = before.zip(after).map(|(before, after)| Stamp {
            change: before.change,
            login: after.login,
        });
        let now = AtRestNow {
            record,
            revision: state.revision,
            login: state.login(),
        };
        Ok((now, changed))
    }

    /// Keeps other processes from writing until the returned lock is dropped. Files that cannot be used
    /// keep nobody from writing: then the processes are not in step.
    async fn keep_others_out(
        &self,
        account: &Account,
        deadline: Deadline,
    ) -> Result<Option<AccountLock>> {
        match self.processes.lock(account, deadline.left()).await {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if error.code() == ErrorCode::Timeout => Err(error),
            Err(error) => {
                log::warn!("other processes of the app do not hear of a change: {error}");
                Ok(None)
            }
        }
    }

    /// Called with the order of `slot` held. An error says that nothing has changed.
    async fn write(
        &self,
        account: &Account,
        slot: &Slot,
        if_revision: Option<u64>,
        change: Change,
        deadline: Deadline,
    ) -> Result<Written> {
        if if_revision.is_some_and(|demanded| demanded != lock(&slot.state).revision) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "the account was changed since that revision",
            ));
        }
        let mut others = if self.processes.are_possible() {
            self.keep_others_out(account, deadline).await?
        } else {
            None
        };
        if if_revision.is_some() && others.is_some() {
            let reread = self.reread(account, slot);
            let (now, changed) = deadline.limit(reread, &slot.prompts).await??;
            if changed {
                self.tell_of(account, (now, changed));
                return Err(Error::new(
                    ErrorCode::Conflict,
                    "another process has changed the account since that revision",
                ));
            }
        }
        let is_login = !matches!(
            &change,
            Change::Set {
                by: ChangedBy::Rotation,
                ..
            }
        );
        // Before and after the write: who reads in between must take neither record for a rotation of the
        // other.
        if is_login {
            tell_others(&mut others, true);
        }
        let store = async {
            match &change {
                Change::Set { bytes, .. } => {
                    chunked::set(&*self.store, account, bytes, &slot.prompts).await
                }
                Change::Clear => chunked::delete(&*self.store, account, &slot.prompts).await,
            }
        };
        let store = AssertUnwindSafe(store).catch_unwind();
        let result = match deadline.limit(store, &slot.prompts).await {
            Ok(Ok(Err(error))) if !error.code().leaves_writes_open() => return Err(error),
            Ok(result) => result.unwrap_or_else(|_| Err(stopped())),
            Err(late) => Err(late),
        };

        tell_others(&mut others, is_login);
        let mut state = lock(&slot.state);
        if result.is_ok() {
            state.stamp = others.as_ref().map(|lock| lock.mark().stamp);
        }
        Ok(match result {
            Ok(()) => {
                let (record, at_rest) = match change {
                    Change::Set { record, bytes, .. } => {
                        (Some(record), AtRest::of(Some(bytes.as_slice())))
                    }
                    Change::Clear => (None, AtRest::Nothing),
                };
                let present = record.is_some();
                let revision = state.settle(record.filter(|_| self.memory_copy), at_rest);
                Written {
                    revision,
                    present,
                    result: Ok(Acknowledged {
                        revision,
                        login: state.login(),
                    }),
                }
            }
            Err(error) => Written {
                revision: state.unsettle(),
                present: true,
                result: Err(error),
            },
        })
    }
}

/// Tells the other processes that something has changed.
fn tell_others(others: &mut Option<AccountLock>, is_login: bool) {
    if let Some(lock) = others
        && let Err(error) = lock.committed(is_login)
    {
        log::warn!("other processes of the app do not hear of a change: {error}");
    }
}

/// Runs `call` to its end even if the caller goes away in between: a write that is half done
/// must not leave the memory copy behind. It also gives callers outside the runtime its timers.
async fn spawn<T: Send + 'static>(
    call: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    task::spawn(call).await.unwrap_or_else(|_| Err(stopped()))
}

fn stopped() -> Error {
    Error::internal("the call to the store was stopped")
}

#[cfg(test)]
mod tests;
