//! The app's own Rust functions that talk to its server.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use super::{flight::Reply, tokens::Tokens};
use crate::{record::Record, token::Account};

/// Why [`Builder::refresh`](crate::Builder::refresh) brought no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshError {
    /// The server refused for good, as with `invalid_grant` (RFC 6749, section 5.2): the session ends.
    Ended,
    /// Anything else, such as no network or a server that is down: the session stays.
    Failed {
        /// How long the server asks to wait (`Retry-After`, RFC 9110, section 10.2.3).
        retry_after: Option<Duration>,
    },
}

impl RefreshError {
    /// A failure without a wait that the server asks for.
    #[must_use]
    pub const fn failed() -> Self {
        Self::Failed { retry_after: None }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the server refused the refresh for good",
            Self::Failed { .. } => "the refresh failed",
        })
    }
}

impl std::error::Error for RefreshError {}

impl From<Result<Tokens, RefreshError>> for Reply {
    fn from(refreshed: Result<Tokens, RefreshError>) -> Self {
        match refreshed {
            Ok(tokens) => Self::Renewed(tokens),
            Err(RefreshError::Ended) => Self::Ended,
            Err(RefreshError::Failed { retry_after }) => Self::Failed {
                retry_after,
                status: None,
            },
        }
    }
}

/// Why [`Builder::revoke`](crate::Builder::revoke) did not revoke a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The server has decided, and asking again changes nothing: the record is dropped.
    Refused,
    /// Anything else, such as no network: the record is tried again.
    Failed {
        /// How long the server asks to wait (`Retry-After`, RFC 9110, section 10.2.3).
        retry_after: Option<Duration>,
    },
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the server refused to revoke the record",
            Self::Failed { .. } => "the record could not be revoked",
        })
    }
}

impl std::error::Error for RevokeError {}

type Response<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What renews a record.
pub(crate) type Refresh = Arc<dyn Fn(Account, Record) -> Response<Reply> + Send + Sync>;

/// What tells the server that a record is no longer in use.
pub(crate) type Revoke =
    Arc<dyn Fn(Account, Record) -> Response<Result<(), RevokeError>> + Send + Sync>;
