//! The secret that the portal keeps for the app: asked for once, and one prompt at a time.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, ErrorKind, Read},
    os::{fd::OwnedFd, unix::net::UnixStream},
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use dbus::{Message, Path, arg::Variant};
use futures_util::{FutureExt, future::Shared};
use zeroize::Zeroizing;

use super::{
    super::bus::{Bus, Method, Wanted},
    fault,
};
use crate::{
    error::{Error, Result},
    store::Prompts,
    sync::lock,
};

const BUS_NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SECRET: &str = "org.freedesktop.portal.Secret";
const REQUEST: &str = "org.freedesktop.portal.Request";

/// Names the request. It is the only one of its connection.
const REQUEST_TOKEN: &str = "secure_token";

/// Less than a key of AES-128 is worth is no secret. gnome-keyring gives 64 bytes.
const MIN_LEN: usize = 16;
const MAX_LEN: usize = 4096;

/// How long the secret may take when the portal has said that it is there: no person has to answer.
const TRANSFER: Duration = Duration::from_secs(5);

/// The secret of the app.
pub(super) type Secret = Zeroizing<Vec<u8>>;

type Pending = Shared<Pin<Box<dyn Future<Output = Result<Arc<Secret>>> + Send>>>;

/// The secret, once it is known.
///
/// Calls that need it wait for the same request. A call that gives up at its deadline leaves the
/// request open: when the person answers the prompt later, the next call just works.
#[derive(Default)]
pub(super) struct MasterSecret(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    known: Option<Arc<Secret>>,
    asked: Option<Pending>,
}

/// The secret, and where it comes from.
pub(super) struct Given {
    pub(super) secret: Arc<Secret>,
    /// Whether it was known already: the portal may have another one by now.
    pub(super) was_known: bool,
}

impl MasterSecret {
    pub(super) async fn get(&self, prompts: &Prompts) -> Result<Given> {
        let mut portal = None;
        let pending = loop {
            {
                let mut state = lock(&self.0);
                if let Some(secret) = state.known.clone() {
                    let was_known = true;
                    return Ok(Given { secret, was_known });
                }
                if let Some(pending) = &state.asked {
                    break pending.clone();
                }
                if let Some(portal) = portal.take() {
                    break state.asked.insert(self.ask(portal)).clone();
                }
            }
            // No person is waited for here: a portal that is silent at this point does not answer.
            portal = Some(connect().await?);
        };
        let secret = prompts.waiting(pending).await?;
        let was_known = false;
        Ok(Given { secret, was_known })
    }

    /// Gives `secret` up, unless somebody has done so already.
    pub(super) fn forget(&self, secret: &Arc<Secret>) {
        let mut state = lock(&self.0);
        if state
            .known
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, secret))
        {
            state.known = None;
        }
    }

    /// Whether there is a portal. Never prompts.
    pub(super) async fn look(&self) -> Result<()> {
        connect().await.map(|_| ())
    }

    fn ask(&self, portal: Portal) -> Pending {
        let state = self.0.clone();
        let task = tauri::async_runtime::spawn(async move {
            let answer = retrieve(&portal).await.map(Arc::new);
            let mut state = lock(&state);
            state.asked = None;
            if let Ok(secret) = &answer {
                state.known = Some(secret.clone());
            }
            answer
        });
        // A request that panics ends its task.
        let state = self.0.clone();
        task.map(move |joined| {
            joined.unwrap_or_else(|_| {
                lock(&state).asked = None;
                Err(fault::portal_gone())
            })
        })
        .boxed()
        .shared()
    }
}

/// A connection to the portal that answers now.
struct Portal {
    bus: Bus,
    owner: String,
}

async fn connect() -> Result<Portal> {
    let bus = Bus::open().await.map_err(|error| fault::of_bus(&error))?;
    // A portal without a backend for secrets does not have this property.
    let method = Method {
        destination: BUS_NAME,
        path: &PATH.into(),
        interface: "org.freedesktop.DBus.Properties",
        name: "Get",
    };
    let version = bus.call(method, (SECRET, "version")).message().await;
    let version = version.map_err(|error| fault::of_bus(&error))?;
    let owner = version.sender().ok_or_else(fault::portal_gone)?.to_string();
    Ok(Portal { bus, owner })
}

