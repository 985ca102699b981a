//! macOS: generic passwords in a keychain, by way of apple-native-keyring-store.
//!
//! Writes are made here, with the same calls of security-framework: those of that crate add first,
//! or after any failed read.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use apple_native_keyring_store::{keychain, protected};
use core_foundation::data::CFData;
use keyring_core::{Entry, api::CredentialStore};
use security_framework::{
    base::Error as SystemError,
    item::{self, ItemClass, ItemSearchOptions, ItemUpdateOptions, ItemUpdateValue},
    os::macos::keychain::{SecKeychain, SecPreferencesDomain},
};

use super::{
    Item, StoreState,
    keyring::{KeyringStore, Platform},
    os_status::{self, AppleStatus},
    update_or_add::update_or_add,
};
use crate::{
    error::{Error, Result},
    token::Account,
};

/// Which keychain of macOS holds the records. Records do not move from one to the other.
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

pub(super) fn open(service: &str, keychain: MacosKeychain) -> KeyringStore<Keychain> {
    let name = match keychain {
        MacosKeychain::Login => "macOS login keychain",
        MacosKeychain::DataProtection => "macOS data protection keychain",
    };
    let service = service.to_owned();
    KeyringStore::new(name, move || {
        let store: Result<Arc<CredentialStore>, _> = match keychain {
            MacosKeychain::Login => keychain::Store::new().map(|store| store as _),
            MacosKeychain::DataProtection => protected::Store::new().map(|store| store as _),
        };
        Ok(Keychain {
            store: store.map_err(|error| Keychain::error(&error))?,
            service: service.clone(),
            kind: keychain,
        })
    })
}

pub(super) struct Keychain {
    store: Arc<CredentialStore>,
    service: String,
    kind: MacosKeychain,
}

impl Keychain {
    fn update(&self, account: &str, bytes: &[u8]) -> Result<(), SystemError> {
        match self.kind {
            MacosKeychain::Login => {
                let (_, mut found) = login()?.find_generic_password(&self.service, account)?;
                found.set_password(bytes)
            }
            // In every access group of the app, since reads look in all of them.
            MacosKeychain::DataProtection => item::update_item(
                ItemSearchOptions::new()
                    .ignore_legacy_keychains()
                    .class(ItemClass::generic_password())
                    .service(&self.service)
                    .account(account),
                ItemUpdateOptions::new()
                    .set_value(ItemUpdateValue::Data(CFData::from_buffer(bytes))),
            ),
        }
    }
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

    fn set(&self, item: &Item, bytes: &[u8]) -> Result<(), keyring_core::Error> {
        let account = item.account.as_str();
        let add = || match self.kind {
            MacosKeychain::Login => login()
                .and_then(|login| login.add_generic_password(&self.service, account, bytes))
                .map_err(keyring_error),
            MacosKeychain::DataProtection => self.entry(item)?.set_secret(bytes),
        };
        update_or_add(
            || self.update(account, bytes).map_err(keyring_error),
            add,
            os_status::is_duplicate::<SystemError>,
        )
    }

    fn items(&self) -> Result<Vec<Item>, keyring_core::Error> {
        let ours = HashMap::from([("service", self.service.as_str())]);
        let entries = self.store.search(&ours)?;
        let names = entries.iter().filter_map(Entry::get_specifiers);
        // A name that breaks the rules for accounts is not one of ours. Two access groups may hold
        // the same one.
        let items: HashSet<_> = names
            .filter_map(|(_, account)| Account::at_rest(account).ok())
            .map(|account| Item::of(&account))
            .collect();
        Ok(items.into_iter().collect())
    }

    fn error(error: &keyring_core::Error) -> Error {
        os_status::apple::<SystemError>(error)
    }

    fn state(&self) -> (StoreState, String) {
        match self.kind {
            MacosKeychain::Login => {
                let answer = login().map(drop).map_err(keyring_error);
                match os_status::state(answer.map_err(|error| Self::error(&error))) {
                    // SecKeychainGetStatus would tell, but no safe binding has it.
                    (StoreState::Available, _) => (
                        StoreState::Available,
                        "Cannot tell whether it is locked; the next read may show an unlock dialog."
                            .into(),
                    ),
                    other => other,
                }
            }
            // A search for attributes alone, with the items left out that a dialog guards.
            MacosKeychain::DataProtection => {
                os_status::state(self.items().map(drop).map_err(|error| Self::error(&error)))
            }
        }
    }
}

impl AppleStatus for SystemError {
    fn status(&self) -> i32 {
        self.code()
    }
}

fn login() -> Result<SecKeychain, SystemError> {
    SecKeychain::default_for_domain(SecPreferencesDomain::User)
}

fn keyring_error(error: SystemError) -> keyring_core::Error {
    match error.code() {
        // errSecInvalidItemRef: deleted since it was found
        -25304 => keyring_core::Error::NoEntry,
        _ => keychain::decode_error(error),
    }
}

#[cfg(test)]
mod tests;
