//! The secret and the name that it is stored under.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// A bearer token (or refresh token): text that must not be shown.
///
/// `Debug` prints `[redacted]`, there is no `Display` and no `Serialize`, and the memory is wiped
/// on drop. Copies that others made cannot be wiped: the buffers of the IPC and of the key store's
/// library, and every string in JavaScript. Nor can what the system has written to the disk, in its
/// swap or in a core dump.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The longest token, in bytes of UTF-8.
    pub const MAX_LEN: usize = 1024 * 1024;

    /// Takes `text` over as a token.
    ///
    /// # Errors
    ///
    /// - [`ErrorCode::InvalidArgument`]: `text` is empty or has a NUL character, which one of the
    ///   supported stores cannot keep.
    /// - [`ErrorCode::TooLarge`]: `text` is longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            return Err(Error::invalid("a token must not be empty"));
        }
        if text.len() > Self::MAX_LEN {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("a token has at most {} bytes", Self::MAX_LEN),
            ));
        }
        if text.contains('\0') {
            return Err(Error::invalid("a token must not contain NUL"));
        }
        Ok(Self(text))
    }

    /// The secret text. Take care where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The first character of the accounts that name items of the plugin's own.
const INTERNAL: char = '\u{e000}';

/// Names one token of this app: any text of 1 to 512 bytes without control characters, except that
/// it does not begin with U+E000, a character for private use: so the plugin names items of its own.
///
/// The default is `"default"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account(String);

impl Account {
    /// The longest account, in bytes of UTF-8.
    pub const MAX_LEN: usize = 512;

    /// Takes `name` over as an account.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidArgument`]: `name` is empty, longer than [`MAX_LEN`](Self::MAX_LEN), has
    /// a control character (Unicode category Cc), or begins with U+E000.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let account = Self::at_rest(name)?;
        if account.is_internal() {
            return Err(Error::invalid("an account must not begin with U+E000"));
        }
        Ok(account)
    }

    /// As [`new`](Self::new), for a name that a store has: it may be of an item of the plugin's own.
    pub(crate) fn at_rest(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > Self::MAX_LEN {
            return Err(Error::invalid(format!(
                "an account has 1 to {} bytes",
                Self::MAX_LEN
            )));
        }
        if name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "an account must not contain control characters",
            ));
        }
        Ok(Self(name))
    }

    /// The item that holds the records which wait to be revoked. All stores take it, and no caller
    /// can name it.
    pub(crate) fn revokes() -> Self {
        Self(format!("{INTERNAL}revokes"))
    }

    /// Whether this names an item of the plugin's own.
    pub(crate) fn is_internal(&self) -> bool {
        self.0.starts_with(INTERNAL)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Account {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn code<T>(result: Result<T>) -> Option<ErrorCode> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn p4_debug_does_not_show_the_token() {
        let token = Token::new("canary").unwrap();
        assert_eq!(format!("{token:?}"), "[redacted]");
    }

    #[test]
    fn bad_tokens_are_refused_without_being_shown() {
        assert_eq!(code(Token::new("")), Some(ErrorCode::InvalidArgument));
        let error = Token::new("canary\0").unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(!error.to_string().contains("canary"));
        assert_eq!(code(Token::new("x".repeat(Token::MAX_LEN))), None);
        assert_eq!(
            code(Token::new("x".repeat(Token::MAX_LEN + 1))),
            Some(ErrorCode::TooLarge)
        );
    }

    #[test]
    fn the_account_rules_are_those_of_the_shared_fixture() {
        let fixture: Vec<Value> =
            serde_json::from_str(include_str!("../tests/fixtures/account-rules.json")).unwrap();
        assert!(!fixture.is_empty());
        for case in fixture {
            let account = match (&case["account"], &case["repeat"], &case["times"]) {
                (Value::String(account), _, _) => account.clone(),
                (_, Value::String(unit), times) => {
                    unit.repeat(times.as_u64().unwrap().try_into().unwrap())
                }
                _ => panic!("a case needs account, or repeat and times: {case}"),
            };
            let expected = case["valid"].as_bool().unwrap();
            assert_eq!(Account::new(account).is_ok(), expected, "{}", case["name"]);
        }
    }
}
