//! How long things of a session may take.

use std::time::Duration;

/// How long things of a session may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A refresh: the app's Rust function, or a page with a lease.
    pub(crate) refresh: Duration,
    /// Until a page takes a refresh that it was asked for. Then the next page is asked.
    pub(crate) offer: Duration,
    /// Until a refreshed token is told to everybody although the store has not said that it is kept.
    pub(crate) commit: Duration,
    /// Somebody who waits for a token.
    pub(crate) wait: Duration,
    /// Until the app is allowed to exit during a refresh.
    pub(crate) exit: Duration,
}

impl Limits {
    pub(crate) fn with_refresh(refresh: Duration) -> Self {
        Self {
            refresh,
            offer: Duration::from_secs(5),
            commit: Duration::from_secs(5),
            // A refresh that the first page does not finish, and then another page does.
            wait: refresh * 2 + Duration::from_secs(30),
            exit: Duration::from_secs(3),
        }
    }
}
