//! The secret that the portal keeps for the app: asked for once, and one prompt at a time.

use std::{
    io::Read,
    os::unix::net::UnixStream,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_io::Async;
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, Shared, select},
};
use oo7::{
    Secret,
    ashpd::desktop::secret::{RetrieveOptions, Secret as Portal},
};
use tokio::time::timeout;
use zbus::fdo::DBusProxy;
use zeroize::Zeroizing;

use super::fault;
use crate::{Error, ErrorCode, Result, store::Prompts, sync::lock};

const BUS_NAME: &str = "org.freedesktop.portal.Desktop";

/// Less than a key of AES-128 is worth is no secret. gnome-keyring gives 64 bytes.
const MIN_LEN: usize = 16;
const MAX_LEN: usize = 4096;

/// How long the secret may take when the portal has said that it is there: no person has to answer.
const TRANSFER: Duration = Duration::from_secs(5);

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
        // The libraries below panic where the bus goes away amid a request; the task ends with it.
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

async fn connect() -> Result<Portal> {
    let bus = zbus::Connection::session()
        .await
        .map_err(|error| fault::of_bus(&error))?;
    let portal = Portal::with_connection(bus)
        .await
        .map_err(|error| fault::of_portal(&error))?;
    // The line above also succeeds where no portal has answered.
    let version: zbus::Result<u32> = portal.get_property("version").await;
    version.map_err(|error| fault::of_bus(&error))?;
    Ok(portal)
}

async fn retrieve(portal: &Portal) -> Result<Secret> {
    let bus = DBusProxy::new(portal.connection())
        .await
        .map_err(|error| fault::of_bus(&error))?;
    // The request of a portal that has ended is never answered.
    let mut owners = bus
        .receive_name_owner_changed_with_args(&[(0, BUS_NAME)])
        .await
        .map_err(|error| fault::of_bus(&error))?;
    let (ours, theirs) = UnixStream::pair().map_err(|error| fault::of_transfer(&error))?;
    let request = {
        let answered = pin!(portal.retrieve(&theirs, RetrieveOptions::default()));
        match select(answered, owners.next()).await {
            Either::Left((request, _)) => request.map_err(|error| fault::of_portal(&error))?,
            Either::Right(_) => return Err(fault::portal_gone()),
        }
    };
    request
        .response()
        .map_err(|error| fault::of_portal(&error))?;
    drop(theirs);
    match timeout(TRANSFER, read(ours)).await {
        Ok(secret) => secret,
        Err(_) => Err(Error::new(
            ErrorCode::Timeout,
            "the secret portal did not hand its secret over in time",
        )),
    }
}

/// What comes until the other side closes.
async fn read(stream: UnixStream) -> Result<Secret> {
    let stream = Async::new(stream).map_err(|error| fault::of_transfer(&error))?;
    let mut buffer = Zeroizing::new([0; MAX_LEN + 1]);
    let mut length = 0;
    loop {
        let read = stream
            .read_with(|mut stream| stream.read(&mut buffer[length..]))
            .await
            .map_err(|error| fault::of_transfer(&error))?;
        length += read;
        if read == 0 || length > MAX_LEN {
            break;
        }
    }
    if (MIN_LEN..=MAX_LEN).contains(&length) {
        Ok(Secret::blob(&buffer[..length]))
    } else {
        Err(Error::internal(
            "the secret portal gave a secret of a length that cannot be right",
        ))
    }
}
