//! What the status numbers of the OS mean to the caller.
//!
//! Plain tables, compiled for tests on every platform.

use crate::ErrorCode;
#[cfg(any(target_os = "macos", test))]
use crate::{Error, StoreState};

/// An error of a library that has a status of Apple's Security framework.
#[cfg(any(target_os = "macos", test))]
pub(super) trait AppleStatus: std::error::Error + 'static {
    /// The status, as `SecBase.h` numbers it.
    fn status(&self) -> i32;
}

/// What an error of a keychain means to the caller, where `S` is in it.
///
/// "Not found" (-25300) is no error: apple-native-keyring-store answers it as `NoEntry`, which is an
/// absent item.
#[cfg(any(target_os = "macos", test))]
pub(super) fn apple<S: AppleStatus>(error: &keyring_core::Error) -> Error {
    match apple_error::<S>(error) {
        Some(error) => {
            let status = error.status();
            let remedy = match status {
                -34018 => "; sign the app with a keychain access group, see docs/macos.md",
                _ => "",
            };
            Error::new(
                apple_code(status),
                format!("the keychain answers {status}: {error}{remedy}"),
            )
        }
        // Safe to show: only its `Debug` has bytes of the secret.
        None => Error::internal(format!("the keychain: {error}")),
    }
}

/// Whether a keychain refused to add an item because it has it already (errSecDuplicateItem).
#[cfg(any(target_os = "macos", test))]
pub(super) fn is_duplicate<S: AppleStatus>(error: &keyring_core::Error) -> bool {
    apple_error::<S>(error).is_some_and(|error| error.status() == -25299)
}

/// How a keychain is, by what it answers to a question that opens no dialog; and what a person
/// should know about that.
#[cfg(any(target_os = "macos", test))]
pub(super) fn apple_state<S: AppleStatus>(
    answer: Result<(), keyring_core::Error>,
) -> (StoreState, String) {
    match answer.map_err(|error| apple::<S>(&error)) {
        Ok(()) => (StoreState::Available, String::new()),
        Err(error) if error.code() == ErrorCode::Locked => {
            (StoreState::Locked, error.message().into())
        }
        Err(error) => (StoreState::Unavailable, error.message().into()),
    }
}

#[cfg(any(target_os = "macos", test))]
fn apple_error<S: AppleStatus>(error: &keyring_core::Error) -> Option<&S> {
    use keyring_core::Error::{NoStorageAccess, PlatformFailure};

    match error {
        PlatformFailure(source) | NoStorageAccess(source) => source.downcast_ref(),
        _ => None,
    }
}

/// The codes of the statuses in `SecBase.h`; it writes the errno of a failed system call as 100000
/// and the errno.
#[cfg(any(target_os = "macos", test))]
fn apple_code(status: i32) -> ErrorCode {
    match status {
        // errSecInteractionNotAllowed, errSecInteractionRequired, errSecInDarkWake
        -25308 | -25315 | -25320 => ErrorCode::Locked,
        // errSecUserCanceled, errSecAuthFailed, errSecInvalidOwnerEdit, errSecReadOnly, errSecWrPerm,
        // EPERM, EACCES, errSecCSReqFailed: the item's access list names another build of the app
        -128 | -25293 | -25244 | -25292 | -61 | 100_001 | 100_013 | -67050 => ErrorCode::Denied,
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain,
        // errSecDiskFull, ENOSPC
        -25291 | -25294 | -25295 | -25307 | -34 | 100_028 => ErrorCode::Unavailable,
        // errSecMissingEntitlement
        -34018 => ErrorCode::Misconfigured,
        // errSecDecode
        -26275 => ErrorCode::Corrupt,
        _ => ErrorCode::Internal,
    }
}

