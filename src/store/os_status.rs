//! What the status numbers of the OS mean to the caller.
//!
//! Plain tables, compiled for tests on every platform.

use crate::{
    error::{Error, ErrorCode, Result},
    store::StoreState,
};

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

/// How a store is, by the result of a question that opens no dialog; and what a person should know
/// about that.
pub(super) fn state(result: Result<()>) -> (StoreState, String) {
    match result {
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

/// What an error of windows-native-keyring-store means to the caller.
///
/// That crate keeps the type with the number of Windows to itself. `last` is the error that Windows
/// keeps for each thread, taken before another call replaces it.
#[cfg(any(windows, test))]
pub(super) fn windows(error: &keyring_core::Error, last: &std::io::Error) -> Error {
    use keyring_core::Error::{NoStorageAccess, PlatformFailure};

    let number = last.raw_os_error().unwrap_or_default();
    match error {
        // The crate's only use of it is ERROR_NO_SUCH_LOGON_SESSION.
        NoStorageAccess(_) => Error::new(
            ErrorCode::Unavailable,
            format!(
                "the Credential Manager answers {NO_SUCH_LOGON_SESSION}: this logon session has no \
                 credentials; a network logon has none, and a policy can forbid to store them"
            ),
        ),
        PlatformFailure(_) => {
            let remedy = match number {
                NOT_ENOUGH_MEMORY => {
                    "; Windows says so when the credentials of all programs of this user fill its \
                     Credential Manager: remove some that are no longer needed, in the Control \
                     Panel under Credential Manager, Windows Credentials"
                }
                _ => "",
            };
            Error::new(
                windows_code(number),
                format!("the Credential Manager answers {number}: {last}{remedy}"),
            )
        }
        // Safe to show: only its `Debug` has bytes of the secret.
        _ => Error::internal(format!("the Credential Manager: {error}")),
    }
}

/// `ERROR_NOT_ENOUGH_MEMORY` of `winerror.h`.
#[cfg(any(windows, test))]
const NOT_ENOUGH_MEMORY: i32 = 8;

/// `ERROR_NO_SUCH_LOGON_SESSION`.
#[cfg(any(windows, test))]
const NO_SUCH_LOGON_SESSION: i32 = 1312;

/// The codes of the system errors in `winerror.h`.
#[cfg(any(windows, test))]
fn windows_code(number: i32) -> ErrorCode {
    match number {
        // ERROR_ACCESS_DENIED, ERROR_PRIVILEGE_NOT_HELD
        5 | 1314 => ErrorCode::Denied,
        // Also ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_NO_SYSTEM_RESOURCES,
        // ERROR_NOT_ENOUGH_QUOTA; RPC_S_SERVER_UNAVAILABLE, RPC_S_SERVER_TOO_BUSY and
        // RPC_S_CALL_FAILED of the service that keeps the credentials
        NOT_ENOUGH_MEMORY | NO_SUCH_LOGON_SESSION | 39 | 112 | 1450 | 1816 | 1722 | 1723 | 1726 => {
            ErrorCode::Unavailable
        }
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
        let of = |status| {
            let error = KeyringError::PlatformFailure(Box::new(Status(status)));
            state(Err(apple::<Status>(&error)))
        };
        assert_eq!(state(Ok(())), (StoreState::Available, String::new()));
        assert_eq!(of(-25308).0, StoreState::Locked);
        assert_eq!(of(-25307).0, StoreState::Unavailable);
        let (unsigned, remedy) = of(-34018);
        assert_eq!(unsigned, StoreState::Unavailable);
        assert!(remedy.contains("sign the app"), "{remedy}");
    }

    /// The error that windows-native-keyring-store makes of this number. What it says is not read.
    fn of_windows(number: i32) -> Error {
        let source = Box::new(std::fmt::Error);
        let error = match number {
            NO_SUCH_LOGON_SESSION => KeyringError::NoStorageAccess(source),
            _ => KeyringError::PlatformFailure(source),
        };
        windows(&error, &std::io::Error::from_raw_os_error(number))
    }

    #[test]
    fn windows_errors_are_told_apart_by_their_numbers() {
        for (number, code) in [
            (5, ErrorCode::Denied),
            (1314, ErrorCode::Denied),
            (8, ErrorCode::Unavailable),
            (39, ErrorCode::Unavailable),
            (112, ErrorCode::Unavailable),
            (1312, ErrorCode::Unavailable),
            (1450, ErrorCode::Unavailable),
            (1722, ErrorCode::Unavailable),
            (1723, ErrorCode::Unavailable),
            (1726, ErrorCode::Unavailable),
            (1816, ErrorCode::Unavailable),
            (87, ErrorCode::Internal),
            (1783, ErrorCode::Internal),
        ] {
            let error = of_windows(number);
            assert_eq!(error.code(), code, "{number}");
            let text = format!("answers {number}: ");
            assert!(error.message().contains(&text), "{error}");
        }
    }

    #[test]
    fn a_full_credential_manager_tells_the_remedy() {
        let error = of_windows(8);
        assert!(error.message().contains("remove some"), "{error}");
        assert!(!of_windows(112).message().contains("remove some"));
    }

    #[test]
    fn a_logon_session_without_credentials_is_unavailable() {
        let (state, detail) = state(Err(of_windows(1312)));
        assert_eq!(state, StoreState::Unavailable);
        assert!(detail.contains("network logon"), "{detail}");
    }

    #[test]
    fn p4_an_error_of_the_library_alone_has_no_number_of_windows() {
        let last = std::io::Error::from_raw_os_error(8);
        for error in [
            KeyringError::TooLong("secret".into(), 2560),
            KeyringError::BadEncoding(b"canary".to_vec()),
        ] {
            let error = windows(&error, &last);
            assert_eq!(error.code(), ErrorCode::Internal);
            assert!(!error.message().contains("canary"));
        }
    }
}
