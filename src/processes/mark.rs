//! What the processes of an app tell each other about one account.

use super::files::TokenHash;
use crate::token::Token;

/// What the processes of an app tell each other about one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub stamp: Stamp,
    /// The refresh token that was sent to the server and whose outcome is not known yet.
    pub in_use: Option<InUse>,
}

impl Mark {
    /// The mark of an account that no process has changed yet.
    pub(super) const NEW: Self = Self {
        stamp: Stamp {
            change: 0,
            login: 0,
        },
        in_use: None,
    };
}

/// Two numbers that only grow. Equal stamps mean that nothing has changed in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Grows with each committed change.
    pub change: u64,
    /// Grows with each change that begins another login.
    pub login: u64,
}

/// A refresh token that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InUse {
    pub(super) hash: TokenHash,
    /// When it was sent, in milliseconds since the Unix epoch.
    pub since: u64,
}

impl InUse {
    /// Whether it is `token` that is in use.
    ///
    /// The comparison need not take constant time: both sides are hashes of a secret, which nobody can
    /// steer byte by byte, and the file is in the hands of the user whose token it is.
    pub(crate) fn is_of(&self, token: &Token) -> bool {
        self.hash.is_of(token)
    }
}