async fn retrieve(portal: &Portal) -> Result<Secret> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| fault::of_transfer(&error))?;
    let response = request(portal, File::from(OwnedFd::from(theirs))).await?;
    // 0 is success (XDG Desktop Portal, "org.freedesktop.portal.Request", signal "Response").
    match response.get1::<u32>() {
        Some(0) => {}
        Some(1) => return Err(fault::cancelled()),
        Some(_) => return Err(fault::failed()),
        None => return Err(fault::not_understood()),
    }
    let read = tauri::async_runtime::spawn_blocking(move || read(ours, TRANSFER));
    read.await.unwrap_or_else(|_| Err(fault::not_understood()))
}

/// Has the portal write the secret into `pipe`, and waits until it says that it did, or why not.
async fn request(portal: &Portal, pipe: File) -> Result<Message> {
    let of_bus = |error| fault::of_bus(&error);
    let caller = portal.bus.unique_name().unwrap_or_default();
    let caller = caller.trim_start_matches(':').replace('.', "_");
    let expected = format!("{PATH}/request/{caller}/{REQUEST_TOKEN}");
    let expected = Path::new(expected).map_err(|_| fault::not_understood())?;
    let response_of =
        |request: &Path<'static>| Wanted::of(portal.owner.clone(), request, REQUEST, "Response");
    // Listened for first: the response may come before the reply. The request of a portal that has ended is
    // never answered.
    let wanted = [Wanted::new_owner_of(BUS_NAME), response_of(&expected)];
    let mut signals = portal.bus.signals(wanted).await.map_err(of_bus)?;
    let method = Method {
        destination: &portal.owner,
        path: &PATH.into(),
        interface: SECRET,
        name: "RetrieveSecret",
    };
    let options = HashMap::from([("handle_token", Variant(REQUEST_TOKEN))]);
    let reply = portal.bus.call(method, (pipe, options)).read().await;
    let (request,): (Path<'static>,) = reply.map_err(of_bus)?;
    if request != expected {
        return Err(fault::not_understood());
    }
    let signal = signals.next().await.ok_or_else(fault::portal_gone)?;
    if signal.interface().is_some_and(|name| &*name == REQUEST) {
        Ok(signal)
    } else {
        Err(fault::portal_gone())
    }
}

/// What comes until the other side closes, in at most `time`. Blocks.
fn read(mut stream: UnixStream, time: Duration) -> Result<Secret> {
    let mut buffer = Zeroizing::new([0; MAX_LEN + 1]);
    let length = fill(&mut stream, &mut *buffer, time);
    let length = length.map_err(|error| fault::of_transfer(&error))?;
    if (MIN_LEN..=MAX_LEN).contains(&length) {
        Ok(Zeroizing::new(buffer[..length].to_vec()))
    } else {
        Err(Error::internal(
            "the secret portal gave a secret of a length that cannot be right",
        ))
    }
}

/// Reads until the other side closes or `buffer` is full.
fn fill(stream: &mut UnixStream, buffer: &mut [u8], time: Duration) -> io::Result<usize> {
    let end = Instant::now() + time;
    let mut length = 0;
    while length < buffer.len() {
        // For all that comes: a timeout of each read alone would start again with each byte.
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::{io::Write, thread};

    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn p6_a_secret_that_comes_byte_by_byte_is_not_waited_for_longer_than_one_that_does_not_come() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let portal = thread::spawn(move || {
            while theirs.write_all(&[7]).is_ok() {
                thread::park_timeout(Duration::from_millis(10));
            }
        });
        let result = read(ours, Duration::from_millis(200));
        assert_eq!(result.unwrap_err().code(), ErrorCode::Timeout);
        portal.join().unwrap();
    }

    #[test]
    fn a_secret_is_complete_when_the_other_side_closes() {
        for (length, expected) in [(15, false), (16, true), (4096, true), (4097, false)] {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(&vec![7; length]).unwrap();
            drop(theirs);
            let secret = read(ours, TRANSFER);
            assert_eq!(secret.is_ok_and(|secret| secret.len() == length), expected);
        }
    }
}
