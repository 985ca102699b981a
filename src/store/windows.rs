//! Windows: generic credentials of the Credential Manager, by way of windows-native-keyring-store.
//!
//! A credential is named `NAME@SERVICE`, see [`item_name`] for NAME.

use std::{collections::HashMap, sync::Arc};

use keyring_core::{Entry, api::CredentialStoreApi};
use windows_native_keyring_store::Store;

use super::{
    Item, StoreState, item_name,
    keyring::{KeyringStore, Platform},
    os_status,
};
use crate::{Error, ErrorCode, Result};

pub(super) fn open(service: &str) -> Result<KeyringStore<CredentialManager>> {
    let config = HashMap::from([("divider", "@")]);
    let platform = CredentialManager {
        store: Store::new_with_configuration(&config)
            .map_err(|error| CredentialManager::error(&error))?,
        service: service.into(),
    };
    KeyringStore::new("Windows Credential Manager", platform)
}

pub(super) struct CredentialManager {
    store: Arc<Store>,
    service: String,
}

impl Platform for CredentialManager {
    /// `CRED_MAX_CREDENTIAL_BLOB_SIZE` of `wincred.h`: 5 * 512.
    const MAX_LEN: Option<usize> = Some(2560);

    fn entry(&self, item: &Item) -> Result<Entry, keyring_core::Error> {
        let target = format!("{}@{}", item_name::write(item), self.service);
        // Not roaming to the other machines of a domain, as the default would.
        let modifiers = HashMap::from([("target", target.as_str()), ("persistence", "Local")]);
        self.store
            .build(&self.service, item.account.as_str(), Some(&modifiers))
    }

    fn items(&self) -> Result<Vec<Item>, keyring_core::Error> {
        let entries = self.store.search(&HashMap::new())?;
        let specifiers = entries.iter().filter_map(Entry::get_specifiers);
        let ours = specifiers.filter(|(service, _)| *service == self.service);
        Ok(ours
            .filter_map(|(_, name)| item_name::read(&name))
            .collect())
    }

    fn error(error: &keyring_core::Error) -> Error {
        use keyring_core::Error::{NoStorageAccess, PlatformFailure};

        let code = match error {
            PlatformFailure(source) | NoStorageAccess(source) => {
                os_status::windows(&source.to_string())
            }
            _ => ErrorCode::Internal,
        };
        // Safe to show: only its `Debug` has bytes of the secret.
        Error::new(code, format!("the Credential Manager: {error}"))
    }

    fn state(&self) -> (StoreState, String) {
        (StoreState::Available, String::new())
    }
}
