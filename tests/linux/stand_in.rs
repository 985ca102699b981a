//! A stand-in for a provider of the Secret Service that answers wrongly, late or not at all, and for
//! KWallet where its key differs from ours: no real provider does that on demand.
//!
//! It derives no key and decrypts nothing. Its part of the key exchange is 1, so that every session has
//! the same key and it can hand out in one what it was given in another. The secrets of the sessions that
//! are said to be garbled come back with other bytes, as those do that were encrypted with another key.

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
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;
use zbus::{
    Connection, connection, fdo, interface,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use crate::session::Session;

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
    /// With a content type that is none.
    WrongType,
    /// With a secret whose initialisation vector is cut.
    HalfASecret,
    /// With bytes that nobody has encrypted.
    Garbage,
}

#[derive(Default)]
struct State {
    sessions: AtomicU32,
    last_garbled: AtomicU32,
    item: Mutex<Option<(Attributes, Secret)>>,
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

    /// The secret as it is after its transfer: in a garbled session its first bytes are others, and not ASCII.
    fn transferred(&self, mut secret: Secret, change: u8) -> Secret {
        let number = secret.0.as_str().strip_prefix(SESSION).unwrap();
        if number.parse::<u32>().unwrap() <= self.last_garbled.load(Ordering::SeqCst) {
            for byte in &mut secret.1 {
                *byte ^= change;
            }
        }
        secret
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
    fn open_session(&self, _algorithm: String, _key: Value<'_>) -> (OwnedValue, OwnedObjectPath) {
        let number = self.0.sessions.fetch_add(1, Ordering::SeqCst) + 1;
        let key = Value::from(vec![1_u8]).try_to_owned().unwrap();
        (key, path(&format!("{SESSION}{number}")))
    }

    fn read_alias(&self, _name: String) -> OwnedObjectPath {
        path(COLLECTION)
    }
}

struct Collection(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }

    async fn search_items(&self, attributes: Attributes) -> fdo::Result<Vec<OwnedObjectPath>> {
        self.0.bad(Call::Search).await?;
        Ok(self.0.found(&attributes))
    }

    fn create_item(
        &self,
        mut properties: HashMap<String, OwnedValue>,
        secret: Secret,
        _replace: bool,
    ) -> (OwnedObjectPath, OwnedObjectPath) {
        let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes");
        let attributes = Attributes::try_from(attributes.unwrap()).unwrap();
        *self.0.item.lock().unwrap() = Some((attributes, self.0.transferred(secret, IN)));
        (path(ITEM), path("/"))
    }
}

struct Item(Arc<State>);

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    fn attributes(&self) -> Attributes {
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
        let bad = self.0.bad(Call::GetSecret).await?;
        let item = self.0.item.lock().unwrap().clone();
        let (_, stored) = item.ok_or_else(|| fdo::Error::UnknownObject(ITEM.into()))?;
        let mut secret = (session, stored.1, stored.2, stored.3);
        match bad {
            Some(Bad::HalfASecret) => secret.1.truncate(3),
            Some(Bad::Garbage) => secret.2 = vec![0x5a; 33],
            Some(Bad::WrongType) => secret.3 = "no content type".into(),
            _ => {}
        }
        Ok((self.0.transferred(secret, OUT),))
    }

    async fn set_secret(&self, secret: Secret) -> fdo::Result<()> {
        self.0.bad(Call::SetSecret).await?;
        if let Some((_, stored)) = &mut *self.0.item.lock().unwrap() {
            *stored = self.0.transferred(secret, IN);
        }
        Ok(())
    }
}
