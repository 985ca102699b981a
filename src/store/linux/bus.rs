//! The connection to the session bus: calls, any number of them in flight at once, and signals.
//!
//! The bytes are moved by libdbus, which every Tauri app on Linux links already (by way of `tao`). One thread waits
//! for its socket, without a timeout, so that an idle connection wakes nothing up. It is not a task of Tauri's
//! runtime: Tokio watches a file descriptor of somebody else only in unsafe code, and an app may have brought a
//! runtime without I/O. `dbus-tokio` takes both upon itself, but a call fails there while another one still waits to
//! be written, and a call that is under way when the bus goes away is never answered.

use std::{
    collections::HashMap,
    env, io,
    path::Path as FilePath,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use dbus::{
    Message, Path,
    arg::{AppendAll, ReadAll},
    channel::{Channel, default_reply},
    message::{MatchRule, MessageType},
};
use mio::{Events, Interest, Poll, Token, Waker, unix::SourceFd};
use tokio::sync::{mpsc, oneshot};

use crate::sync::lock;

const DAEMON: &str = "org.freedesktop.DBus";
const DAEMON_PATH: &str = "/org/freedesktop/DBus";

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BusFault {
    /// There is no session bus, or it does not let this process in.
    NoBus(String),
    /// The connection to the bus has ended.
    Closed,
    /// An error reply, of the bus or of the program that was called.
    Refused {
        /// As `org.freedesktop.DBus.Error.NoReply`.
        name: String,
        message: String,
    },
    /// The reply does not have the types that it should have.
    Malformed(String),
}

/// The method of an object of another program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a Path<'static>,
    pub(super) interface: &'a str,
    pub(super) name: &'a str,
}

/// A connection to the session bus; closed when it is dropped.
pub(super) struct Bus(Arc<Link>);

struct Link {
    channel: Channel,
    /// Wakes the thread that moves the messages.
    waker: Waker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    /// By the serial number of the call.
    replies: HashMap<u32, oneshot::Sender<Message>>,
    listeners: Vec<Listener>,
}

struct Listener {
    wanted: Wanted,
    signals: mpsc::UnboundedSender<Message>,
}

impl Bus {
    pub(super) async fn open() -> Result<Self, BusFault> {
        let (opened, bus) = oneshot::channel();
        // Connecting blocks until the bus has said hello.
        thread::Builder::new()
            .name("secure-token-bus".into())
            .spawn(|| match Pump::connect() {
                Ok(pump) => {
                    // Whoever has asked may have given up: then the connection is dropped, which ends the pump.
                    let _ = opened.send(Ok(Self(pump.link.clone())));
                    pump.run();
                }
                Err(fault) => {
                    let _ = opened.send(Err(fault));
                }
            })
            .map_err(|error| BusFault::NoBus(error.to_string()))?;
        bus.await.unwrap_or(Err(BusFault::Closed))
    }

    /// The name of this connection, as `:1.42`.
    pub(super) fn unique_name(&self) -> Option<&str> {
        self.0.channel.unique_name()
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.0.state).is_closed
    }

    /// Calls a method. The call is on its way when this returns; calls are received in the order in which they were
    /// made.
    pub(super) fn call(&self, method: Method<'_>, arguments: impl AppendAll) -> Reply<'_> {
        Reply(self.0.send(method, arguments))
    }

    /// The signals that are `wanted`, from now on.
    pub(super) async fn signals(
        &self,
        wanted: impl IntoIterator<Item = Wanted>,
    ) -> Result<Signals, BusFault> {
        let (sender, received) = mpsc::unbounded_channel();
        let mut signals = Signals {
            link: self.0.clone(),
            rules: Vec::new(),
            received,
        };
        for wanted in wanted {
            let rule = wanted.rule();
            signals.rules.push(rule.clone());
            let listener = Listener {
                wanted,
                signals: sender.clone(),
            };
            self.0.listen(listener)?;
            let () = self.call_daemon("AddMatch", (rule,)).read().await?;
        }
        Ok(signals)
    }

    /// The unique name of the program that owns `name`, if any does.
    pub(super) async fn owner_of(&self, name: &str) -> Result<Option<String>, BusFault> {
        let owner = self.call_daemon("GetNameOwner", (name,)).read().await;
        match owner {
            Ok((owner,)) => Ok(Some(owner)),
            Err(BusFault::Refused { name, .. })
                if name == "org.freedesktop.DBus.Error.NameHasNoOwner" =>
            {
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    fn call_daemon(&self, name: &str, arguments: impl AppendAll) -> Reply<'_> {
        let method = Method {
            destination: DAEMON,
            path: &Path::from(DAEMON_PATH),
            interface: DAEMON,
            name,
        };
        self.call(method, arguments)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        lock(&self.0.state).is_closed = true;
        self.0.wake();
    }
}

/// The reply to a call, which is to be waited for. Dropped before, it goes nowhere.
#[must_use = "the reply is to be waited for"]
pub(super) struct Reply<'a>(Result<Sent<'a>, BusFault>);

impl Reply<'_> {
    /// The reply, once it is there.
    pub(super) async fn message(self) -> Result<Message, BusFault> {
        let mut sent = self.0?;
        let mut reply = (&mut sent.reply).await.map_err(|_| BusFault::Closed)?;
        match reply.as_result() {
            Ok(_) => Ok(reply),
            Err(error) => Err(BusFault::Refused {
                name: error.name().unwrap_or_default().into(),
                message: error.message().unwrap_or_default().into(),
            }),
        }
    }

    /// What the reply says.
    pub(super) async fn read<R: ReadAll>(self) -> Result<R, BusFault> {
        read(&self.message().await?)
    }
}

