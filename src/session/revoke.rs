//! Revokes ended logins by the app's Rust function, one record after the other, until the server has
//! answered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    callbacks::{Revoke, RevokeError},
    owner::Owner,
    pause,
};
use crate::{record::Record, task};

impl Owner {
    /// Begins to revoke what waits for it, if the app has a Rust function for that. Pages are told by the
    /// snapshot.
    pub(super) fn deliver_revokes(self: &Arc<Self>) {
        let Some(revoke) = self.common.revoke.clone() else {
            return;
        };
        if self.revoking.swap(true, Ordering::AcqRel) {
            return;
        }
        let owner = self.clone();
        task::spawn(async move {
            let mut failures = 0;
            while let Some(record) = owner.next_to_revoke() {
                match owner.revoke_one(&revoke, &record).await {
                    Delivery::Done => {
                        failures = 0;
                        owner.change(|state| state.revokes.retain(|waiting| *waiting != record));
                    }
                    Delivery::Later(retry_after) => {
                        tokio::time::sleep(pause::after_refresh(retry_after, failures)).await;
                        failures += 1;
                    }
                }
            }
        });
    }

    fn next_to_revoke(&self) -> Option<Record> {
        self.look(|state| {
            let next = state.revokes.front().cloned();
            if next.is_none() {
                // With the state locked: what comes after this begins anew.
                self.revoking.store(false, Ordering::Release);
            }
            next
        })
    }

    async fn revoke_one(&self, revoke: &Revoke, record: &Record) -> Delivery {
        let revoked = revoke(self.account.clone(), record.clone());
        let revoked = tokio::time::timeout(self.common.limits.refresh, revoked);
        match task::spawn(revoked).await {
            Ok(Ok(Ok(()))) => Delivery::Done,
            Ok(Ok(Err(RevokeError::Refused))) => {
                log::warn!("the server refused to revoke a record of {}", self.account);
                Delivery::Done
            }
            Ok(Ok(Err(RevokeError::Failed { retry_after }))) => Delivery::Later(retry_after),
            // It has panicked, or took too long.
            Ok(Err(_)) | Err(_) => Delivery::Later(None),
        }
    }
}

/// What became of one record.
enum Delivery {
    Done,
    Later(Option<Duration>),
}
