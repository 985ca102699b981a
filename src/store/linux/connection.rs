//! The connection to the Secret Service, rebuilt when its provider has gone, and who the provider is.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use oo7::dbus::{Collection, Error as ServiceFault, Item, Service};
use tokio::sync::Mutex;
use zbus::{
    fdo::{DBusProxy, NameOwnerChangedStream},
    names::{BusName, OwnedUniqueName, WellKnownName},
};

use super::fault::{Fault, is_invalid_argument};
use crate::{Error, ErrorCode};

/// The bus name of the Secret Service.
const BUS_NAME: &str = "org.freedesktop.secrets";

/// The connection that is in use, if any. One is built at a time: gnome-keyring 50 is reported to
/// end when many sessions are opened at once.
#[derive(Default)]
pub(super) struct Connections(Mutex<Option<Arc<Connection>>>);

impl Connections {
    pub(super) async fn get(&self) -> Result<Arc<Connection>, Fault> {
        let mut current = self.0.lock().await;
        if let Some(connection) = &*current
            && connection.is_current().await
        {
            return Ok(connection.clone());
        }
        *current = None;
        let connection = Arc::new(Connection::open().await?);
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Gives `lost` up, unless somebody has done so already.
    pub(super) async fn forget(&self, lost: &Arc<Connection>) {
        let mut current = self.0.lock().await;
        if current.as_ref().is_some_and(|now| Arc::ptr_eq(now, lost)) {
            *current = None;
        }
    }
}

/// A connection with a session of its own.
pub(super) struct Connection {
    service: Service,
    bus: DBusProxy<'static>,
    owner: OwnedUniqueName,
    /// Whether a secret has come through the session as it should.
    proven: AtomicBool,
    /// Where an item was found the last time.
    pub(super) last_found: std::sync::Mutex<Option<(Arc<Collection>, Arc<Item>)>>,
}

impl Connection {
    async fn open() -> Result<Self, Fault> {
        let service = open_session().await?;
        let bus = DBusProxy::new(&zbus::Connection::session().await?).await?;
        let owner = bus.get_name_owner(name(BUS_NAME)).await?;
        Ok(Self {
            service,
            bus,
            owner,
            proven: AtomicBool::new(false),
            last_found: std::sync::Mutex::default(),
        })
    }

    pub(super) fn bus(&self) -> &zbus::Connection {
        self.bus.inner().connection()
    }

    /// The program that the session was opened with, by its unique name on the bus.
    pub(super) fn owner(&self) -> &OwnedUniqueName {
        &self.owner
    }

    /// Whether both sides are known to have the same key. KWallet (5.103) has another one in about 1 of
    /// 125 sessions, among them all whose shared secret begins with a zero byte, which it leaves out. It
    /// then refuses a secret as one of an unknown session, or, where the padding looks right by chance, in
    /// 1 of 256, stores other bytes.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// A secret has come through the session as it should.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Whether the session is still that of the program that answers now. A session with one that has
    /// ended is not always refused: KeePassXC then leaves an empty entry behind. A bus that does not
    /// tell is left behind as well.
    async fn is_current(&self) -> bool {
        let owner = self.bus.get_name_owner(name(BUS_NAME)).await;
        owner.is_ok_and(|owner| owner == self.owner)
    }

    /// Tells when another program, or none, answers for the Secret Service.
    pub(super) async fn owner_changes(&self) -> Result<NameOwnerChangedStream, Fault> {
        let name = [(0, BUS_NAME)];
        Ok(self.bus.receive_name_owner_changed_with_args(&name).await?)
    }

    /// The default collection. It is never created: that would open a wizard, or make a second,
    /// empty keyring beside the user's own.
    pub(super) async fn default_collection(&self) -> Result<Collection, Fault> {
        let alias = self.service.with_alias(Service::DEFAULT_COLLECTION).await?;
        alias.ok_or_else(|| {
            Fault::from(Error::new(
                ErrorCode::Unavailable,
                "the Secret Service has no default collection; create a keyring and make it the default",
            ))
        })
    }

    /// Who answers for the Secret Service: the owner of its name also owns a name of its own.
    pub(super) async fn provider(&self) -> Result<Provider, Fault> {
        for (own_name, provider) in Provider::BY_NAME {
            match self.bus.get_name_owner(name(own_name)).await {
                Ok(owner) if owner == self.owner => return Ok(provider),
                Ok(_) | Err(zbus::fdo::Error::NameHasNoOwner(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Provider::Unknown)
    }
}

/// Opens a session whose transfers are encrypted, or none: `Service::new` would silently fall back to
/// plain ones.
async fn open_session() -> Result<Service, ServiceFault> {
    // oo7 leaves the leading zeros of its public key out, which every 256th key has, and KWallet
    // refuses a key that is not of full length. Each attempt makes another key.
    const ATTEMPTS: usize = 4;
    for _ in 1..ATTEMPTS {
        match Service::encrypted().await {
            Err(fault) if is_invalid_argument(&fault) => {}
            answer => return answer,
        }
    }
    Service::encrypted().await
}

fn name(name: &'static str) -> BusName<'static> {
    WellKnownName::from_static_str_unchecked(name).into()
}

/// The programs that are known to answer for the Secret Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    GnomeKeyring,
    KWallet,
    KeePassXc,
    Unknown,
}

impl Provider {
    const BY_NAME: [(&'static str, Self); 4] = [
        ("org.gnome.keyring", Self::GnomeKeyring),
        ("org.kde.kwalletd6", Self::KWallet),
        ("org.kde.kwalletd5", Self::KWallet),
        ("org.keepassxc.KeePassXC.MainWindow", Self::KeePassXc),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GnomeKeyring => "gnome-keyring",
            Self::KWallet => "KWallet",
            Self::KeePassXc => "KeePassXC",
            Self::Unknown => "unknown provider",
        }
    }

    /// Whether the provider has written to the disk when it acknowledges.
    pub(super) fn is_durable(self) -> bool {
        self == Self::GnomeKeyring
    }

    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::GnomeKeyring => "",
            Self::KWallet => "KWallet writes to the disk up to 5 s after it acknowledges",
            Self::KeePassXc => "KeePassXC writes to the disk after it acknowledges",
            Self::Unknown => "it is not known when this provider writes to the disk",
        }
    }
}