/// Signals that are listened for, until this is dropped.
pub(super) struct Signals {
    link: Arc<Link>,
    rules: Vec<String>,
    received: mpsc::UnboundedReceiver<Message>,
}

impl Signals {
    /// The next signal, or `None` once the connection has ended.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.received.recv().await
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.received.close();
        lock(&self.link.state)
            .listeners
            .retain(|listener| !listener.signals.is_closed());
        let path = Path::from(DAEMON_PATH);
        for rule in &self.rules {
            if let Ok(mut message) = Message::new_method_call(DAEMON, &path, DAEMON, "RemoveMatch")
            {
                message.set_no_reply(true);
                // A bus that is gone keeps no rules.
                let _ = self.link.write(message.append1(rule));
            }
        }
    }
}

/// Which signals are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    rule: MatchRule<'static>,
    first_argument: Option<&'static str>,
}

impl Wanted {
    /// The signal `name` of one object.
    pub(super) fn of(
        sender: String,
        path: &Path<'static>,
        interface: &'static str,
        name: &'static str,
    ) -> Self {
        let rule = MatchRule::new_signal(interface, name)
            .with_sender(sender)
            .with_path(path.clone());
        Self {
            rule,
            first_argument: None,
        }
    }

    /// What tells that `name` has another owner now, or none.
    pub(super) fn new_owner_of(name: &'static str) -> Self {
        Self {
            rule: MatchRule::new_signal(DAEMON, "NameOwnerChanged").with_sender(DAEMON),
            first_argument: Some(name),
        }
    }

    pub(super) fn matches(&self, signal: &Message) -> bool {
        self.rule.matches(signal)
            && (self.first_argument.is_none() || self.first_argument == signal.get1())
    }

    /// As the bus wants to be told.
    fn rule(&self) -> String {
        let rule = self.rule.match_str();
        match self.first_argument {
            Some(argument) => format!("{rule},arg0='{argument}'"),
            None => rule,
        }
    }
}

/// Reads the arguments of `message`.
pub(super) fn read<R: ReadAll>(message: &Message) -> Result<R, BusFault> {
    R::read(&mut message.iter_init()).map_err(|error| BusFault::Malformed(error.to_string()))
}

/// A call whose reply is waited for.
struct Sent<'a> {
    link: &'a Link,
    serial: u32,
    reply: oneshot::Receiver<Message>,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        lock(&self.link.state).replies.remove(&self.serial);
    }
}

impl Link {
    fn send(&self, method: Method<'_>, arguments: impl AppendAll) -> Result<Sent<'_>, BusFault> {
        let mut message = Message::new_method_call(
            method.destination,
            method.path,
            method.interface,
            method.name,
        )
        .map_err(BusFault::Malformed)?;
        message.append_all(arguments);
        let (sender, reply) = oneshot::channel();
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(BusFault::Closed);
        }
        // With the lock held, so that no reply comes before its call is in the list.
        let serial = self.write(message)?;
        state.replies.insert(serial, sender);
        Ok(Sent {
            link: self,
            serial,
            reply,
        })
    }

