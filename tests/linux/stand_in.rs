//! A stand-in for a provider of the Secret Service that answers wrongly, late or not at all, and for
//! KWallet where its key differs from ours: no real provider does that on demand.
//!
//! The secrets of the sessions that are said to be garbled come back with other bytes, as those do that were
//! encrypted with another key and whose padding looks right by chance.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "zbus calls the methods of an interface so"
)]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, Semaphore};
use zbus::{
    Connection, ObjectServer, connection, fdo, interface,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use crate::{
    session::{Session, until},
    transfer::Key,
};

const SERVICE: &str = "/org/freedesktop/secrets";
const SESSION: &str = "/org/freedesktop/secrets/session/";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/default";
const ITEM: &str = "/org/freedesktop/secrets/collection/default/1";

/// What a transfer does to the first bytes; one does not undo the other.
const IN: u8 = 0x80;
const OUT: u8 = 0xa0;

/// Session, parameters (the initialisation vector), value, content type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
type Attributes = HashMap<String, String>;

/// Which call is answered badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Search,
    GetSecret,
    SetSecret,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Only when the provider is mended.
    Late,
    /// With an error that no specification names.
    Refusal,
    /// With a secret of another session.
    OtherSession,
    /// With a secret whose initialisation vector is cut.
    HalfASecret,
    /// With bytes that nobody has encrypted.
    Garbage,
}

/// Holds the calls until they are let through.
struct Gate {
    is_shut: AtomicBool,
    arrived: AtomicUsize,
    let_through: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            is_shut: AtomicBool::new(false),
            arrived: AtomicUsize::new(0),
            let_through: Semaphore::new(0),
        }
    }
}

impl Gate {
    async fn pass(&self) {
        if self.is_shut.load(Ordering::SeqCst) {
            self.arrived.fetch_add(1, Ordering::SeqCst);
            self.let_through.acquire().await.unwrap().forget();
        }
    }
}

#[derive(Default)]
struct State {
    gate: Gate,
    sessions: AtomicU32,
    last_garbled: AtomicU32,
    last_misunderstood: AtomicU32,
    keys: Mutex<HashMap<String, Key>>,
    item: Mutex<Option<(Attributes, Vec<u8>)>>,
    bad: Mutex<Option<(Call, Bad)>>,
    mended: Notify,
}

pub struct StandIn {
    state: Arc<State>,
    _connection: Connection,
}

impl StandIn {
    pub async fn start(session: &Session) -> Self {
        let state = Arc::new(State::default());
        let bus = session.env();
        let (_, address) = bus
            .iter()
            .find(|(name, _)| name.ends_with("BUS_ADDRESS"))
            .unwrap();
        let connection = connection::Builder::address(address.as_str()).unwrap();
        let connection = connection
            .serve_at(SERVICE, SecretService(state.clone()))
            .unwrap()
            .serve_at(COLLECTION, Collection(state.clone()))
            .unwrap()
            .serve_at(ITEM, Item(state.clone()))
            .unwrap()
            .name("org.freedesktop.secrets")
            .unwrap();
        Self {
            state,
            _connection: connection.build().await.unwrap(),
        }
    }

    pub fn answers_badly(&self, call: Call, bad: Bad) {
        *self.state.bad.lock().unwrap() = Some((call, bad));
    }

    /// From now on answers are good, and those that are late are given.
    pub fn mend(&self) {
        *self.state.bad.lock().unwrap() = None;
        self.state.mended.notify_waiters();
    }

    /// From now on no call is answered before it is let through.
    pub fn hold(&self) {
        self.state.gate.arrived.store(0, Ordering::SeqCst);
        self.state.gate.is_shut.store(true, Ordering::SeqCst);
    }

    /// Waits for `count` calls that were sent without waiting for each other, and lets them through.
    pub async fn let_through(&self, count: usize) {
        let gate = &self.state.gate;
        until(async || gate.arrived.load(Ordering::SeqCst) >= count).await;
        assert_eq!(gate.arrived.swap(0, Ordering::SeqCst), count);
        gate.let_through.add_permits(count);
    }

    /// Whatever comes now is answered at once.
    pub fn stop_holding(&self) {
        self.state.gate.is_shut.store(false, Ordering::SeqCst);
    }

    /// So many sessions that are opened next have a shared secret with a leading zero, which this provider leaves out.
    pub fn misunderstand_next_sessions(&self, count: u32) {
        let last = self.state.sessions.load(Ordering::SeqCst) + count;
        self.state.last_misunderstood.store(last, Ordering::SeqCst);
    }

    pub fn sessions_opened(&self) -> u32 {
        self.state.sessions.load(Ordering::SeqCst)
    }

    /// So many sessions are garbled that are opened next, those after them are not.
    pub fn garble_next_sessions(&self, count: u32) {
        let last = self.state.sessions.load(Ordering::SeqCst) + count;
        self.state.last_garbled.store(last, Ordering::SeqCst);
    }
}

impl State {
    /// How `call` is to be answered; a late answer is the good one.
    async fn bad(&self, call: Call) -> fdo::Result<Option<Bad>> {
        let mended = self.mended.notified();
        let bad = *self.bad.lock().unwrap();
        match bad {
            Some((at, Bad::Late)) if at == call => {
                mended.await;
                Ok(None)
            }
            Some((at, Bad::Refusal)) if at == call => Err(fdo::Error::Failed("not today".into())),
            Some((at, bad)) if at == call => Ok(Some(bad)),
            _ => Ok(None),
        }
    }

