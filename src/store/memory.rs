//! A store in memory whose faults are set by the test: for this crate's tests and for those of apps.
//!
//! ```
//! use std::sync::Arc;
//! use tauri_plugin_secure_token::{Builder, ErrorCode, store::memory::{Fault, MemoryStore}};
//!
//! let store = Arc::new(MemoryStore::default());
//! let plugin = Builder::new().store(store.clone()).build::<tauri::Wry>();
//! // How does the app behave when the keyring is locked?
//! store.inject(Fault::Fails(ErrorCode::Locked));
//! # drop(plugin);
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{Exclusive, Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{
    error::{Error, ErrorCode, Result},
    sync::lock,
};

/// What goes wrong in a [`MemoryStore`], from [`inject`](MemoryStore::inject) on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Every call fails with this code and changes nothing.
    Fails(ErrorCode),
    /// So many calls succeed, then every call fails with this code.
    FailsAfter(usize, ErrorCode),
    /// Every call takes this long.
    Slow(Duration),
    /// No call answers until the fault is taken away; then they go on.
    Hangs,
    /// As `Hangs`, for an unlock prompt that waits for a person.
    Prompts,
}

/// A store in memory. What it holds is gone with it.
#[derive(Debug)]
pub struct MemoryStore {
    items: Mutex<HashMap<Item, Zeroizing<Vec<u8>>>>,
    fault: watch::Sender<Option<Fault>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    max_len: Option<usize>,
    room: Mutex<Option<usize>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            fault: watch::Sender::new(None),
            turn: Arc::default(),
            max_len: None,
            room: Mutex::default(),
        }
    }
}

impl MemoryStore {
    /// A store whose items hold at most `max_len` bytes, as those of Windows do.
    #[must_use]
    pub fn with_max_len(max_len: usize) -> Self {
        Self {
            max_len: Some(max_len),
            ..Self::default()
        }
    }

    /// Lets the store hold at most `items` items from now on, as the Credential Manager of Windows
    /// does: a write of a further one fails with [`ErrorCode::Unavailable`]. `None` lifts the limit.
    pub fn set_room(&self, items: Option<usize>) {
        *lock(&self.room) = items;
    }

    /// Makes every call from now on go wrong in this way.
    pub fn inject(&self, fault: Fault) {
        self.fault.send_replace(Some(fault));
    }

    /// Takes the fault away; calls that hang go on.
    pub fn heal(&self) {
        self.fault.send_replace(None);
    }

    /// How many calls wait for [`heal`](Self::heal) now: a test that wants a call to be under way
    /// waits for it to be counted here.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.fault.receiver_count()
    }

    /// The bytes stored under `item`, past any fault.
    #[must_use]
    pub fn peek(&self, item: &Item) -> Option<Vec<u8>> {
        self.items().get(item).map(|bytes| bytes.to_vec())
    }

    /// Stores `bytes` under `item`, past any fault and any limit.
    pub fn poke(&self, item: Item, bytes: impl Into<Vec<u8>>) {
        self.items().insert(item, Zeroizing::new(bytes.into()));
    }

    /// Every item, in no particular order, past any fault.
    #[must_use]
    pub fn items_stored(&self) -> Vec<Item> {
        self.items().keys().cloned().collect()
    }

    fn items(&self) -> MutexGuard<'_, HashMap<Item, Zeroizing<Vec<u8>>>> {
        lock(&self.items)
    }

    async fn fail(&self, prompts: &Prompts) -> Result<()> {
        let fault = *self.fault.borrow();
        match fault {
            None => Ok(()),
            Some(Fault::Fails(code) | Fault::FailsAfter(0, code)) => {
                Err(Error::new(code, "a fault of the test"))
            }
            Some(Fault::FailsAfter(calls, code)) => {
                self.fault
                    .send_replace(Some(Fault::FailsAfter(calls - 1, code)));
                Ok(())
            }
            Some(Fault::Slow(duration)) => {
                tokio::time::sleep(duration).await;
                Ok(())
            }
            Some(fault @ Fault::Hangs) => {
                self.gone(fault).await;
                Ok(())
            }
            Some(fault @ Fault::Prompts) => {
                prompts.waiting(self.gone(fault)).await;
                Ok(())
            }
        }
    }

    async fn gone(&self, fault: Fault) {
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = self
            .fault
            .subscribe()
            .wait_for(|now| *now != Some(fault))
            .await;
    }
}

#[async_trait]
impl SecretStore for MemoryStore {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.fail(prompts).await?;
        Ok(self.items().get(item).cloned())
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        self.fail(prompts).await?;
        if self.max_len.is_some_and(|max_len| bytes.len() > max_len) {
            return Err(Error::internal("the item is too long for the store"));
        }
        let room = *lock(&self.room);
        let mut items = self.items();
        if room.is_some_and(|room| items.len() >= room) && !items.contains_key(item) {
            return Err(Error::new(ErrorCode::Unavailable, "the store is full"));
        }
        items.insert(item.clone(), Zeroizing::new(bytes.to_vec()));
        Ok(())
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        self.fail(prompts).await?;
        self.items().remove(item);
        Ok(())
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        self.fail(prompts).await?;
        Ok(self.items_stored())
    }

    async fn info(&self) -> StoreInfo {
        let state = match *self.fault.borrow() {
            Some(Fault::Fails(ErrorCode::Locked) | Fault::Prompts) => StoreState::Locked,
            Some(Fault::Fails(_) | Fault::Hangs) => StoreState::Unavailable,
            _ => StoreState::Available,
        };
        StoreInfo {
            store: "memory".into(),
            persistent: false,
            durable: false,
            hardware: false,
            state,
            detail: "for tests".into(),
        }
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        Ok(Exclusive::new(self.turn.clone().lock_owned().await))
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn max_len(&self) -> Option<usize> {
        self.max_len
    }
}
