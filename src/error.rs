//! The one error type of the plugin, and the list of codes that all four languages share.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// What went wrong, as a stable name that callers can decide on.
///
/// The list is the same in Rust, TypeScript, Kotlin and Swift; each tests itself against
/// `tests/fixtures/error-codes.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The store or the device is locked, or the unlock prompt was dismissed or not answered in
    /// time. The record may well be there: keep the user signed in and offer to try again.
    Locked,
    /// There is no store here: no Secret Service, no session bus, no Keystore. Or it is full, or
    /// cannot be opened now; the message tells the remedy.
    Unavailable,
    /// The user or the OS refused access. Asking again at once will not help.
    Denied,
    /// The app was built wrongly: a missing entitlement, an empty identifier, a missing shim.
    Misconfigured,
    /// The record is there but can never be read again: its key was invalidated, or a backup was
    /// restored on another device. The user has to log in again.
    Lost,
    /// What is stored is damaged or was not written by this plugin. It is kept as it is until
    /// `set_token` overwrites it or `clear_token` removes it.
    Corrupt,
    /// A token is over [`Token::MAX_LEN`](crate::Token::MAX_LEN), or the record is longer than the
    /// store of this platform takes (on Windows about 120,000 bytes).
    TooLarge,
    /// An account, a token or another argument breaks the rules. Nothing was changed.
    InvalidArgument,
    /// `ifRevision` is not the current revision: somebody changed the account in between. Nothing
    /// was changed; read again.
    Conflict,
    /// The account is outside the scope of the window that asked.
    Forbidden,
    /// The store did not answer within the deadline. A write may still have happened: read again.
    Timeout,
    /// Anything else; the message has the status of the OS.
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of the shared list.
    pub const ALL: &[Self] = &[
        Self::Locked,
        Self::Unavailable,
        Self::Denied,
        Self::Misconfigured,
        Self::Lost,
        Self::Corrupt,
        Self::TooLarge,
        Self::InvalidArgument,
        Self::Conflict,
        Self::Forbidden,
        Self::Timeout,
        Self::Internal,
    ];

    /// The code as JavaScript, Kotlin and Swift spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Unavailable => "unavailable",
            Self::Denied => "denied",
            Self::Misconfigured => "misconfigured",
            Self::Lost => "lost",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too-large",
            Self::InvalidArgument => "invalid-argument",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }

    #[cfg(any(mobile, test))]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Whether a write that a store failed with this code may have happened all the same: the store
    /// went away or stopped answering in between. The other codes say that nothing was changed.
    pub(crate) const fn leaves_writes_open(self) -> bool {
        matches!(self, Self::Timeout | Self::Unavailable | Self::Internal)
    }

    /// Whether the same call can succeed later without the caller changing anything.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Locked | Self::Unavailable | Self::Timeout)
    }
}

/// An error of the plugin: a code to decide on and a message to read.
///
/// The message never holds a token or another value that the user stored. For the same reason the
/// error of the OS library is not kept as a source: some of them print the bytes that they failed
/// on. Its text, where it is known to be safe, is part of the message.
///
/// Serialized for the page as `{ code, message, retryable }`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct Error {
    code: ErrorCode,
    message: String,
}

/// The result of every fallible call of the plugin.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with `code` and a message that must not contain anything that the user stored.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The code to decide on.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The text for a log or a bug report.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Corrupt, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Error", 3)?;
        error.serialize_field("code", self.code.as_str())?;
        error.serialize_field("message", &self.message)?;
        error.serialize_field("retryable", &self.code.is_retryable())?;
        error.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_shared_fixture() {
        let fixture: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../tests/fixtures/error-codes.json")).unwrap();
        let ours: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| serde_json::json!({ "code": code.as_str(), "retryable": code.is_retryable() }))
            .collect();
        assert_eq!(ours, fixture);
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(ErrorCode::parse("Locked"), None);
    }

    #[test]
    fn an_error_reaches_the_page_as_code_message_and_retryable() {
        let error = Error::new(ErrorCode::Locked, "the keyring is locked");
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            serde_json::json!({ "code": "locked", "message": "the keyring is locked", "retryable": true })
        );
        assert_eq!(error.to_string(), "locked: the keyring is locked");
    }
}
