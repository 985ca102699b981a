//! Revokes ended logins by the app's Rust function, one record after the other, until the server has
//! answered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    callbacks::{Revoke, RevokeError},
    clock::{Moment, millis},
    owner::Owner,
    pause,
};
use crate::{record::Record, task};

/// How long a record waits to be revoked: most refresh tokens live shorter.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);

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
                // First, since an app is often closed after a sign-out.
                owner.keep(&record).await;
                match owner.revoke_one(&revoke, &record).await {
                    Delivery::Done => {
                        failures = 0;
                        owner.let_go(&record).await;
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

    /// Keeps `record` in the outbox, where the next start of the app finds it.
    async fn keep(&self, record: &Record) {
        let now = Moment::now().wall;
        let longest = now.saturating_add(millis(LONGEST_WAIT));
        let until = match (&record.refresh_token, record.expires_at) {
            (None, Some(expires_at)) => expires_at.min(longest),
            _ => longest,
        };
        let added = self.common.outbox.add(&self.account, record.clone(), until);
        if let Err(error) = added.await {
            log::warn!("a record that waits to be revoked is in memory alone: {error}");
        }
    }

    async fn let_go(&self, record: &Record) {
        if let Err(error) = self.common.outbox.remove(&record.token).await {
            log::warn!("a record that was revoked is revoked again at the next start: {error}");
        }
    }

    /// Takes over a record that an earlier process has left in the outbox.
    pub(super) fn revoke_again(self: &Arc<Self>, record: Record) {
        self.change(|state| state.revoke(record));
        self.deliver_revokes();
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
        let (revoke, account, record) = (revoke.clone(), self.account.clone(), record.clone());
        let limit = self.common.limits.refresh;
        // A task of its own: a panic of the app's function is a failure.
        let revoked = async move { tokio::time::timeout(limit, revoke(account, record)).await };
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
