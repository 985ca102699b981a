//! What may be shown of a session.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::error::Error;

/// Whether somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The store has not been read yet.
    Hydrating,
    /// There is no token.
    SignedOut,
    /// A token is in memory.
    SignedIn,
    /// The store could not be read, so nobody knows. [`Session::hydrate`](super::Session::hydrate)
    /// tries again.
    Unavailable,
}

impl Status {
    /// The status as JavaScript spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hydrating => "hydrating",
            Self::SignedOut => "signedOut",
            Self::SignedIn => "signedIn",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// Somebody signed out, in a window or in Rust.
    Logout,
    /// The server refused the refresh for good.
    Refused,
    /// `clear_token`, or another process of this app, has emptied the account.
    Elsewhere,
    /// The process ended during an earlier refresh, and the server refused the refresh token, which
    /// it had seen before.
    Interrupted,
}

impl EndReason {
    /// The reason as JavaScript spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Refused => "refused",
            Self::Elsewhere => "elsewhere",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What may be shown of a session. There is no token in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Whether somebody is signed in.
    pub status: Status,
    /// The number of the login. Each sign-in and each sign-out has another, larger one; all rotations
    /// of one login have the same.
    pub login: u64,
    /// Grows with each change of the session. Of two snapshots the one with the larger revision is
    /// newer.
    pub revision: u64,
    /// The revision at which the token last changed.
    pub token_revision: u64,
    /// When the token expires, in milliseconds since the Unix epoch, if that is known.
    pub expires_at: Option<u64>,
    /// Whether there is a refresh token, and somebody who can use it.
    pub can_refresh: bool,
    /// Whether the store is known to hold what memory holds: the token, or nothing.
    pub persisted: bool,
    /// Why the store does not, or could not be read.
    pub error: Option<Error>,
    /// With [`Status::SignedOut`]: why the login that this process knew has ended.
    pub reason: Option<EndReason>,
    /// Until when refreshing rests after a failure, in milliseconds since the Unix epoch.
    pub retry_at: Option<u64>,
    /// How many records wait for a page to revoke them.
    pub revokes: usize,
}

impl Snapshot {
    /// Whether the two differ in anything but their revision.
    pub(super) fn shows_the_same_as(&self, other: &Self) -> bool {
        let other = Self {
            revision: self.revision,
            ..other.clone()
        };
        *self == other
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut snapshot = serializer.serialize_struct("Snapshot", 11)?;
        snapshot.serialize_field("status", self.status.as_str())?;
        snapshot.serialize_field("login", &self.login)?;
        snapshot.serialize_field("revision", &self.revision)?;
        snapshot.serialize_field("tokenRevision", &self.token_revision)?;
        match self.expires_at {
            Some(at) => snapshot.serialize_field("expiresAt", &at)?,
            None => snapshot.skip_field("expiresAt")?,
        }
        snapshot.serialize_field("canRefresh", &self.can_refresh)?;
        snapshot.serialize_field("persisted", &self.persisted)?;
        match &self.error {
            Some(error) => snapshot.serialize_field("error", error)?,
            None => snapshot.skip_field("error")?,
        }
        match self.reason {
            Some(reason) => snapshot.serialize_field("reason", reason.as_str())?,
            None => snapshot.skip_field("reason")?,
        }
        match self.retry_at {
            Some(at) => snapshot.serialize_field("retryAt", &at)?,
            None => snapshot.skip_field("retryAt")?,
        }
        snapshot.serialize_field("revokes", &self.revokes)?;
        snapshot.end()
    }
}
