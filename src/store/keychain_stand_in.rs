//! Stand-in for the keychains of macOS, for tests: the items and faults of a [`MemoryStore`] behind
//! the plugin's own thread, way of writing and table of statuses.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use keyring_core::{
    Entry,
    api::{Credential, CredentialApi},
};

use super::{
    Item, Prompts, SecretStore, StoreState,
    keyring::{KeyringStore, Platform},
    memory::MemoryStore,
    os_status::{self, tests::Status},
    update_or_add::update_or_add,
};
use crate::error::{Error, ErrorCode, Result};

/// In the place of a status: the call panics, as security-framework does over an answer of a type that it
/// does not know.
pub(crate) const PANIC: i32 = i32::MIN;

/// The items, and the status of a call that fails.
#[derive(Clone, Default)]
pub(crate) struct StandIn {
    pub(crate) items: Arc<MemoryStore>,
    /// Zero for the usual status of the fault's code.
    pub(crate) status: Arc<AtomicI32>,
}

impl StandIn {
    /// The keychain as another process sees it.
    pub(crate) fn open(&self) -> Arc<dyn SecretStore> {
        let keychain = self.clone();
        Arc::new(KeyringStore::new("keychain stand-in", move || {
            Ok(keychain.clone())
        }))
    }

    /// Blocks for as long as the fault lasts, as a call with an open dialog does.
    fn call<T>(&self, answer: impl Future<Output = Result<T>>) -> keyring_core::Result<T> {
        tauri::async_runtime::block_on(answer).map_err(|error| {
            let status = match (self.status.load(Ordering::SeqCst), error.code()) {
                (0, ErrorCode::Locked) => -25308,
                (0, ErrorCode::Denied) => -128,
                (0, ErrorCode::Unavailable) => -25307,
                (0, ErrorCode::Misconfigured) => -34018,
                (0, _) => -50,
                (PANIC, _) => panic!("an answer of a type that is not known"),
                (status, _) => status,
            };
            keyring_core::Error::PlatformFailure(Box::new(Status(status)))
        })
    }

    fn get(&self, item: &Item) -> keyring_core::Result<Vec<u8>> {
        let found = self.call(self.items.get(item, &Prompts::default()))?;
        found.map_or(
            Err(keyring_core::Error::NoEntry),
            |bytes| Ok(bytes.to_vec()),
        )
    }

    fn put(&self, item: &Item, bytes: &[u8]) -> keyring_core::Result<()> {
        self.call(self.items.set(item, bytes, &Prompts::default()))
    }

    fn add(&self, item: &Item, bytes: &[u8]) -> keyring_core::Result<()> {
        if self.items.peek(item).is_some() {
            let duplicate = Box::new(Status(-25299));
            return Err(keyring_core::Error::PlatformFailure(duplicate));
        }
        self.put(item, bytes)
    }
}

impl Platform for StandIn {
    const MAX_LEN: Option<usize> = None;

    fn entry(&self, item: &Item) -> keyring_core::Result<Entry> {
        Ok(Entry::new_with_credential(Arc::new(Password {
            keychain: self.clone(),
            item: item.clone(),
        })))
    }

    fn items(&self) -> keyring_core::Result<Vec<Item>> {
        self.call(self.items.list(&Prompts::default()))
    }

    fn set(&self, item: &Item, bytes: &[u8]) -> keyring_core::Result<()> {
        update_or_add(
            || self.get(item).and_then(|_| self.put(item, bytes)),
            || self.add(item, bytes),
            os_status::is_duplicate::<Status>,
        )
    }

    fn error(error: &keyring_core::Error) -> Error {
        os_status::apple::<Status>(error)
    }

    fn state(&self) -> (StoreState, String) {
        os_status::state(self.items().map(drop).map_err(|error| Self::error(&error)))
    }
}

struct Password {
    keychain: StandIn,
    item: Item,
}

impl CredentialApi for Password {
    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.keychain.get(&self.item)
    }

    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        self.keychain.put(&self.item, secret)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        let there = self.keychain.items.peek(&self.item).is_some();
        let prompts = Prompts::default();
        self.keychain
            .call(self.keychain.items.delete(&self.item, &prompts))?;
        there.then_some(()).ok_or(keyring_core::Error::NoEntry)
    }

    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        self.get_secret().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
