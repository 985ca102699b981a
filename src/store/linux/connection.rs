//! The connection to the Secret Service, rebuilt when its provider has gone, and who the provider is.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dbus::{
    Path,
    arg::{AppendAll, Arg, Get, Variant},
};
use futures_util::{
    StreamExt, TryStreamExt,
    future::{self, try_join_all},
    stream,
};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    bus::{Bus, Method, Reply},
    fault::Fault,
    find::{Attributes, LastFound},
    session::Session,
};
use crate::error::{Error, ErrorCode};

/// The bus name of the Secret Service.
pub(super) const BUS_NAME: &str = "org.freedesktop.secrets";

const SERVICE_PATH: &str = "/org/freedesktop/secrets";

pub(super) const SERVICE: &str = "org.freedesktop.Secret.Service";
pub(super) const COLLECTION: &str = "org.freedesktop.Secret.Collection";
pub(super) const ITEM: &str = "org.freedesktop.Secret.Item";

/// The path that stands for no object.
pub(super) const NO_OBJECT: &str = "/";

/// How many objects are asked at once: enough that the round trips do not add up, few enough that a provider which
/// is asked for thousands still has room for others.
const IN_FLIGHT: usize = 64;

/// The connection that is in use, if any. One is built at a time: gnome-keyring 50 is reported to
/// end when many sessions are opened at once.
#[derive(Default)]
pub(super) struct Connections(Mutex<Current>);

#[derive(Default)]
struct Current {
    connection: Option<Arc<Connection>>,
    /// Outlives the sessions on it.
    bus: Option<Arc<Bus>>,
}

impl Connections {
    /// The connection in use. Whether its provider is still the one that answers has to be asked
    /// with [`Connection::check_owner`].
    pub(super) async fn get(&self) -> Result<Arc<Connection>, Fault> {
        let mut current = self.0.lock().await;
        let bus = match &current.bus {
            Some(bus) if !bus.is_closed() => bus.clone(),
            _ => {
                *current = Current::default();
                current.bus.insert(Arc::new(Bus::open().await?)).clone()
            }
        };
        if let Some(connection) = &current.connection {
            return Ok(connection.clone());
        }
        let connection = Arc::new(Connection::open(bus).await?);
        current.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Gives `lost` up, unless somebody has done so already.
    pub(super) async fn forget(&self, lost: &Arc<Connection>) {
        let connection = &mut self.0.lock().await.connection;
        if connection
            .as_ref()
            .is_some_and(|now| Arc::ptr_eq(now, lost))
        {
            *connection = None;
        }
    }
}

/// A session with one provider.
pub(super) struct Connection {
    pub(super) bus: Arc<Bus>,
    pub(super) session: Session,
    /// The program that the session was opened with, by its unique name on the bus.
    pub(super) owner: String,
    /// Whether a secret has come through the session as it should.
    proven: AtomicBool,
    pub(super) last_found: LastFound,
}

impl Connection {
    async fn open(bus: Arc<Bus>) -> Result<Self, Fault> {
        let (session, owner) = Session::open(&bus, BUS_NAME, &SERVICE_PATH.into()).await?;
        Ok(Self {
            bus,
            session,
            owner,
            proven: AtomicBool::new(false),
            last_found: LastFound::default(),
        })
    }

    /// Whether both sides are known to have the same key: with another one, a provider can store other bytes
    /// than it was given.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// A secret has come through the session as it should.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// Whether the session is still that of the program that answers now. A session with one that has
    /// ended is not always refused: KeePassXC then leaves an empty entry behind.
    pub(super) async fn check_owner(&self) -> Result<(), Fault> {
        match self.bus.owner_of(BUS_NAME).await? {
            Some(owner) if owner == self.owner => Ok(()),
            _ => Err(Fault::provider_gone()),
        }
    }

    /// The default collection. It is never created: that would open a wizard, or make a second,
    /// empty keyring beside the user's own.
    pub(super) async fn default_collection(&self) -> Result<Path<'static>, Fault> {
        let alias = self.call_service("ReadAlias", ("default",));
        let (collection,): (Path<'static>,) = alias.read().await?;
        if &*collection == NO_OBJECT {
            return Err(Fault::from(Error::new(
                ErrorCode::Unavailable,
                "the Secret Service has no default collection; create a keyring and make it the default",
            )));
        }
        Ok(collection)
    }

