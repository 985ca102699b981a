//! The Secret Service by single calls over libdbus, which have no code in common with the plugin: what its writes
//! are compared with.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    time::Duration,
};

use dbus::{
    Message, Path,
    arg::{PropMap, RefArg, Variant},
    blocking::{Connection, Proxy},
};
use tauri_plugin_secure_token::Account;

const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const TIMEOUT: Duration = Duration::from_mins(1);
/// As many calls as the plugin has under way at once.
const IN_FLIGHT: usize = 64;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;
pub(crate) type Attributes = HashMap<String, String>;

/// Session, parameters, value, content type.
type Secret = (Path<'static>, Vec<u8>, Vec<u8>, String);

/// The attributes of the plugin's items.
pub(crate) fn attributes(service: &str, account: &str) -> Attributes {
    [("service", service), ("username", account)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A connection with a session that does not encrypt: that would only add to the time of what we are compared with.
pub(crate) struct Raw {
    bus: Connection,
    session: Path<'static>,
    collection: Path<'static>,
}

impl Raw {
    pub(crate) fn connect() -> Result<Self, dbus::Error> {
        let bus = Connection::new_session()?;
        let service = at(&bus, "/org/freedesktop/secrets".into());
        // A session that is the first thing which gnome-keyring is asked for over a connection can end it.
        let (_properties,): (PropMap,) = service.method_call(PROPERTIES, "GetAll", (SERVICE,))?;
        let (_output, session): (Variant<String>, Path<'static>) =
            service.method_call(SERVICE, "OpenSession", ("plain", Variant("")))?;
        let (collection,) = service.method_call(SERVICE, "ReadAlias", ("default",))?;
        drop(service);
        Ok(Self {
            bus,
            session,
            collection,
        })
    }

    /// Makes the collection that is kept in memory alone the default one.
    pub(crate) fn use_memory(&mut self) -> Result<(), dbus::Error> {
        self.collection = "/org/freedesktop/secrets/collection/session".into();
        let service = at(&self.bus, "/org/freedesktop/secrets".into());
        service.method_call(SERVICE, "SetAlias", ("default", &self.collection))
    }

    pub(crate) fn create(
        &self,
        attributes: &Attributes,
        value: &str,
    ) -> Result<Path<'static>, dbus::Error> {
        let named = |name: &str| format!("{ITEM}.{name}");
        let properties: HashMap<_, Variant<Box<dyn RefArg>>> = HashMap::from([
            (named("Label"), Variant(Box::new("bench".to_owned()) as _)),
            (
                named("Attributes"),
                Variant(Box::new(attributes.clone()) as _),
            ),
        ]);
        let arguments = (properties, self.secret(value), false);
        let collection = at(&self.bus, self.collection.clone());
        let (item, _prompt): (_, Path<'static>) =
            collection.method_call(COLLECTION, "CreateItem", arguments)?;
        Ok(item)
    }

    pub(crate) fn set(&self, item: &Path<'static>, value: &str) -> Result<(), dbus::Error> {
        at(&self.bus, item.clone()).method_call(ITEM, "SetSecret", (self.secret(value),))
    }

    pub(crate) fn delete(&self, item: &Path<'static>) -> Result<(), dbus::Error> {
        let (_prompt,): (Path<'static>,) =
            at(&self.bus, item.clone()).method_call(ITEM, "Delete", ())?;
        Ok(())
    }

    /// How many bytes the item of the account `"default"` of `service` holds.
    pub(crate) fn stored_len(&self, service: &str) -> Result<usize, Failure> {
        let collection = at(&self.bus, self.collection.clone());
        let wanted = attributes(service, Account::default().as_str());
        let (items,): (Vec<Path<'static>>,) =
            collection.method_call(COLLECTION, "SearchItems", (wanted,))?;
        let item = items.first().ok_or("the token is not in the keyring")?;
        let item = at(&self.bus, item.clone());
        let (secret,): (Secret,) = item.method_call(ITEM, "GetSecret", (&self.session,))?;
        Ok(secret.2.len())
    }

    /// Reads the attributes of every item of `service`, and returns how many there are.
    pub(crate) fn read_attributes(&self, service: &str) -> Result<usize, Failure> {
        let collection = at(&self.bus, self.collection.clone());
        let wanted = HashMap::from([("service", service)]);
        let (items,): (Vec<Path<'static>>,) =
            collection.method_call(COLLECTION, "SearchItems", (wanted,))?;
        let bus = self.bus.channel();
        let mut unasked = items.iter();
        let mut under_way = HashSet::new();
        loop {
            for item in unasked.by_ref().take(IN_FLIGHT - under_way.len()) {
                let get =
                    Message::method_call(&BUS_NAME.into(), item, &PROPERTIES.into(), &"Get".into());
                let serial = bus.send(get.append2(ITEM, "Attributes"));
                under_way.insert(serial.map_err(|()| "the bus is gone")?);
            }
            if under_way.is_empty() {
                return Ok(items.len());
            }
            bus.read_write(Some(TIMEOUT))
                .map_err(|()| "the bus is gone")?;
            while let Some(mut message) = bus.pop_message() {
                let serial = message.get_reply_serial();
                if serial.is_some_and(|serial| under_way.remove(&serial)) {
                    let _: Variant<Attributes> = message.as_result()?.read1()?;
                }
            }
        }
    }

    fn secret(&self, value: &str) -> Secret {
        let kind = "text/plain".to_owned();
        (self.session.clone(), Vec::new(), value.into(), kind)
    }
}

fn at<'a>(bus: &'a Connection, path: Path<'static>) -> Proxy<'static, &'a Connection> {
    Proxy::new(BUS_NAME, path, TIMEOUT, bus)
}
