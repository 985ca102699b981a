//! How the errors of the secret portal and of its files are reported.

use std::io::{self, ErrorKind};

use super::super::bus::BusFault;
use crate::error::{Error, ErrorCode};

/// There is no secret portal, and what a person can do about it.
pub(super) fn unavailable(reason: &str) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!(
            "{reason}; install and start xdg-desktop-portal with a backend that keeps secrets, such as \
             gnome-keyring or KWallet (a Snap also needs the interface `desktop`)"
        ),
    )
}

pub(super) fn portal_gone() -> Error {
    unavailable("the secret portal has ended")
}

pub(super) fn cancelled() -> Error {
    Error::new(
        ErrorCode::Locked,
        "the keyring behind the secret portal is locked and its unlock prompt was dismissed",
    )
}

/// The portal says no more, whether the keyring is locked or not there.
pub(super) fn failed() -> Error {
    Error::new(
        ErrorCode::Locked,
        "the secret portal did not give the secret of the app: the keyring behind it is locked and \
         could not be unlocked, or there is none",
    )
}

pub(super) fn not_understood() -> Error {
    Error::internal("the secret portal did not answer as it should")
}

pub(super) fn of_bus(error: &BusFault) -> Error {
    match error {
        BusFault::NoBus(reason) => unavailable(&format!("there is no D-Bus session bus: {reason}")),
        BusFault::Closed => portal_gone(),
        BusFault::Refused { name, message } => by_name(name, message),
        BusFault::Malformed(_) => not_understood(),
    }
}

/// Names of the D-Bus specification (0.43, "Standard error names") and of the portal. One without a backend
/// for secrets does not have their interface at all.
fn by_name(name: &str, message: &str) -> Error {
    match name {
        "org.freedesktop.portal.Error.Cancelled" => cancelled(),
        "org.freedesktop.portal.Error.Failed" => failed(),
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownProperty"
        | "org.freedesktop.DBus.Error.InvalidArgs"
        | "org.freedesktop.portal.Error.NotFound" => missing(),
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => {
            portal_gone()
        }
        "org.freedesktop.DBus.Error.AccessDenied" | "org.freedesktop.portal.Error.NotAllowed" => {
            refused()
        }
        _ if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => {
            unavailable(&format!("the secret portal could not be started ({name})"))
        }
        _ => Error::internal(format!("the secret portal: {name}: {message}")),
    }
}

fn missing() -> Error {
    unavailable("there is no secret portal")
}

fn refused() -> Error {
    Error::new(
        ErrorCode::Denied,
        "the session does not let this app talk to the secret portal",
    )
}

/// The pipe that the secret comes through.
pub(super) fn of_transfer(error: &io::Error) -> Error {
    // The two names of a read that takes too long (`UnixStream::set_read_timeout`).
    if let ErrorKind::WouldBlock | ErrorKind::TimedOut = error.kind() {
        return Error::new(
            ErrorCode::Timeout,
            "the secret portal did not hand its secret over in time",
        );
    }
    Error::internal(format!(
        "the secret of the portal could not be taken: {error}"
    ))
}

/// Another secret made the file, or somebody else has changed it: the MAC does not tell.
pub(super) fn lost() -> Error {
    Error::new(
        ErrorCode::Lost,
        "the record was sealed with another secret than the portal gives now, or was altered",
    )
}

pub(super) fn damaged() -> Error {
    Error::corrupt("the keyring file is damaged or was not written by this plugin")
}

/// Nobody waits for this: the call ended at its deadline.
pub(super) fn abandoned() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "the call ended before the keyring file was changed",
    )
}

pub(super) fn of_file(error: &io::Error) -> Error {
    let (code, reason) = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (ErrorCode::Denied, "the system refuses the keyring file")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            ErrorCode::Unavailable,
            "there is no room for the keyring file",
        ),
        _ => (ErrorCode::Internal, "the keyring file"),
    };
    Error::new(code, format!("{reason}: {error}"))
}