/// A system error of Windows, as windows-native-keyring-store words it: that crate keeps the type
/// with the number to itself.
#[cfg(any(windows, test))]
pub(super) fn windows(error: &str) -> ErrorCode {
    match error {
        // A network logon, or a service account without a vault.
        "Windows ERROR_NO_SUCH_LOGON_SESSION" => ErrorCode::Unavailable,
        // ERROR_ACCESS_DENIED of winerror.h
        "Windows error code 5" => ErrorCode::Denied,
        _ => ErrorCode::Internal,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use keyring_core::Error as KeyringError;

    use super::*;

    /// Stand-in for the error type of security-framework, which exists on Apple's systems alone.
    #[derive(Debug, thiserror::Error)]
    #[error("what the system says")]
    pub(in crate::store) struct Status(pub(in crate::store) i32);

    impl AppleStatus for Status {
        fn status(&self) -> i32 {
            self.0
        }
    }

    #[test]
    fn apple_statuses_are_told_apart() {
        for (status, code) in [
            (-25308, ErrorCode::Locked),
            (-25315, ErrorCode::Locked),
            (-25320, ErrorCode::Locked),
            (-128, ErrorCode::Denied),
            (-25293, ErrorCode::Denied),
            (-25244, ErrorCode::Denied),
            (-25292, ErrorCode::Denied),
            (-61, ErrorCode::Denied),
            (100_001, ErrorCode::Denied),
            (100_013, ErrorCode::Denied),
            (-67050, ErrorCode::Denied),
            (-25291, ErrorCode::Unavailable),
            (-25294, ErrorCode::Unavailable),
            (-25295, ErrorCode::Unavailable),
            (-25307, ErrorCode::Unavailable),
            (-34, ErrorCode::Unavailable),
            (100_028, ErrorCode::Unavailable),
            (-34018, ErrorCode::Misconfigured),
            (-26275, ErrorCode::Corrupt),
            (-25299, ErrorCode::Internal),
            (-25300, ErrorCode::Internal),
            (-50, ErrorCode::Internal),
            (0, ErrorCode::Internal),
        ] {
            // apple-native-keyring-store wraps some statuses in the one, some in the other.
            for wrap in [KeyringError::PlatformFailure, KeyringError::NoStorageAccess] {
                let error = apple::<Status>(&wrap(Box::new(Status(status))));
                assert_eq!(error.code(), code, "{status}");
                let text = format!("answers {status}: what the system says");
                assert!(error.message().contains(&text), "{error}");
            }
        }
    }

    #[test]
    fn p4_an_error_without_a_status_is_internal_and_shows_no_stored_byte() {
        let bytes = || b"canary".to_vec();
        let source = || Box::new(std::fmt::Error);
        for error in [
            KeyringError::PlatformFailure(source()),
            KeyringError::NoStorageAccess(source()),
            KeyringError::NoEntry,
            KeyringError::BadEncoding(bytes()),
            KeyringError::BadDataFormat(bytes(), source()),
            KeyringError::BadStoreFormat("form".into()),
            KeyringError::TooLong("secret".into(), 1),
            KeyringError::Invalid("service".into(), "empty".into()),
            KeyringError::Ambiguous(Vec::new()),
            KeyringError::NoDefaultStore,
            KeyringError::NotSupportedByStore("search".into()),
        ] {
            let error = apple::<Status>(&error);
            assert_eq!(error.code(), ErrorCode::Internal);
            let message = error.message();
            assert!(!message.contains("canary") && !message.contains("99, 97, 110"));
        }
    }

    #[test]
    fn the_state_of_a_keychain_is_what_it_answers() {
        let state = |status| {
            apple_state::<Status>(Err(KeyringError::PlatformFailure(Box::new(Status(status)))))
        };
        assert_eq!(
            apple_state::<Status>(Ok(())),
            (StoreState::Available, String::new())
        );
        assert_eq!(state(-25308).0, StoreState::Locked);
        assert_eq!(state(-25307).0, StoreState::Unavailable);
        let (unsigned, remedy) = state(-34018);
        assert_eq!(unsigned, StoreState::Unavailable);
        assert!(remedy.contains("sign the app"), "{remedy}");
    }

    #[test]
    fn windows_statuses_are_told_apart() {
        for (status, code) in [
            ("Windows error code 5", ErrorCode::Denied),
            (
                "Windows ERROR_NO_SUCH_LOGON_SESSION",
                ErrorCode::Unavailable,
            ),
            ("Windows error code 8", ErrorCode::Internal),
        ] {
            assert_eq!(windows(status), code, "{status}");
        }
    }
}
