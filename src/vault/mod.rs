//! The heart: order, memory copy, revisions, deadlines and notices, above any store.

use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Shared, maybe_done},
    poll,
};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{
    Account, Error, ErrorCode, Notice, Record, Result, StoreInfo, StoreState, Watch, envelope,
    store::{Prompts, SecretStore, chunked},
    sync::lock,
    watch::Watchers,
};

/// A record as it was read, with the revision of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// What the account stores.
    pub record: Record,
    /// The revision that a write may demand, see [`SecureToken::set_token`].
    ///
    /// [`SecureToken::set_token`]: crate::SecureToken::set_token
    pub revision: u64,
}

/// The records of one app.
#[derive(Clone)]
pub(crate) struct Vault(Arc<Inner>);

struct Inner {
    store: Arc<dyn SecretStore>,
    deadline: Duration,
    memory_copy: bool,
    slots: Mutex<HashMap<Account, Arc<Slot>>>,
    prompts: Prompts,
    watchers: Watchers,
}

/// What the vault knows of one account.
#[derive(Default)]
struct Slot {
    /// Held by the call that talks to the store, so that the calls of one account have an order.
    order: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<SlotState>,
}

#[derive(Default)]
struct SlotState {
    revision: u64,
    copy: Option<Arc<Record>>,
    reading: Option<Reading>,
}

/// A read that is under way. Everybody who asks meanwhile gets its answer: an unlock prompt that was
/// dismissed is not shown once for each of them.
type Reading = Shared<Pin<Box<dyn Future<Output = Result<Option<StoredRecord>>> + Send>>>;

impl Vault {
    pub(crate) fn new(store: Arc<dyn SecretStore>, deadline: Duration, memory_copy: bool) -> Self {
        Self(Arc::new(Inner {
            store,
            deadline,
            memory_copy,
            slots: Mutex::default(),
            prompts: Prompts::default(),
            watchers: Watchers::default(),
        }))
    }

    /// The record of `account`, from memory where there is a copy.
    pub(crate) async fn get(&self, account: &Account) -> Result<Option<StoredRecord>> {
        let slot = self.slot(account);
        let reading = {
            let mut state = lock(&slot.state);
            if let Some(stored) = state.stored() {
                return Ok(Some(stored));
            }
            match &state.reading {
                Some(reading) => reading.clone(),
                None => state.reading.insert(self.read(account, &slot)).clone(),
            }
        };
        reading.await
    }

    fn read(&self, account: &Account, slot: &Arc<Slot>) -> Reading {
        let (inner, account, slot) = (self.0.clone(), account.clone(), slot.clone());
        let stopped_slot = slot.clone();
        let task = tauri::async_runtime::spawn(async move {
            let answer = inner.within_deadline(inner.read(&account, &slot)).await;
            if answer.is_err() {
                lock(&slot.state).reading = None;
            }
            answer
        });
        task.map(move |joined| {
            joined.unwrap_or_else(|_| {
                // The store has panicked, and the read with it: the next one asks again.
                lock(&stopped_slot.state).reading = None;
                Err(stopped())
            })
        })
        .boxed()
        .shared()
    }

    /// Stores `record` and answers the new revision.
    pub(crate) async fn set(
        &self,
        account: &Account,
        record: Record,
        if_revision: Option<u64>,
    ) -> Result<u64> {
        let bytes = envelope::encode(&record)?;
        self.write(account, if_revision, Change::Set { record, bytes })
            .await
    }

    /// Removes the record of `account` and answers the new revision.
    pub(crate) async fn clear(&self, account: &Account, if_revision: Option<u64>) -> Result<u64> {
        self.write(account, if_revision, Change::Clear).await
    }

    async fn write(
        &self,
        account: &Account,
        if_revision: Option<u64>,
        change: Change,
    ) -> Result<u64> {
        let (inner, account, slot) = (self.0.clone(), account.clone(), self.slot(account));
        // Queued before the task starts, so that writes keep the order in which they were asked for.
        let mut order = Box::pin(maybe_done(slot.order.clone().lock_owned()));
        let _ = poll!(&mut order);
        spawn(async move {
            let write = async {
                order.as_mut().await;
                let _order = order.as_mut().take_output();
                inner.write(&account, &slot, if_revision, change).await
            };
            let answer = inner.within_deadline(write).await;
            if matches!(&answer, Err(error) if error.code() == ErrorCode::Timeout) {
                // The store may still carry the write out: only it knows what the record is now.
                lock(&slot.state).copy = None;
            }
            answer
        })
        .await
    }

    /// The accounts that hold a record.
    pub(crate) async fn list(&self) -> Result<Vec<Account>> {
        let inner = self.0.clone();
        spawn(async move {
            let list = inner.store.list(&inner.prompts);
            let items = inner.within_deadline(list).await?;
            let heads = items.into_iter().filter(|item| item.chunk.is_none());
            let mut accounts: Vec<_> = heads.map(|item| item.account).collect();
            accounts.sort();
            Ok(accounts)
        })
        .await
    }

