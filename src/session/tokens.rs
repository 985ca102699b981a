//! What a server answers to a login or a refresh.

use std::time::Duration;

use super::clock::{Moment, millis};
use crate::{
    error::{Error, Result},
    record::Record,
    token::Token,
};

/// A moment before this one, in March 1973, was not given in milliseconds.
const EARLIEST_MOMENT: u64 = 100_000_000_000;

/// What a server sends after a login or a refresh.
///
/// ```
/// use std::time::Duration;
/// use tauri_plugin_secure_token::{Result, Token, Tokens};
///
/// # fn read(access_token: String, refresh_token: String) -> Result<Tokens> {
/// let mut tokens = Tokens::new(Token::new(access_token)?);
/// tokens.refresh_token = Some(Token::new(refresh_token)?);
/// tokens.expires_in = Some(Duration::from_secs(3600));
/// # Ok(tokens)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// The bearer token. It goes into a header, so only visible ASCII may be in it, with spaces and
    /// tabs between (RFC 9110, section 5.5).
    pub token: Token,
    /// The refresh token. `None` after a refresh: the one before stays in use (RFC 6749, section 6).
    pub refresh_token: Option<Token>,
    /// The lifetime from now (RFC 6749, section 5.1). Preferred, since it does not depend on the
    /// clock being right. Zero says nothing.
    pub expires_in: Option<Duration>,
    /// The end of the lifetime, in milliseconds since the Unix epoch. Ignored if it has passed
    /// already: a token that just arrived is not called expired because of a wrong clock. A moment
    /// before March 1973 was given in seconds, and is ignored too.
    pub expires_at: Option<u64>,
}

impl Tokens {
    /// A token alone.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            token,
            refresh_token: None,
            expires_in: None,
            expires_at: None,
        }
    }

    /// Fails with `invalid-argument` if no request could carry the token.
    pub(crate) fn check(&self) -> Result<()> {
        if is_field_value(self.token.expose()) {
            return Ok(());
        }
        Err(Error::invalid(
            "token has a character that no HTTP header can carry: only visible ASCII may be in it. \
             Some encoders of Base64 add line breaks: take them out",
        ))
    }

    /// The record of tokens that arrived at `now`, with `refresh_token` if they bring none.
    pub(crate) fn into_record(self, refresh_token: Option<&Token>, now: Moment) -> Record {
        let expires_at = self.end(now);
        let mut record = Record::new(self.token);
        record.refresh_token = self.refresh_token.or_else(|| refresh_token.cloned());
        record.expires_at = expires_at;
        record
    }

    fn end(&self, now: Moment) -> Option<u64> {
        let lifetime = self.expires_in.filter(|lifetime| !lifetime.is_zero());
        let end = match (lifetime, self.expires_at) {
            (Some(lifetime), _) => now.wall.checked_add(millis(lifetime))?,
            (None, Some(at)) if at < EARLIEST_MOMENT => {
                log::warn!(
                    "expires_at was ignored: it must be in milliseconds since the Unix epoch"
                );
                return None;
            }
            (None, at) => at?,
        };
        // Servers send the largest number that they have to say "never".
        (end > now.wall && end <= Record::MAX_EXPIRES_AT).then_some(end)
    }
}

/// Whether a header can carry `text` (RFC 9110, section 5.5), without the obsolete bytes over 0x7F.
pub(crate) fn is_field_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_visible = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    is_visible(bytes.first())
        && is_visible(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(token: &str) -> Tokens {
        Tokens::new(Token::new(token).unwrap())
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_without_being_shown() {
        for fit in ["t", "a b", "a\tb", "eyJ.eyJ.sig-_~+/="] {
            assert!(tokens(fit).check().is_ok(), "{fit}");
        }
        for unfit in [
            "SECRET\nPART2",
            " t",
            "t ",
            "t\r",
            "schlüssel",
            "a\u{7f}b",
            "\t",
        ] {
            let error = tokens(unfit).check().unwrap_err();
            assert_eq!(error.code(), crate::error::ErrorCode::InvalidArgument);
            assert!(!error.message().contains("SECRET"));
        }
    }

    #[test]
    fn an_expiry_that_says_nothing_useful_is_left_out() {
        let now = Moment::now();
        let end = |expires_in, expires_at| {
            let mut tokens = tokens("t");
            (tokens.expires_in, tokens.expires_at) = (expires_in, expires_at);
            tokens.into_record(None, now).expires_at
        };
        let hour = Duration::from_secs(3600);
        assert_eq!(end(Some(hour), None), Some(now.wall + 3_600_000));
        assert_eq!(end(Some(hour), Some(5)), Some(now.wall + 3_600_000));
        assert_eq!(end(None, Some(now.wall + 1)), Some(now.wall + 1));
        assert_eq!(
            end(Some(Duration::ZERO), Some(now.wall + 1)),
            Some(now.wall + 1)
        );
        for (expires_in, expires_at) in [
            (None, None),
            (None, Some(now.wall)),
            (None, Some(now.wall / 1000 + 3600)),
            (Some(Duration::MAX), None),
            (Some(Duration::from_secs(i64::MAX.unsigned_abs())), None),
            (None, Some(u64::MAX)),
        ] {
            assert_eq!(end(expires_in, expires_at), None);
        }
    }

    #[test]
    fn the_refresh_token_before_stays_in_use_if_the_server_sends_none() {
        let before = Token::new("r1").unwrap();
        let record = tokens("t").into_record(Some(&before), Moment::now());
        assert_eq!(record.refresh_token, Some(before.clone()));
        let mut next = tokens("t");
        next.refresh_token = Some(Token::new("r2").unwrap());
        let record = next.into_record(Some(&before), Moment::now());
        assert_eq!(record.refresh_token.unwrap().expose(), "r2");
    }
}
