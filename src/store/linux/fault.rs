//! What can be done about an error of the Secret Service, and how it is reported.

use oo7::dbus::{Error as ServiceFault, ServiceError};

use super::unavailable;
use crate::{Error, ErrorCode};

/// An error, and whether to try again.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    error: Error,
    remedy: Remedy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// The provider or the session has gone: connect again.
    Reconnect,
    /// The item vanished or the collection was locked since the last step, or, with some providers,
    /// the session has gone: connect again, and from then on just repeat.
    Repeat,
    /// Nothing helps.
    Report,
}

/// How often a call was repeated already.
#[derive(Default)]
pub(super) struct Retries {
    reconnected: bool,
    repeated: u32,
}

impl Retries {
    /// With several processes on one account a write can lose its item to the deletions of others
    /// more than once.
    const MOST_REPEATS: u32 = 20;

    pub(super) fn reconnects_after(&mut self, fault: &Fault) -> bool {
        let reconnects = fault.remedy != Remedy::Report && !self.reconnected;
        self.reconnected |= reconnects;
        reconnects
    }

    pub(super) fn repeats_after(&mut self, fault: &Fault) -> bool {
        self.repeated += 1;
        fault.remedy == Remedy::Repeat && self.repeated <= Self::MOST_REPEATS
    }
}

impl Fault {
    pub(super) fn provider_gone() -> Self {
        Self {
            error: unavailable("the Secret Service has ended"),
            remedy: Remedy::Reconnect,
        }
    }

    /// What came through a session that is not proven is not what it should be.
    pub(super) fn unproven_read() -> Self {
        Self::new(
            ErrorCode::Corrupt,
            "what is stored is not a record",
            Remedy::Reconnect,
        )
    }

    /// As `unproven_read`, for what was written a moment ago.
    pub(super) fn unproven_write() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the Secret Service does not give back what was written",
            Remedy::Repeat,
        )
    }

    fn new(code: ErrorCode, message: &str, remedy: Remedy) -> Self {
        Self {
            error: Error::new(code, message),
            remedy,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            error,
            remedy: Remedy::Report,
        }
    }
}

impl From<ServiceFault> for Fault {
    fn from(fault: ServiceFault) -> Self {
        match fault {
            ServiceFault::ZBus(error) | ServiceFault::Service(ServiceError::ZBus(error)) => {
                error.into()
            }
            ServiceFault::Service(ServiceError::IsLocked(_)) => {
                Self::new(ErrorCode::Locked, "the keyring is locked", Remedy::Repeat)
            }
            ServiceFault::Dismissed => Self::new(
                ErrorCode::Locked,
                "the keyring is locked and its unlock prompt was dismissed, or could not be shown",
                Remedy::Report,
            ),
            ServiceFault::Service(ServiceError::NoSession(_)) => Self::new(
                ErrorCode::Unavailable,
                "the session with the Secret Service has ended",
                Remedy::Reconnect,
            ),
            ServiceFault::Deleted
            | ServiceFault::NotFound(_)
            | ServiceFault::Service(ServiceError::NoSuchObject(_)) => vanished(),
            ServiceFault::IO(error) => {
                unavailable(&format!("the session bus failed: {error}")).into()
            }
            ServiceFault::Crypto(_) => Self::new(
                ErrorCode::Internal,
                "the secret could not be encrypted for its transfer, or decrypted after it",
                Remedy::Reconnect,
            ),
        }
    }
}

impl From<zbus::fdo::Error> for Fault {
    fn from(error: zbus::fdo::Error) -> Self {
        zbus::Error::FDO(Box::new(error)).into()
    }
}

impl From<zbus::Error> for Fault {
    fn from(error: zbus::Error) -> Self {
        match &error {
            zbus::Error::MethodError(name, ..) => by_name(name.as_str(), &error),
            zbus::Error::FDO(fdo) => {
                let name = zbus::DBusError::name(&**fdo);
                by_name(name.as_str(), &error)
            }
            zbus::Error::InputOutput(_) | zbus::Error::Address(_) | zbus::Error::Connection(..) => {
                Self {
                    error: unavailable(&format!("there is no D-Bus session bus: {error}")),
                    remedy: Remedy::Reconnect,
                }
            }
            _ => Self {
                error: Error::internal(format!("D-Bus: {error}")),
                remedy: Remedy::Reconnect,
            },
        }
    }
}

/// Whether the provider refused an argument of the call.
pub(super) fn is_invalid_argument(fault: &ServiceFault) -> bool {
    let (ServiceFault::ZBus(error) | ServiceFault::Service(ServiceError::ZBus(error))) = fault
    else {
        return false;
    };
    matches!(error, zbus::Error::MethodError(name, ..)
        if name.as_str() == "org.freedesktop.DBus.Error.InvalidArgs")
}

/// Names of the D-Bus specification (0.43, "Standard error names") and of the Secret Service API.
fn by_name(name: &str, error: &zbus::Error) -> Fault {
    match name {
        "org.freedesktop.DBus.Error.UnknownMethod"
        | "org.freedesktop.DBus.Error.UnknownObject"
        | "org.freedesktop.DBus.Error.UnknownInterface"
        | "org.freedesktop.Secret.Error.NoSuchObject" => vanished(),
        // KWallet says so when it cannot decrypt what it should store: its key differs from ours.
        "org.qtproject.QtDBus.Error.InvalidObjectPath" => Fault::new(
            ErrorCode::Unavailable,
            "the Secret Service could not decrypt what it should store",
            Remedy::Repeat,
        ),
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner" => Fault {
            error: unavailable("no program on the session bus answers for the Secret Service"),
            remedy: Remedy::Reconnect,
        },
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => {
            Fault::provider_gone()
        }
        "org.freedesktop.DBus.Error.AccessDenied" => Fault::new(
            ErrorCode::Denied,
            "the session bus does not let this app talk to the Secret Service",
            Remedy::Report,
        ),
        _ if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => Fault {
            error: unavailable(&format!("the Secret Service could not be started ({name})")),
            remedy: Remedy::Report,
        },
        _ => Error::internal(format!("the Secret Service: {error}")).into(),
    }
}

fn vanished() -> Fault {
    Fault::new(
        ErrorCode::Internal,
        "the item vanished again and again while it was used",
        Remedy::Repeat,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_what_the_provider_could_not_decrypt_is_sent_again() {
        let kwallet = "org.qtproject.QtDBus.Error.InvalidObjectPath";
        let fault = by_name(kwallet, &zbus::Error::Unsupported);
        assert!(Retries::default().repeats_after(&fault));
    }
}
