//! Windows: generic credentials of the Credential Manager, by way of windows-native-keyring-store.
//!
//! A credential is named `NAME@SERVICE`, see [`item_name`] for NAME.

use std::{collections::HashMap, path::Path, sync::Arc};

use keyring_core::{Entry, api::CredentialStoreApi};
use serde::de::DeserializeOwned;
use tauri::{Manager, Runtime, plugin::PluginApi};
use windows_native_keyring_store::Store;

use super::{
    Exclusive, Item, StoreState, item_name,
    keyring::{KeyringStore, Platform},
    lock_file::LockFile,
    os_status,
};
use crate::{Error, ErrorCode, Result};

pub(super) fn open<R: Runtime, C: DeserializeOwned>(
    service: &str,
    api: &PluginApi<R, C>,
) -> Result<KeyringStore<CredentialManager>> {
    // Of this machine, as the credentials are, and common to all sessions of the user.
    let folder = api.app().path().app_local_data_dir();
    let folder = folder.map_err(|error| Error::internal(format!("no local app data: {error}")))?;
    open_with_lock_in(service, &folder)
}

fn open_with_lock_in(service: &str, folder: &Path) -> Result<KeyringStore<CredentialManager>> {
    let config = HashMap::from([("divider", "@")]);
    let platform = CredentialManager {
        store: Store::new_with_configuration(&config)
            .map_err(|error| CredentialManager::error(&error))?,
        service: service.into(),
        lock: LockFile::in_folder(folder),
    };
    KeyringStore::new("Windows Credential Manager", platform)
}

pub(super) struct CredentialManager {
    store: Arc<Store>,
    service: String,
    lock: LockFile,
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
        // The crate divides a target at its last `@`, which may be one of the service.
        let targets = specifiers.map(|(service, name)| format!("{name}@{service}"));
        let ours = format!("@{}", self.service);
        Ok(targets
            .filter_map(|target| item_name::read(target.strip_suffix(&ours)?))
            .collect())
    }

    fn try_exclusive(&self) -> Result<Option<Exclusive>> {
        self.lock.try_lock()
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

#[cfg(test)]
mod tests;
