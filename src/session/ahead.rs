//! Refreshes a token before it expires, if the app has a Rust function for that: no window is needed.

use std::{
    pin::pin,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::{
    clock::{Moment, millis},
    owner::Owner,
    pause,
};
use crate::task;

/// A token is refreshed at most this long before its end, and at least half as long: tokens that all end at
/// one moment are renewed within a minute, by 1.7 % of the clients in each second.
const LONGEST_MARGIN: Duration = Duration::from_secs(120);

/// Timers stand still while a machine sleeps, so the clock is looked at this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Owner {
    /// Sees to it that the token in memory is refreshed ahead of time. Without a Rust function for that,
    /// without an expiry, or when nobody is signed in, there is no timer.
    pub(super) fn refresh_ahead(self: &Arc<Self>) {
        if self.common.refresh.is_none() {
            return;
        }
        let (epoch, expires_at) = self.look(|state| {
            let record = state.record();
            (state.epoch, record.and_then(|record| record.expires_at))
        });
        let Some(expires_at) = expires_at else { return };
        if self.ahead_of.swap(epoch, Ordering::Relaxed) == epoch {
            return;
        }
        let now = Moment::now().wall;
        let left = Duration::from_millis(expires_at.saturating_sub(now));
        // At random, so that many clients do not line up.
        let margin = (left / 4)
            .min(LONGEST_MARGIN)
            .mul_f64(1.0 - pause::random() / 2.0);
        let due = expires_at.max(now) - millis(margin);
        let changes = self.changes.subscribe();
        let owner = Arc::downgrade(self);
        task::spawn(async move {
            let mut ahead = Ahead {
                owner,
                changes,
                epoch,
                expires_at,
            };
            let mut next = due;
            while let Some(retry_at) = ahead.renew_at(next).await {
                next = retry_at;
            }
        });
    }
}

/// What waits to refresh one token.
struct Ahead {
    /// Must not keep an owner alive that nobody uses.
    owner: Weak<Owner>,
    changes: watch::Receiver<()>,
    /// The epoch of the token.
    epoch: u64,
    expires_at: u64,
}

impl Ahead {
    /// Waits until `next`, then refreshes if memory still has the token. Returns when to try again, if that
    /// is to be done while the token lives: after that the next request refreshes.
    async fn renew_at(&mut self, next: u64) -> Option<u64> {
        self.wait_until(next).await?;
        let owner = self.owner.upgrade()?;
        let life = Duration::from_millis(self.expires_at.saturating_sub(Moment::now().wall));
        // One millisecond more than it lives, so that it is due.
        owner.renew(life + Duration::from_millis(1)).await;
        let (is_the_same, retry_at) =
            owner.look(|state| (state.epoch == self.epoch, state.published().retry_at));
        // A rest that is over says that there was no refresh: the token has only just come.
        let is_ahead = |at: &u64| (Moment::now().wall + 1..self.expires_at).contains(at);
        retry_at.filter(|at| is_the_same && is_ahead(at))
    }

    /// `None`: memory no longer has the token. Then the timer ends at once, so that an app in which nobody
    /// is signed in does not wake up.
    async fn wait_until(&mut self, next: u64) -> Option<()> {
        loop {
            let wait = Duration::from_millis(next.saturating_sub(Moment::now().wall));
            if wait.is_zero() {
                return Some(());
            }
            let slept = pin!(tokio::time::sleep(wait.min(LONGEST_SLEEP)));
            if let Either::Right((Err(_), _)) = select(slept, pin!(self.changes.changed())).await {
                return None;
            }
            if self
                .owner
                .upgrade()?
                .look(|state| state.epoch != self.epoch)
            {
                return None;
            }
        }
    }
}