    fn listen(&self, listener: Listener) -> Result<(), BusFault> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(BusFault::Closed);
        }
        state.listeners.push(listener);
        Ok(())
    }

    /// Writes what the socket takes, and leaves the rest to the pump.
    fn write(&self, message: Message) -> Result<u32, BusFault> {
        let serial = self.channel.send(message).map_err(|()| BusFault::Closed)?;
        if self.channel.has_messages_to_send() || !self.channel.is_connected() {
            self.wake();
        }
        Ok(serial)
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            log::warn!("the thread of the session bus cannot be woken: {error}");
        }
    }

    fn dispatch(&self, message: Message) {
        if let Some(serial) = message.get_reply_serial() {
            if let Some(waiting) = lock(&self.state).replies.remove(&serial) {
                // Whoever has called may have given up.
                let _ = waiting.send(message);
            }
        } else if message.msg_type() == MessageType::Signal {
            for listener in &lock(&self.state).listeners {
                if listener.wanted.matches(&message)
                    && let Ok(copy) = message.duplicate()
                {
                    // Whoever has listened may have stopped.
                    let _ = listener.signals.send(copy);
                }
            }
        } else if let Some(reply) = default_reply(&message) {
            let _ = self.write(reply);
        }
    }
}

/// Moves the messages until the bus is gone or nobody uses the connection any more.
struct Pump {
    poll: Poll,
    link: Arc<Link>,
}

impl Pump {
    const SOCKET: Token = Token(0);
    const WAKER: Token = Token(1);

    fn connect() -> Result<Self, BusFault> {
        let of_bus = |error: dbus::Error| BusFault::NoBus(error.to_string());
        let of_system = |error: io::Error| BusFault::NoBus(error.to_string());
        let poll = Poll::new().map_err(of_system)?;
        let waker = Waker::new(poll.registry(), Self::WAKER).map_err(of_system)?;
        let mut channel = Channel::open_private(&address()?).map_err(of_bus)?;
        channel.register().map_err(of_bus)?;
        if !channel.is_connected() {
            return Err(BusFault::Closed);
        }
        channel.set_watch_enabled(true);
        let socket = channel.watch().fd;
        poll.registry()
            .register(&mut SourceFd(&socket), Self::SOCKET, Interest::READABLE)
            .map_err(of_system)?;
        let state = Mutex::default();
        let link = Arc::new(Link {
            channel,
            waker,
            state,
        });
        Ok(Self { poll, link })
    }

    fn run(mut self) {
        if let Err(error) = self.move_messages() {
            log::warn!("the connection to the session bus has failed: {error}");
        }
    }

    fn move_messages(&mut self) -> io::Result<()> {
        let link = &*self.link;
        let socket = link.channel.watch().fd;
        let mut events = Events::with_capacity(2);
        while !lock(&link.state).is_closed && link.channel.read_write(Some(Duration::ZERO)).is_ok()
        {
            while let Some(message) = link.channel.pop_message() {
                link.dispatch(message);
            }
            let interest = if link.channel.has_messages_to_send() {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            // Registered anew each time: an event is told once, and libdbus moves only a few KB at a time and does
            // not say whether there is more.
            self.poll
                .registry()
                .reregister(&mut SourceFd(&socket), Self::SOCKET, interest)?;
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        let mut state = lock(&self.link.state);
        state.is_closed = true;
        // Whoever still waits is told.
        state.replies.clear();
        state.listeners.clear();
    }
}

/// Where the session bus listens (D-Bus specification, 0.43, "Well-known Message Bus Instances"). The search goes
/// no further than the two places of a running session: libdbus would go on and start a bus of its own.
fn address() -> Result<String, BusFault> {
    if let Ok(address) = env::var("DBUS_SESSION_BUS_ADDRESS")
        && !address.is_empty()
    {
        return Ok(address);
    }
    let socket = env::var_os("XDG_RUNTIME_DIR").map(|folder| FilePath::new(&folder).join("bus"));
    match socket {
        Some(socket) if socket.exists() => Ok(format!(
            "unix:path={}",
            escaped(socket.as_os_str().as_encoded_bytes())
        )),
        _ => Err(BusFault::NoBus(
            "neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR leads to one".into(),
        )),
    }
}

/// `value` as part of an address (D-Bus specification, 0.43, "Server Addresses").
fn escaped(value: &[u8]) -> String {
    let escaped = value.iter().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'/' | b'\\' | b'*' | b'.' => {
            char::from(*byte).to_string()
        }
        _ => format!("%{byte:02x}"),
    });
    escaped.collect()
}