    /// The items in the collection at `path` that have the attributes and perhaps more.
    pub(super) async fn search(
        &self,
        path: &Path<'static>,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Path<'static>>, Fault> {
        let search = self.call(path, COLLECTION, "SearchItems", (attributes,));
        let (items,): (Vec<Path<'static>>,) = search.read().await?;
        Ok(items)
    }

    /// Whether the object at `path`, a `COLLECTION` or an `ITEM`, is locked.
    pub(super) async fn is_locked(
        &self,
        path: &Path<'static>,
        interface: &'static str,
    ) -> Result<bool, Fault> {
        self.property(path, interface, "Locked").await
    }

    /// The attributes of the item at `path`.
    pub(super) async fn attributes(
        &self,
        path: &Path<'static>,
    ) -> Result<HashMap<String, String>, Fault> {
        self.property(path, ITEM, "Attributes").await
    }

    /// The attributes of each of `items`, in their order.
    pub(super) async fn attributes_of(
        &self,
        items: &[Path<'static>],
    ) -> Result<Vec<HashMap<String, String>>, Fault> {
        let asked: Vec<_> = items.iter().map(|item| self.attributes(item)).collect();
        stream::iter(asked).buffered(IN_FLIGHT).try_collect().await
    }

    /// Whether the person has to let this app use one of `items`.
    pub(super) async fn any_locked(&self, items: &[Path<'static>]) -> Result<bool, Fault> {
        let asked: Vec<_> = items
            .iter()
            .map(|item| self.is_locked(item, ITEM))
            .collect();
        let answers = stream::iter(asked).buffered(IN_FLIGHT);
        answers.try_any(future::ready).await
    }

    /// When the item at `path` was changed, in seconds since the Unix epoch.
    pub(super) async fn modified(&self, path: &Path<'static>) -> Result<u64, Fault> {
        self.property(path, ITEM, "Modified").await
    }

    /// The secret of the item at `path`.
    pub(super) async fn secret(&self, path: &Path<'static>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let secret = self.call(path, ITEM, "GetSecret", (self.session.path(),));
        self.session.decrypt(&secret.message().await?)
    }

    /// Gives the item at `path` another secret.
    pub(super) async fn set_secret(&self, path: &Path<'static>, bytes: &[u8]) -> Result<(), Fault> {
        let secret = self.session.encrypt(bytes)?;
        let set = self.call(path, ITEM, "SetSecret", (secret.as_argument(),));
        Ok(set.read().await?)
    }

    /// Calls a method of the service itself.
    pub(super) fn call_service(&self, name: &str, arguments: impl AppendAll) -> Reply<'_> {
        self.call(&SERVICE_PATH.into(), SERVICE, name, arguments)
    }

    /// Calls a method of the object at `path`.
    pub(super) fn call(
        &self,
        path: &Path<'static>,
        interface: &str,
        name: &str,
        arguments: impl AppendAll,
    ) -> Reply<'_> {
        let method = Method {
            destination: &self.owner,
            path,
            interface,
            name,
        };
        self.bus.call(method, arguments)
    }

    async fn property<T>(
        &self,
        path: &Path<'static>,
        interface: &'static str,
        name: &'static str,
    ) -> Result<T, Fault>
    where
        T: Arg + for<'a> Get<'a>,
    {
        const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
        let property = self.call(path, PROPERTIES, "Get", (interface, name));
        let (value,): (Variant<T>,) = property.read().await?;
        Ok(value.0)
    }

    /// Who answers for the Secret Service: the owner of its name also owns a name of its own.
    pub(super) async fn provider(&self) -> Result<Provider, Fault> {
        let asked: Vec<_> = Provider::BY_NAME
            .iter()
            .map(|(own_name, _)| self.bus.owner_of(own_name))
            .collect();
        let owners = try_join_all(asked).await?;
        let is_ours = |owner: &Option<String>| owner.as_ref() == Some(&self.owner);
        let known = owners.iter().zip(Provider::BY_NAME);
        Ok(known
            .filter(|(owner, _)| is_ours(owner))
            .map(|(_, (_, provider))| provider)
            .next()
            .unwrap_or(Provider::Unknown))
    }
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
