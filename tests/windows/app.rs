//! The app of one test: its workers, and what the Credential Manager holds for it, past the plugin.

use std::{collections::HashMap, fs::File, path::PathBuf, process::Command, sync::Arc};

use keyring_core::{Entry, api::CredentialStoreApi};
use windows_native_keyring_store::Store;

use crate::worker::{EARLIER, Worker};

/// All tests share the credentials of one user, so that each app has a service of its own.
pub struct App {
    service: String,
    store: Arc<Store>,
}

impl App {
    /// An app whose earlier runs have left nothing.
    pub fn new(name: &str) -> Self {
        Self::with_service(format!("app.secure-token.tests.{name}"))
    }

    pub fn with_service(service: String) -> Self {
        let store = Store::new().unwrap();
        let app = Self { service, store };
        for name in app.names() {
            app.credential(&name).delete_credential().unwrap();
        }
        app
    }

    pub fn service(&self) -> &str {
        &self.service
    }

    pub fn worker(&self) -> Worker {
        self.worker_with_deadline(120_000)
    }

    pub fn worker_with_deadline(&self, milliseconds: u64) -> Worker {
        let program = Command::new(std::env::current_exe().unwrap());
        Worker::of(&self.service, program, milliseconds)
    }

    /// A worker of this app, which had the identifier of `earlier` before.
    pub fn worker_renamed_from(&self, earlier: &Self) -> Worker {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.env(EARLIER, &earlier.service);
        Worker::of(&self.service, program, 120_000)
    }

    /// The file whose lock says which process writes.
    pub fn lock_file(&self) -> File {
        let folder = PathBuf::from(std::env::var_os("LOCALAPPDATA").unwrap()).join(&self.service);
        File::options()
            .write(true)
            .open(folder.join("secure-token.lock"))
            .unwrap()
    }

    /// What is before `@SERVICE` in the targets of the app's credentials, in order.
    pub fn names(&self) -> Vec<String> {
        let suffix = format!("@{}", self.service);
        let entries = self.store.search(&HashMap::new()).unwrap();
        // Another test may have removed its own in between.
        let attributes = entries
            .iter()
            .filter_map(|entry| entry.get_attributes().ok());
        let targets = attributes.map(|mut attributes| attributes.remove("target_name").unwrap());
        let mut names: Vec<_> = targets
            .filter_map(|target| target.strip_suffix(&suffix).map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// The credential with the target `NAME@SERVICE`.
    pub fn credential(&self, name: &str) -> Entry {
        self.credential_at(&format!("{name}@{}", self.service))
    }

    /// As another program would write it: for all machines of a domain.
    pub fn credential_at(&self, target: &str) -> Entry {
        let modifiers = HashMap::from([("target", target), ("persistence", "Enterprise")]);
        self.store.build("", "", Some(&modifiers)).unwrap()
    }

    pub fn stored(&self, name: &str) -> Vec<u8> {
        self.credential(name).get_secret().unwrap()
    }

    /// `CRED_PERSIST_LOCAL_MACHINE` is "Local".
    pub fn persistence(&self, name: &str) -> String {
        let mut attributes = self.credential(name).get_attributes().unwrap();
        attributes.remove("persistence").unwrap()
    }
}

/// Wine keeps a credential in a key of its registry, whose name has at most 255 characters; the limit
/// of Windows is `CRED_MAX_GENERIC_TARGET_NAME_LENGTH`, 32,767.
pub fn is_wine() -> bool {
    std::env::var_os("SECURE_TOKEN_TEST_WINE").is_some()
}
