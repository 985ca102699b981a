//! How the errors of the secret portal and of its files are reported.

use std::io::{self, ErrorKind};

use oo7::{
    ashpd::{self, PortalError, desktop::ResponseError},
    file,
};

use crate::{Error, ErrorCode};

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

pub(super) fn of_portal(error: &ashpd::Error) -> Error {
    match error {
        ashpd::Error::Response(ResponseError::Cancelled)
        | ashpd::Error::Portal(PortalError::Cancelled(_)) => Error::new(
            ErrorCode::Locked,
            "the keyring behind the secret portal is locked and its unlock prompt was dismissed",
        ),
        // The portal says no more, whether the keyring is locked or not there.
        ashpd::Error::Response(ResponseError::Other)
        | ashpd::Error::Portal(PortalError::Failed(_)) => Error::new(
            ErrorCode::Locked,
            "the secret portal did not give the secret of the app: the keyring behind it is locked and \
             could not be unlocked, or there is none",
        ),
        ashpd::Error::Portal(PortalError::NotAllowed(_)) => refused(),
        ashpd::Error::Portal(PortalError::NotFound(_)) | ashpd::Error::PortalNotFound(_) => {
            missing()
        }
        ashpd::Error::NoResponse => portal_gone(),
        ashpd::Error::Portal(PortalError::ZBus(error)) | ashpd::Error::Zbus(error) => of_bus(error),
        ashpd::Error::IO(error) => unavailable(&format!("the session bus failed: {error}")),
        _ => Error::internal("the secret portal did not answer as it should"),
    }
}

pub(super) fn of_bus(error: &zbus::Error) -> Error {
    match error {
        zbus::Error::MethodError(name, ..) => by_name(name.as_str(), error),
        zbus::Error::FDO(fdo) => by_name(zbus::DBusError::name(&**fdo).as_str(), error),
        zbus::Error::InputOutput(_) | zbus::Error::Address(_) | zbus::Error::Connection(..) => {
            unavailable(&format!("there is no D-Bus session bus: {error}"))
        }
        _ => Error::internal(format!(
            "the secret portal did not answer as it should: {error}"
        )),
    }
}

/// Names of the D-Bus specification (0.43, "Standard error names"). A portal without a backend for
/// secrets does not have their interface at all.
fn by_name(name: &str, error: &zbus::Error) -> Error {
    match name {
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.DBus.Error.UnknownProperty"
        | "org.freedesktop.DBus.Error.InvalidArgs" => missing(),
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => {
            portal_gone()
        }
        "org.freedesktop.DBus.Error.AccessDenied" => refused(),
        _ if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => {
            unavailable(&format!("the secret portal could not be started ({name})"))
        }
        _ => Error::internal(format!("the secret portal: {error}")),
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
    Error::internal(format!(
        "the secret of the portal could not be taken: {error}"
    ))
}

/// The texts of oo7 are left out where they can hold bytes of the file.
pub(super) fn of_keyring(error: &file::Error) -> Error {
    match error {
        file::Error::IncorrectSecret
        | file::Error::PartiallyCorruptedKeyring { .. }
        | file::Error::MacError
        | file::Error::HashedAttributeMac(_) => Error::new(
            ErrorCode::Lost,
            "the record was sealed with another secret than the portal gives now, or was altered",
        ),
        file::Error::Io(error) => of_file(error),
        file::Error::FileHeaderMismatch(_)
        | file::Error::VersionMismatch(_)
        | file::Error::NoData
        | file::Error::GVariantDeserialization(_)
        | file::Error::SaltSizeMismatch(..)
        | file::Error::WeakKey(_)
        | file::Error::Utf8(_) => Error::corrupt("the keyring file is damaged"),
        file::Error::TargetFileChanged(_) => {
            Error::internal("another program writes to the keyring file")
        }
        _ => Error::internal("the record could not be sealed or opened"),
    }
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
