//! Windows: generic credentials of the Credential Manager, by way of windows-native-keyring-store.
//!
//! A credential is named `NAME@SERVICE`, see [`item_name`] for NAME.

use std::{collections::HashMap, io, path::PathBuf, sync::Arc};

use keyring_core::{Entry, api::CredentialStoreApi};
use serde::de::DeserializeOwned;
use tauri::{Manager, Runtime, plugin::PluginApi};
use windows_native_keyring_store::Store;

use super::{
    Exclusive, Item, StoreState, item_name,
    keyring::{KeyringStore, Platform},
    os_status,
};
use crate::{
    error::{Error, ErrorCode, Result},
    lock_file::LockFile,
};

/// The file whose lock says which process of the app writes, in the app's local data folder.
const LOCK_FILE: &str = "secure-token.lock";

/// The Credential Manager for the app that `api` belongs to.
pub(super) fn open<R: Runtime, C: DeserializeOwned>(
    service: &str,
    api: &PluginApi<R, C>,
) -> KeyringStore<CredentialManager> {
    // Of this machine, as the credentials are, and common to all sessions of the user.
    let folder = api.app().path().app_local_data_dir();
    let folder = folder.map_err(|error| {
        Error::new(
            ErrorCode::Unavailable,
            format!("there is no folder for local app data: {error}"),
        )
    });
    open_with_lock_in(service, folder)
}

fn open_with_lock_in(service: &str, folder: Result<PathBuf>) -> KeyringStore<CredentialManager> {
    let service = service.to_owned();
    KeyringStore::new("Windows Credential Manager", move || {
        let config = HashMap::from([("divider", "@")]);
        Ok(CredentialManager {
            store: Store::new_with_configuration(&config)
                .map_err(|error| CredentialManager::error(&error))?,
            service: service.clone(),
            lock: folder
                .clone()
                .map(|folder| LockFile::at(folder.join(LOCK_FILE))),
        })
    })
}

pub(super) struct CredentialManager {
    store: Arc<Store>,
    service: String,
    /// Without it there are no writes; reads need none.
    lock: Result<LockFile>,
}

impl CredentialManager {
    fn credential(&self, name: &str, account: &str) -> Result<Entry, keyring_core::Error> {
        let target = format!("{name}@{}", self.service);
        // Not roaming to the other machines of a domain, as the default would.
        let modifiers = HashMap::from([("target", target.as_str()), ("persistence", "Local")]);
        self.store.build(&self.service, account, Some(&modifiers))
    }
}

impl Platform for CredentialManager {
    /// `CRED_MAX_CREDENTIAL_BLOB_SIZE` of `wincred.h`: 5 * 512.
    const MAX_LEN: Option<usize> = Some(2560);

    /// All programs of a user share room for about 1,474 credentials, as the maintainer of Git
    /// Credential Manager has counted (issue 1413); another report says 256. A write of this many
    /// has the old and the new pieces stored at once, 129 credentials: under a tenth of the one
    /// figure, half of the other.
    const MAX_CHUNKS: Option<u32> = Some(64);

    fn entry(&self, item: &Item) -> Result<Entry, keyring_core::Error> {
        self.credential(&item_name::write(item), item.account.as_str())
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
        let lock = self.lock.as_ref().map_err(Error::clone)?.try_lock()?;
        Ok(lock.map(Exclusive::new))
    }

    fn error(error: &keyring_core::Error) -> Error {
        os_status::windows(error, &io::Error::last_os_error())
    }

    fn state(&self) -> (StoreState, String) {
        // No item is named so: Windows looks for the credentials of the logon session, and no secret
        // is read.
        let looked = self
            .credential("", "")
            .and_then(|none| none.get_attributes());
        os_status::state(match looked {
            Ok(_) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(Self::error(&error)),
        })
    }
}

#[cfg(test)]
mod tests;
