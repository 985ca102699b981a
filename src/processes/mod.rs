//! The processes of one app agree on who acts for an account, and tell each other that it has changed.
//!
//! Two windows of one process need nothing of this. A second process has a memory of its own: without the
//! lock both would use one refresh token, and without the stamp each would go on with what the other has
//! replaced.

#[cfg(desktop)]
mod files;
#[cfg(desktop)]
mod mark_file;
#[cfg(desktop)]
mod mark_line;

#[cfg(mobile)]
#[path = "no_files.rs"]
mod files;
mod mark;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::files::{AccountFiles, HeldFiles};
#[cfg_attr(
    mobile,
    allow(unused_imports, reason = "nobody need name a part of the mark")
)]
pub(crate) use self::mark::{InUse, Mark, Stamp};
use crate::{
    error::Result,
    token::{Account, Token},
};

/// Coordinates the processes of one app.
#[derive(Clone)]
pub(crate) struct Processes(Option<AccountFiles>);

impl Processes {
    /// For mobile and for tests: there is one process. Every lock is free, also for two calls at once, and
    /// nothing is on disk.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// For the processes that share `folder`, the app's local data folder.
    #[cfg(desktop)]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "its caller has no other use for it"
    )]
    pub(crate) fn in_folder(folder: std::path::PathBuf) -> Self {
        Self(Some(AccountFiles::in_folder(&folder)))
    }

    /// The locks and marks of refreshes: a refresh takes as long as a server, and a write must not wait for
    /// it.
    pub(crate) fn of_refreshes(&self) -> Self {
        Self(self.0.as_ref().map(AccountFiles::of_refreshes))
    }

    /// Whether there may be other processes.
    pub(crate) fn are_possible(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the lock of `account`, and waits while another process, or another call of this one, has it.
    ///
    /// # Errors
    ///
    /// - `timeout`: it was not free within `limit`.
    /// - `denied`, `unavailable`: a file cannot be used, see [`unusable`](crate::private_file::unusable).
    pub(crate) async fn lock(&self, account: &Account, limit: Duration) -> Result<AccountLock> {
        Ok(AccountLock(match &self.0 {
            Some(files) => Some(files.lock(account, limit).await?),
            None => None,
        }))
    }

    /// The stamp of `account`, read without its lock. `None` if none was ever written, or what is there is
    /// damaged or cannot be read.
    pub(crate) fn stamp(&self, account: &Account) -> Option<Stamp> {
        Some(self.0.as_ref()?.mark(account)?.stamp)
    }

    /// Whether `refresh_token` of `account` was in use when the mark was last written, by a process that
    /// may have ended since. Read without the lock.
    pub(crate) fn is_in_use(&self, account: &Account, refresh_token: &Token) -> bool {
        let mark = self.0.as_ref().and_then(|files| files.mark(account));
        let in_use = mark.and_then(|mark| mark.in_use);
        in_use.is_some_and(|in_use| in_use.is_of(refresh_token))
    }
}

/// The right of one call to act for an account. It ends when this is dropped, and the OS ends it when the
/// process dies, however it dies.
///
/// A method that fails has changed nothing: the file has its old mark, and so has [`mark`](Self::mark).
#[must_use = "the lock is free again when this is dropped"]
pub(crate) struct AccountLock(Option<HeldFiles>);

impl AccountLock {
    /// The mark of the account: as it was when the lock was taken, with what was changed since. Where it was
    /// damaged its stamp is a new one, which no process has seen yet.
    pub(crate) fn mark(&self) -> &Mark {
        const OF_ONE_PROCESS: &Mark = &Mark::NEW;
        self.0.as_ref().map_or(OF_ONE_PROCESS, HeldFiles::mark)
    }

    /// Tells the other processes that a change was committed to the store; `new_login` that another login
    /// begins with it.
    ///
    /// # Errors
    ///
    /// `denied`, `unavailable`: the file cannot be written. The other processes do not know of the change.
    pub(crate) fn committed(&mut self, new_login: bool) -> Result<()> {
        match &mut self.0 {
            Some(held) => held.committed(new_login),
            None => Ok(()),
        }
    }

    /// Notes, before `refresh_token` goes out, that it is in use. A process that finds this later, while the
    /// token is still in the store, knows that its response was lost with the process that waited for it.
    ///
    /// # Errors
    ///
    /// `denied`, `unavailable`: the file cannot be written.
    pub(crate) fn begin_use(&mut self, refresh_token: &Token) -> Result<()> {
        match &mut self.0 {
            Some(held) => held.begin_use(refresh_token),
            None => Ok(()),
        }
    }

    /// Notes that what became of the refresh token is known, and in the store.
    ///
    /// # Errors
    ///
    /// `denied`, `unavailable`: the file cannot be written.
    pub(crate) fn end_use(&mut self) -> Result<()> {
        match &mut self.0 {
            Some(held) => held.end_use(),
            None => Ok(()),
        }
    }
}
