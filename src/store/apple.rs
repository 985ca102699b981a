//! macOS: generic passwords in the Keychain, by way of apple-native-keyring-store.

use std::{collections::HashMap, sync::Arc};

use apple_native_keyring_store::{keychain, protected};
use keyring_core::{Entry, api::CredentialStore};

use super::{
    Item, StoreInfo, StoreState,
    keyring::{KeyringStore, Platform},
    os_status,
};
use crate::{Account, Error, Result};

/// Which keychain of macOS holds the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MacosKeychain {
    /// The user's login keychain: works without a signature, but asks the person again whenever the
    /// signature of the app changes, as it does with every unsigned build.
    #[default]
    Login,
    /// The data protection keychain, as on iOS: never asks, but needs an app that is signed with a
    /// provisioning profile; without one every call fails with
    /// [`Misconfigured`](crate::ErrorCode::Misconfigured).
    DataProtection,
}

pub(super) fn open(service: &str, keychain: MacosKeychain) -> Result<KeyringStore<Keychain>> {
    let store: Result<Arc<CredentialStore>, _> = match keychain {
        MacosKeychain::Login => keychain::Store::new().map(|store| store as _),
        MacosKeychain::DataProtection => protected::Store::new().map(|store| store as _),
    };
    KeyringStore::new(Keychain {
        store: store.map_err(|error| Keychain::error(&error))?,
        service: service.into(),
        kind: keychain,
    })
}

pub(super) struct Keychain {
    store: Arc<CredentialStore>,
    service: String,
    kind: MacosKeychain,
}

impl Platform for Keychain {
    const MAX_LEN: Option<usize> = None;

    fn entry(&self, item: &Item) -> Result<Entry, keyring_core::Error> {
        // Readable in the background after the first unlock, and never moved to another device.
        let policy = HashMap::from([("access-policy", "after-first-unlock-this-device-only")]);
        let modifiers = match self.kind {
            MacosKeychain::Login => None,
            MacosKeychain::DataProtection => Some(&policy),
        };
        self.store
            .build(&self.service, item.account.as_str(), modifiers)
    }

    fn items(&self) -> Result<Vec<Item>, keyring_core::Error> {
        let ours = HashMap::from([("service", self.service.as_str())]);
        let entries = self.store.search(&ours)?;
        let names = entries.iter().filter_map(Entry::get_specifiers);
        // A name that breaks the rules for accounts is not one of ours.
        Ok(names
            .filter_map(|(_, account)| Account::new(account).ok())
            .map(|account| Item::of(&account))
            .collect())
    }

    fn error(error: &keyring_core::Error) -> Error {
        use keyring_core::Error::{NoStorageAccess, PlatformFailure};

        if let PlatformFailure(source) | NoStorageAccess(source) = error
            && let Some(status) = source.downcast_ref::<security_framework::base::Error>()
        {
            let code = os_status::apple(status.code());
            return Error::new(
                code,
                format!("the keychain answers {}: {status}", status.code()),
            );
        }
        // Safe to show: only its `Debug` has bytes of the secret.
        Error::internal(format!("the keychain: {error}"))
    }

    fn info() -> StoreInfo {
        StoreInfo {
            store: "macOS Keychain".into(),
            persistent: true,
            durable: true,
            hardware: false,
            state: StoreState::Available,
            detail: String::new(),
        }
    }
}
