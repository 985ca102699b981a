//! What can be done about an error of the Secret Service, and how it is reported.

use super::{bus::BusFault, unavailable};
use crate::error::{Error, ErrorCode};

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

    /// A secret that does not fit the session: cut short, altered, or encrypted with another key.
    pub(super) fn undecipherable() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the secret could not be decrypted after its transfer",
            Remedy::Reconnect,
        )
    }

    /// The Secret Service has not agreed on a key, although it was asked to.
    pub(super) fn bad_key() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the Secret Service did not agree on a key for the transfer of secrets",
            Remedy::Report,
        )
    }

    pub(super) fn no_randomness() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the system gave no random bytes for the transfer of secrets",
            Remedy::Report,
        )
    }

    /// A dialog about a new item has ended without one.
    pub(super) fn not_created() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the Secret Service does not say where it has put the new item",
            Remedy::Report,
        )
    }

    /// The person does not want the item to be removed.
    pub(super) fn removal_refused() -> Self {
        Self::new(
            ErrorCode::Denied,
            "the removal was refused in the dialog of the Secret Service",
            Remedy::Report,
        )
    }

    /// The person has closed the dialog, or there is no program to show it.
    pub(super) fn dismissed() -> Self {
        Self::new(
            ErrorCode::Locked,
            "the keyring is locked and its unlock prompt was dismissed, or could not be shown",
            Remedy::Report,
        )
    }

    pub(super) fn is_locked(&self) -> bool {
        self.error.code() == ErrorCode::Locked
    }

    /// The same error, for which nothing is tried again.
    pub(super) fn into_final(self) -> Self {
        Self::from(self.error)
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

impl From<BusFault> for Fault {
    fn from(fault: BusFault) -> Self {
        match fault {
            BusFault::NoBus(reason) => Self {
                error: unavailable(&format!("there is no D-Bus session bus: {reason}")),
                remedy: Remedy::Reconnect,
            },
            BusFault::Closed => Self {
                error: unavailable("the D-Bus session bus has ended"),
                remedy: Remedy::Reconnect,
            },
            BusFault::Refused { name, message } => by_name(&name, &message),
            BusFault::Malformed(reason) => Self {
                error: Error::internal(format!(
                    "the Secret Service did not reply as it should: {reason}"
                )),
                remedy: Remedy::Reconnect,
            },
        }
    }
}

/// Names of the D-Bus specification (0.43, "Standard error names") and of the Secret Service API.
fn by_name(name: &str, message: &str) -> Fault {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => {
            Fault::new(ErrorCode::Locked, "the keyring is locked", Remedy::Repeat)
        }
        "org.freedesktop.Secret.Error.NoSession" => Fault::new(
            ErrorCode::Unavailable,
            "the session with the Secret Service has ended",
            Remedy::Reconnect,
        ),
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
        "org.freedesktop.DBus.Error.NotSupported" => Fault {
            error: unavailable(&format!(
                "the Secret Service does not support what this app needs, such as encrypted transfers ({message})"
            )),
            remedy: Remedy::Report,
        },
        _ => Error::internal(format!("the Secret Service: {name}: {message}")).into(),
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
        let fault = by_name(kwallet, "");
        assert!(Retries::default().repeats_after(&fault));
    }
}
