//! The owners of all accounts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::{
    callbacks::{Refresh, Revoke},
    limits::Limits,
    outbox::Outbox,
    owner::{Common, Owner},
};
use crate::{processes::Processes, record::Record, sync::lock, task, token::Account, vault::Vault};

/// How many owners are kept before those that nobody needs are removed.
const KEPT: usize = 1024;

/// The owners of all accounts, one for each, made when it is first asked for.
#[derive(Clone)]
pub(crate) struct Sessions(Arc<Inner>);

struct Inner {
    common: Arc<Common>,
    owners: Mutex<Owners>,
}

struct Owners {
    by_account: HashMap<Account, Arc<Owner>>,
    sweep_at: usize,
    /// Where the revisions of a new owner start: no owner that was removed was further.
    start: u64,
}

impl Sessions {
    pub(crate) fn new(
        vault: Vault,
        processes: &Processes,
        outbox: Outbox,
        refresh: Option<Refresh>,
        revoke: Option<Revoke>,
        limits: Limits,
    ) -> Self {
        let revokes = revoke.is_some();
        let sessions = Self(Arc::new(Inner {
            common: Arc::new(Common::new(
                vault, processes, outbox, refresh, revoke, limits,
            )),
            owners: Mutex::new(Owners {
                by_account: HashMap::new(),
                sweep_at: KEPT,
                start: 0,
            }),
        }));
        if revokes {
            sessions.revoke_what_is_left();
        }
        sessions
    }

    /// Revokes what an earlier process could not.
    fn revoke_what_is_left(&self) {
        let sessions = self.clone();
        task::spawn(async move {
            match sessions.0.common.outbox.load().await {
                Ok(entries) => {
                    for entry in entries {
                        sessions.of(&entry.account).revoke_again(entry.record);
                    }
                }
                Err(error) => log::warn!("what waits to be revoked could not be read: {error}"),
            }
        });
    }

    /// The owner of `account`.
    pub(crate) fn of(&self, account: &Account) -> Arc<Owner> {
        let mut owners = lock(&self.0.owners);
        if let Some(owner) = owners.by_account.get(account) {
            return owner.clone();
        }
        if owners.by_account.len() >= owners.sweep_at {
            owners.sweep();
        }
        let owner = Owner::start(account.clone(), self.0.common.clone(), owners.start);
        owners.by_account.insert(account.clone(), owner.clone());
        owner
    }

    /// Tells the owner of `account`, if there is one, what a strict command has stored.
    pub(crate) fn stored(&self, account: &Account, record: Option<Arc<Record>>, revision: u64) {
        let owner = lock(&self.0.owners).by_account.get(account).cloned();
        if let Some(owner) = owner {
            owner.stored(record, revision);
        }
    }

    /// Resolves when no refresh of Rust is under way and everything is stored that the store takes, or
    /// when the limit has passed.
    pub(crate) async fn finish(&self) {
        let owners: Vec<_> = lock(&self.0.owners).by_account.values().cloned().collect();
        let finished = futures_util::future::join_all(owners.iter().map(|owner| owner.finish()));
        if tokio::time::timeout(self.0.common.limits.exit, finished)
            .await
            .is_err()
        {
            log::warn!("the app exits during a refresh");
        }
    }
}

impl Owners {
    /// Removes the owners that have nothing to keep and that nobody uses. Without this, every name that
    /// was ever asked for would take memory for as long as the process lives.
    fn sweep(&mut self) {
        let mut start = self.start;
        self.by_account.retain(|_, owner| {
            let is_used = Arc::strong_count(owner) > 1 || owner.is_needed();
            if !is_used {
                start = start.max(owner.snapshot().revision).max(owner.epoch());
            }
            is_used
        });
        self.start = start;
        self.sweep_at = KEPT.max(2 * self.by_account.len());
    }
}
