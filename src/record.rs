//! What one account stores.

use crate::{
    error::{Error, Result},
    token::Token,
};

/// What one account stores.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The bearer token (RFC 6750).
    pub token: Token,
    /// The refresh token that came with it (RFC 6749, section 1.5), where there is one.
    pub refresh_token: Option<Token>,
    /// When the token expires, in milliseconds since the Unix epoch (UTC), where that is known. At
    /// most [`MAX_EXPIRES_AT`](Self::MAX_EXPIRES_AT).
    pub expires_at: Option<u64>,
}

impl Record {
    /// The latest expiry: 2^53 - 1, the largest integer that JavaScript holds exactly (ECMAScript,
    /// `Number.MAX_SAFE_INTEGER`).
    pub const MAX_EXPIRES_AT: u64 = (1 << 53) - 1;

    /// A record with a token alone.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            token,
            refresh_token: None,
            expires_at: None,
        }
    }

    /// Whether one of the two tokens is in `other` too: to revoke this would then end `other`.
    pub(crate) fn shares_a_token_with(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| {
            let is_refreshed_alike =
                self.refresh_token.is_some() && self.refresh_token == other.refresh_token;
            self.token == other.token || is_refreshed_alike
        })
    }

    pub(crate) fn validate(&self) -> Result<()> {
        match self.expires_at {
            Some(at) if at > Self::MAX_EXPIRES_AT => Err(Error::invalid(format!(
                "expiresAt is at most {}",
                Self::MAX_EXPIRES_AT
            ))),
            _ => Ok(()),
        }
    }
}