    /// What the store is and how it is now.
    pub(crate) async fn info(&self) -> Result<StoreInfo> {
        let inner = self.0.clone();
        spawn(async move {
            let info = inner.store.info();
            let answer = inner.within_deadline(async { Ok(info.await) }).await;
            answer.or_else(|error| {
                let state = match error.code() {
                    ErrorCode::Locked => StoreState::Locked,
                    ErrorCode::Timeout => StoreState::Unavailable,
                    _ => return Err(error),
                };
                Ok(StoreInfo {
                    store: "unknown".into(),
                    persistent: false,
                    durable: false,
                    hardware: false,
                    state,
                    detail: error.message().into(),
                })
            })
        })
        .await
    }

    /// Fills the memory copy of `account` in the background, for the first `get` of the page.
    pub(crate) fn prefetch(&self, account: Account) {
        let vault = self.clone();
        tauri::async_runtime::spawn(async move {
            if let Err(error) = vault.get(&account).await {
                log::warn!("the token could not be read ahead: {error}");
            }
        });
    }

    /// Tells `listener` about every change, until the answer is dropped.
    pub(crate) fn watch(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Watch {
        self.0.watchers.add(listener)
    }

    #[cfg(test)]
    pub(crate) fn watches(&self) -> usize {
        self.0.watchers.len()
    }

    fn slot(&self, account: &Account) -> Arc<Slot> {
        let mut slots = lock(&self.0.slots);
        match slots.get(account) {
            Some(slot) => slot.clone(),
            None => slots.entry(account.clone()).or_default().clone(),
        }
    }
}

/// What a write does.
enum Change {
    Set {
        record: Record,
        bytes: Zeroizing<Vec<u8>>,
    },
    Clear,
}

impl Inner {
    async fn read(&self, account: &Account, slot: &Slot) -> Result<Option<StoredRecord>> {
        let _order = slot.order.lock().await;
        if let Some(stored) = lock(&slot.state).stored() {
            return Ok(Some(stored));
        }
        let answer = chunked::get(&*self.store, account, &self.prompts).await;

        // Ended before the order is given free: who asks after a later write must not get this.
        let mut state = lock(&slot.state);
        state.reading = None;
        let Some(bytes) = answer? else {
            return Ok(None);
        };
        let record = envelope::decode(&bytes)?;
        if self.memory_copy {
            state.copy = Some(Arc::new(record.clone()));
        }
        Ok(Some(StoredRecord {
            record,
            revision: state.revision,
        }))
    }

    /// Called with the order of `slot` held.
    async fn write(
        &self,
        account: &Account,
        slot: &Slot,
        if_revision: Option<u64>,
        change: Change,
    ) -> Result<u64> {
        if if_revision.is_some_and(|demanded| demanded != lock(&slot.state).revision) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "the account was changed since that revision",
            ));
        }
        let copy = match change {
            Change::Set { record, bytes } => {
                chunked::set(&*self.store, account, &bytes, &self.prompts).await?;
                Some(record)
            }
            Change::Clear => {
                chunked::delete(&*self.store, account, &self.prompts).await?;
                None
            }
        };

        let present = copy.is_some();
        let revision = {
            let mut state = lock(&slot.state);
            state.copy = copy.filter(|_| self.memory_copy).map(Arc::new);
            state.revision += 1;
            state.revision
        };
        self.watchers.tell(&Notice {
            account: account.clone(),
            revision,
            present,
        });
        Ok(revision)
    }

    /// The answer of `call`, or `locked` or `timeout` at the deadline; then `call` is dropped, and
    /// with it its late answer.
    async fn within_deadline<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let mut call = pin!(timeout(self.deadline, call));
        match call.as_mut().await {
            Ok(answer) => answer,
            // `call` is not dropped yet, so that its own prompt still counts.
            Err(_) if self.prompts.any_open() => Err(Error::new(
                ErrorCode::Locked,
                "the unlock prompt was not answered in time",
            )),
            Err(_) => Err(Error::new(
                ErrorCode::Timeout,
                "the store did not answer within the deadline",
            )),
        }
    }
}

impl SlotState {
    fn stored(&self) -> Option<StoredRecord> {
        let copy = self.copy.as_ref()?;
        Some(StoredRecord {
            record: Record::clone(copy),
            revision: self.revision,
        })
    }
}

/// Runs `call` to its end even where the caller goes away in between: a write that is half done
/// must not leave the memory copy behind. It also gives callers outside the runtime its timers.
async fn spawn<T: Send + 'static>(
    call: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tauri::async_runtime::spawn(call)
        .await
        .unwrap_or_else(|_| Err(stopped()))
}

fn stopped() -> Error {
    Error::internal("the call to the store was stopped")
}

#[cfg(test)]
mod tests;