    /// The bytes that a client has sent.
    fn received(&self, secret: Secret) -> fdo::Result<Vec<u8>> {
        let (key, iv) = self.key_and_iv(&secret.0, secret.1, IN);
        key.decrypt(&iv, &secret.2)
            .ok_or_else(|| fdo::Error::Failed("cannot decrypt".into()))
    }

    /// The bytes on their way to a client.
    fn sent(&self, session: OwnedObjectPath, bytes: &[u8]) -> Secret {
        let iv = vec![7; 16];
        let (key, garbling) = self.key_and_iv(&session, iv.clone(), OUT);
        let encrypted = key.encrypt(&garbling, bytes);
        (session, iv, encrypted, "application/octet-stream".into())
    }

    /// In a garbled session the initialisation vector, and so the first bytes of the secret, are others.
    fn key_and_iv(&self, session: &OwnedObjectPath, mut iv: Vec<u8>, change: u8) -> (Key, Vec<u8>) {
        let number = session.as_str().strip_prefix(SESSION).unwrap();
        if number.parse::<u32>().unwrap() <= self.last_garbled.load(Ordering::SeqCst) {
            for byte in &mut iv {
                *byte ^= change;
            }
        }
        let key = self.keys.lock().unwrap()[session.as_str()].clone();
        (key, iv)
    }

    fn found(&self, wanted: &Attributes) -> Vec<OwnedObjectPath> {
        let item = self.item.lock().unwrap();
        let has = |(name, value): (&String, &String)| {
            item.as_ref()
                .is_some_and(|(has, _)| has.get(name) == Some(value))
        };
        if wanted.iter().all(has) {
            vec![path(ITEM)]
        } else {
            Vec::new()
        }
    }
}

fn path(path: &str) -> OwnedObjectPath {
    ObjectPath::try_from(path).unwrap().into()
}

struct SecretService(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Service")]
impl SecretService {
    async fn open_session(
        &self,
        _algorithm: String,
        key: Value<'_>,
        #[zbus(object_server)] objects: &ObjectServer,
    ) -> (OwnedValue, OwnedObjectPath) {
        let number = self.0.sessions.fetch_add(1, Ordering::SeqCst) + 1;
        let client = Vec::<u8>::try_from(key).unwrap();
        let (public, key) = if number <= self.0.last_misunderstood.load(Ordering::SeqCst) {
            Key::misunderstood_with(&client)
        } else {
            Key::agreed_with(&client)
        };
        let session = format!("{SESSION}{number}");
        self.0.keys.lock().unwrap().insert(session.clone(), key);
        objects.at(session.as_str(), OpenSession).await.unwrap();
        (Value::from(public).try_to_owned().unwrap(), path(&session))
    }

    async fn read_alias(&self, _name: String) -> OwnedObjectPath {
        self.0.gate.pass().await;
        path(COLLECTION)
    }
}

struct OpenSession;

#[interface(name = "org.freedesktop.Secret.Session")]
impl OpenSession {
    fn close(&self) {}
}

struct Collection(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    async fn locked(&self) -> bool {
        self.0.gate.pass().await;
        false
    }

    async fn search_items(&self, attributes: Attributes) -> fdo::Result<Vec<OwnedObjectPath>> {
        self.0.gate.pass().await;
        self.0.bad(Call::Search).await?;
        Ok(self.0.found(&attributes))
    }

    fn create_item(
        &self,
        mut properties: HashMap<String, OwnedValue>,
        secret: Secret,
        _replace: bool,
    ) -> fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes");
        let attributes = Attributes::try_from(attributes.unwrap()).unwrap();
        *self.0.item.lock().unwrap() = Some((attributes, self.0.received(secret)?));
        Ok((path(ITEM), path("/")))
    }
}

struct Item(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    async fn attributes(&self) -> Attributes {
        self.0.gate.pass().await;
        self.0
            .item
            .lock()
            .unwrap()
            .clone()
            .map(|(has, _)| has)
            .unwrap_or_default()
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }

    async fn get_secret(&self, session: OwnedObjectPath) -> fdo::Result<(Secret,)> {
        self.0.gate.pass().await;
        let bad = self.0.bad(Call::GetSecret).await?;
        let item = self.0.item.lock().unwrap().clone();
        let (_, stored) = item.ok_or_else(|| fdo::Error::UnknownObject(ITEM.into()))?;
        let mut secret = self.0.sent(session, &stored);
        match bad {
            Some(Bad::HalfASecret) => secret.1.truncate(3),
            Some(Bad::Garbage) => secret.2 = vec![0x5a; 33],
            Some(Bad::OtherSession) => secret.0 = path("/org/freedesktop/secrets/session/other"),
            _ => {}
        }
        Ok((secret,))
    }

    async fn set_secret(&self, secret: Secret) -> fdo::Result<()> {
        self.0.gate.pass().await;
        self.0.bad(Call::SetSecret).await?;
        let bytes = self.0.received(secret)?;
        if let Some((_, stored)) = &mut *self.0.item.lock().unwrap() {
            *stored = bytes;
        }
        Ok(())
    }

    async fn delete(&self) -> OwnedObjectPath {
        self.0.gate.pass().await;
        *self.0.item.lock().unwrap() = None;
        path("/")
    }
}
