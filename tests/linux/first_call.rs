//! What a program asks gnome-keyring for first, seen by a monitor on the bus.
//!
//! gnome-keyring 42.1 and 50 keep a record of each program on the bus, which their main thread makes when the
//! first call comes in. Now and then it carries that call out before. `OpenSession` and a property of a
//! collection then end the whole keyring of the desktop (`g_variant_new: expected GVariant of type 'v'`), a
//! search fails, and the default collection is not found. The properties of the service need no record, and
//! once the main thread has replied to any call, the record is there: what libsecret does.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt;
use zbus::{
    Message, MessageStream,
    fdo::{DBusProxy, MonitoringProxy},
    message::Type,
    names::BusName,
};

use crate::{DEFAULT, session::Session, worker::Worker};

const SERVICE: &str = "/org/freedesktop/secrets";

/// A question to the bus by which the monitor knows that it has seen all that came before.
const MARK: &str = "org.example.Mark";

struct Monitor<'a> {
    session: &'a Session,
    messages: MessageStream,
}

impl<'a> Monitor<'a> {
    async fn start(session: &'a Session) -> Self {
        let monitor = zbus::connection::Builder::address(session.bus_address())
            .unwrap()
            .build()
            .await
            .unwrap();
        let messages = MessageStream::from(&monitor);
        let proxy = MonitoringProxy::new(&monitor).await.unwrap();
        proxy.become_monitor(&[], 0).await.unwrap();
        Self { session, messages }
    }

    /// The unique name of the keyring that runs now.
    async fn keyring(&self) -> String {
        let client = self.session.client();
        let bus = DBusProxy::new(&client).await.unwrap();
        let name = BusName::from_static_str("org.freedesktop.secrets").unwrap();
        bus.get_name_owner(name).await.unwrap().to_string()
    }

    /// All messages so far.
    async fn seen(&mut self) -> Vec<Message> {
        let client = self.session.client();
        let bus = DBusProxy::new(&client).await.unwrap();
        let mark = BusName::from_static_str(MARK).unwrap();
        bus.name_has_owner(mark).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let message = self.messages.next().await.unwrap().unwrap();
            if member(&message) == "NameHasOwner"
                && message
                    .body()
                    .deserialize::<&str>()
                    .is_ok_and(|name| name == MARK)
            {
                return seen;
            }
            seen.push(message);
        }
    }
}

fn member(message: &Message) -> String {
    let header = message.header();
    header.member().map(ToString::to_string).unwrap_or_default()
}

fn sender(message: &Message) -> String {
    let header = message.header();
    header.sender().map(ToString::to_string).unwrap_or_default()
}

fn asks_for_the_properties_of_the_service(call: &Message) -> bool {
    let header = call.header();
    let arguments = call.body();
    let interface = arguments.deserialize::<&str>();
    header.path().is_some_and(|path| path == SERVICE)
        && member(call) == "GetAll"
        && interface.is_ok_and(|name| name == "org.freedesktop.Secret.Service")
}

/// A call to an earlier keyring by its unique name reaches nobody.
fn reaches(call: &Message, keyring: &str) -> bool {
    let header = call.header();
    let to_service = header.path().is_some_and(|path| path.starts_with(SERVICE));
    let to_keyring = header
        .destination()
        .is_some_and(|name| name.as_str() == keyring || matches!(name, BusName::WellKnown(_)));
    to_service && to_keyring
}

/// Checks each program that has called `keyring`, the owner of the bus name, and returns how many those were.
fn assert_that_each_program_asks_for_the_properties_first(
    messages: &[Message],
    keyring: &str,
) -> usize {
    let mut waiting = HashMap::new();
    let mut known = HashSet::new();
    for message in messages {
        let header = message.header();
        let serial = message.primary_header().serial_num();
        match message.message_type() {
            Type::MethodCall if reaches(message, keyring) => {
                let caller = sender(message);
                let is_waiting = waiting.contains_key(&caller);
                assert!(!is_waiting, "{caller} did not wait: {message}");
                if !known.contains(&caller) {
                    let is_first = asks_for_the_properties_of_the_service(message);
                    assert!(is_first, "the first call of {caller}: {message}");
                    waiting.insert(caller, serial);
                }
            }
            Type::MethodReturn | Type::Error => {
                let caller = header.destination().map(ToString::to_string);
                let caller = caller.unwrap_or_default();
                if waiting.get(&caller).copied() == header.reply_serial() {
                    waiting.remove(&caller);
                    known.insert(caller);
                }
            }
            _ => {}
        }
    }
    known.len()
}

#[tokio::test]
async fn p1_the_first_call_to_gnome_keyring_is_one_that_it_survives() {
    let mut session = Session::unlocked().await;
    let mut monitor = Monitor::start(&session).await;
    // They read the default account as soon as they are there.
    let [mut one, mut other] = [Worker::start(&session), Worker::start(&session)];
    for round in 0..2 {
        assert_eq!(one.info()["state"], "available");
        assert!(one.set(DEFAULT, "t")["revision"].is_u64());
        assert_eq!(other.get(DEFAULT)["token"], "t");
        other.list();
        let keyring = monitor.keyring().await;
        let seen = monitor.seen().await;
        let callers = assert_that_each_program_asks_for_the_properties_first(&seen, &keyring);
        assert_eq!(callers, 2, "round {round}");
        drop(monitor);
        // The next keyring knows nobody.
        session.kill_keyring();
        session.start_unlocked().await;
        monitor = Monitor::start(&session).await;
    }
}
