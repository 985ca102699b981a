//! Refreshes a token before it expires, if the app has a Rust function for that: no window is needed.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use super::{
    clock::{Moment, millis},
    owner::Owner,
    pause,
};
use crate::task;

/// A token is refreshed at most this long before its end.
const LONGEST_MARGIN: Duration = Duration::from_secs(60);

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
        let owner = Arc::downgrade(self);
        task::spawn(async move {
            let mut next = due;
            while let Some(retry_at) = renew_at(&owner, epoch, next, expires_at).await {
                next = retry_at;
            }
        });
    }
}

/// Waits until `next`, then refreshes if memory still has the token of `epoch`. Returns when to try again,
/// if that is to be done while the token lives: after that the next request refreshes.
async fn renew_at(owner: &Weak<Owner>, epoch: u64, next: u64, expires_at: u64) -> Option<u64> {
    loop {
        let wait = next.saturating_sub(Moment::now().wall);
        if wait == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(wait).min(LONGEST_SLEEP)).await;
        if owner.upgrade()?.look(|state| state.epoch != epoch) {
            return None;
        }
    }
    let owner = owner.upgrade()?;
    let life = Duration::from_millis(expires_at.saturating_sub(Moment::now().wall));
    // One millisecond more than it lives, so that it is due.
    owner.renew(life + Duration::from_millis(1)).await;
    let (is_the_same, retry_at) =
        owner.look(|state| (state.epoch == epoch, state.published().retry_at));
    // A rest that is over says that there was no refresh: the token has only just come.
    let is_ahead = |at: &u64| (Moment::now().wall + 1..expires_at).contains(at);
    retry_at.filter(|at| is_the_same && is_ahead(at))
}
