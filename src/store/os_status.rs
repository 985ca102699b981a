//! What the status numbers of the OS mean to the caller.
//!
//! Plain tables, compiled for tests on every platform.

use crate::ErrorCode;

/// A status of Apple's Security framework (`SecBase.h`; -61 and -128 are of Mac OS' `MacErrors.h`).
#[cfg(any(target_os = "macos", test))]
pub(super) fn apple(status: i32) -> ErrorCode {
    match status {
        // errSecInteractionNotAllowed, errSecInteractionRequired
        -25308 | -25315 => ErrorCode::Locked,
        // userCanceledErr, errSecAuthFailed, errSecInvalidOwnerEdit, errSecReadOnly, wrPermErr,
        // errSecCSReqFailed: the item's access list names another build of the app
        -128 | -25293 | -25244 | -25292 | -61 | -67050 => ErrorCode::Denied,
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain
        -25291 | -25294 | -25295 | -25307 => ErrorCode::Unavailable,
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
mod tests {
    use super::*;

    #[test]
    fn apple_statuses_are_told_apart() {
        for (status, code) in [
            (-25308, ErrorCode::Locked),
            (-25293, ErrorCode::Denied),
            (-128, ErrorCode::Denied),
            (-67050, ErrorCode::Denied),
            (-25291, ErrorCode::Unavailable),
            (-34018, ErrorCode::Misconfigured),
            (-26275, ErrorCode::Corrupt),
            (-25300, ErrorCode::Internal),
            (0, ErrorCode::Internal),
        ] {
            assert_eq!(apple(status), code, "{status}");
        }
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
