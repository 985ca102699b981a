//! The other processes of the app: their changes, and one refresh for all of them.

use std::time::Duration;

use super::owner::Owner;
use crate::{
    error::{ErrorCode, Result},
    processes::AccountLock,
    token::Token,
};

/// How long a start of the app waits for a lock that a process which has ended cannot have.
const A_MOMENT: Duration = Duration::from_millis(500);

impl Owner {
    /// Takes over what another process has changed since this one last looked.
    pub(super) async fn look_at_other_processes(&self) {
        if self.common.vault.is_behind(&self.account) {
            let _turn = self.saving.lock().await;
            self.pull().await;
        }
    }

    /// Keeps other processes from refreshing until the return value is dropped. Files that cannot be used
    /// keep nobody from refreshing: then the processes are not in step.
    ///
    /// # Errors
    ///
    /// `timeout`: another process has not finished its refresh in time.
    pub(super) async fn keep_others_from_refreshing(&self) -> Result<Others> {
        // Another process may wait for its first page, and then for a second one.
        let limit = self.common.limits.refresh * 2;
        match self.common.refreshes.lock(&self.account, limit).await {
            Ok(lock) => Ok(Others(Some(lock))),
            Err(error) if error.code() == ErrorCode::Timeout => Err(error),
            Err(error) => {
                log::warn!("other processes of the app may refresh at the same time: {error}");
                Ok(Others(None))
            }
        }
    }

    /// Whether an earlier process ended while `refresh_token` was on its way to the server.
    pub(super) async fn was_interrupted(&self, refresh_token: Option<&Token>) -> bool {
        let (refreshes, account) = (&self.common.refreshes, &self.account);
        let Some(token) = refresh_token.filter(|token| refreshes.is_in_use(account, token)) else {
            return false;
        };
        // While a living process has the lock, the token is in its hands.
        let lock = refreshes.lock(account, A_MOMENT).await;
        lock.is_ok() && refreshes.is_in_use(account, token)
    }
}

/// Keeps other processes from refreshing until this is dropped.
pub(super) struct Others(Option<AccountLock>);

impl Others {
    /// Notes that `refresh_token` is on its way to the server.
    pub(super) fn begin_use(&mut self, refresh_token: &Token) {
        self.note(|lock| lock.begin_use(refresh_token));
    }

    /// Notes that the outcome of that is known.
    pub(super) fn end_use(&mut self) {
        self.note(AccountLock::end_use);
    }

    fn note(&mut self, note: impl FnOnce(&mut AccountLock) -> Result<()>) {
        if let Some(lock) = &mut self.0
            && let Err(error) = note(lock)
        {
            log::warn!("a refresh that is cut off would not be noticed: {error}");
        }
    }
}
