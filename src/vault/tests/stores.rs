//! The stores that the vault's promises are tested over, each with the faults that it has.

use std::{
    ops::Deref,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::super::Vault;
use crate::{
    error::ErrorCode,
    store::{
        SecretStore,
        keychain_stand_in::{PANIC, StandIn},
        memory::{Fault, MemoryStore},
    },
};

/// Runs each test over each store.
macro_rules! over_each_store {
    ($($test:ident,)*) => {
        over_each_store!(memory Memory: $($test)*);
        over_each_store!(small_items SmallItems: $($test)*);
        over_each_store!(login_keychain LoginKeychain: $($test)*);
        over_each_store!(data_protection_keychain DataProtectionKeychain: $($test)*);
    };
    ($module:ident $kind:ident: $($test:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(super::stores::Kind::$kind).await;
                }
            )*
        }
    };
}
pub(super) use over_each_store;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Answers as the test says.
    Memory,
    /// The same with items so small that every record is in pieces, as long ones are on Windows.
    SmallItems,
    /// The login keychain of macOS: a call blocks its thread while a dialog is open.
    LoginKeychain,
    /// The data protection keychain of macOS: refuses every call of an unsigned app.
    DataProtectionKeychain,
}

/// A store of a kind, with its faults; several vaults over it are several processes.
pub(super) struct TestStore {
    kind: Kind,
    stand_in: StandIn,
}

/// A failure that a kind of store has, and the code that callers must see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    /// Zero where the store has no statuses.
    status: i32,
}

impl TestStore {
    pub(super) fn new(kind: Kind) -> Self {
        let items = match kind {
            Kind::SmallItems => MemoryStore::with_max_len(60),
            _ => MemoryStore::default(),
        };
        let stand_in = StandIn {
            items: Arc::new(items),
            ..StandIn::default()
        };
        Self { kind, stand_in }
    }

    pub(super) fn open(&self) -> Arc<dyn SecretStore> {
        match self.kind {
            Kind::Memory | Kind::SmallItems => self.stand_in.items.clone(),
            Kind::LoginKeychain | Kind::DataProtectionKeychain => self.stand_in.open(),
        }
    }

    pub(super) fn vault(&self, deadline: Duration) -> Vault {
        Vault::new(self.open(), deadline, true)
    }

    pub(super) fn failures(&self) -> Vec<Failure> {
        use ErrorCode::{Corrupt, Denied, Internal, Locked, Misconfigured, Unavailable};

        let statuses: &[(i32, ErrorCode)] = match self.kind {
            Kind::Memory | Kind::SmallItems => {
                let codes = ErrorCode::ALL.iter();
                return codes.map(|&code| Failure { code, status: 0 }).collect();
            }
            // Locked with nobody there to ask; asleep; dialog cancelled; password refused; the item
            // of another build; no login keychain.
            Kind::LoginKeychain => &[
                (-25308, Locked),
                (-25320, Locked),
                (-128, Denied),
                (-25293, Denied),
                (-67050, Denied),
                (-25307, Unavailable),
                (-50, Internal),
            ],
            // Locked; unsigned; damaged; no keychain.
            Kind::DataProtectionKeychain => &[
                (-25308, Locked),
                (-34018, Misconfigured),
                (-26275, Corrupt),
                (-25291, Unavailable),
                (-50, Internal),
            ],
        };
        let failure = |&(status, code)| Failure { code, status };
        statuses.iter().map(failure).collect()
    }

    /// Makes every call from now on fail so.
    pub(super) fn fail(&self, failure: Failure) {
        self.stand_in.status.store(failure.status, Ordering::SeqCst);
        self.inject(Fault::Fails(failure.code));
    }

    /// Makes every call of a keychain panic from now on.
    pub(super) fn panic(&self) {
        self.fail(Failure {
            code: ErrorCode::Internal,
            status: PANIC,
        });
    }

    /// What becomes of a prompt that nobody answers. A keychain does not say that its dialog is
    /// open, and may write what it was given when it is answered later.
    pub(super) fn unanswered_prompt(&self) -> ErrorCode {
        match self.kind {
            Kind::Memory | Kind::SmallItems => ErrorCode::Locked,
            Kind::LoginKeychain | Kind::DataProtectionKeychain => ErrorCode::Timeout,
        }
    }
}

/// The items of the store and its faults, past all that is above them.
impl Deref for TestStore {
    type Target = MemoryStore;

    fn deref(&self) -> &MemoryStore {
        &self.stand_in.items
    }
}
