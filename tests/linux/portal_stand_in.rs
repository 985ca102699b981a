//! A stand-in for xdg-desktop-portal and the secret that it keeps for an app.
//!
//! It speaks the interface of the real one (org.freedesktop.portal.Secret, version 1), with the
//! refusals, the silence and the nonsense that a test wants.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "zbus calls the methods of an interface so"
)]

use std::{
    collections::HashMap,
    fs::File,
    io::Write,
    sync::{Arc, Mutex},
};

use zbus::{
    Connection, connection, fdo, interface,
    message::Header,
    zvariant::{ObjectPath, OwnedFd, OwnedObjectPath, OwnedValue, Value},
};

use crate::session::{Session, until};

const DESKTOP: &str = "/org/freedesktop/portal/desktop";

/// What the portal does when it is asked.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Hands the secret over.
    Secret(Vec<u8>),
    /// Hands it over, and does not close the pipe.
    HalfASecret(Vec<u8>),
    /// Says how the request ended: 1 cancelled, 2 otherwise.
    Response(u32),
    /// Does not let the app ask.
    Refusal,
    /// Says something else than how the request ended.
    Nonsense,
    /// Says nothing until it is told to, as with a prompt on the screen.
    Nothing,
}

struct Request {
    pipe: File,
    sender: String,
    handle: OwnedObjectPath,
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waiting: Vec<Request>,
    seen: usize,
}

pub struct StandInPortal {
    state: Arc<Mutex<State>>,
    connection: Connection,
}

impl StandInPortal {
    pub async fn start(session: &Session, answer: Answer) -> Self {
        let state = Arc::new(Mutex::new(State {
            answer: Some(answer),
            ..State::default()
        }));
        let portal = SecretPortal(state.clone());
        let connection = connection::Builder::address(session.bus_address())
            .unwrap()
            .serve_at(DESKTOP, portal)
            .unwrap()
            .name("org.freedesktop.portal.Desktop")
            .unwrap();
        let connection = connection.build().await.unwrap();
        Self { state, connection }
    }

    /// A portal without a backend for secrets.
    pub async fn start_without_secrets(session: &Session) -> Connection {
        let connection = connection::Builder::address(session.bus_address())
            .unwrap()
            .serve_at(DESKTOP, OtherPortal)
            .unwrap()
            .name("org.freedesktop.portal.Desktop")
            .unwrap();
        connection.build().await.unwrap()
    }

    pub fn answers(&self, answer: Answer) {
        self.state.lock().unwrap().answer = Some(answer);
    }

    /// Answers those who wait, as when the person answers the prompt at last.
    pub async fn answer_now(&self, answer: Answer) {
        self.answers(answer.clone());
        let waiting = std::mem::take(&mut self.state.lock().unwrap().waiting);
        for request in waiting {
            request.end(&self.connection, &answer).await;
        }
    }

    pub fn requests_seen(&self) -> usize {
        self.state.lock().unwrap().seen
    }

    pub async fn wait_for_request(&self) {
        until(async || self.requests_seen() > 0).await;
    }

    /// Ends the portal, as a crash does.
    pub async fn end(self) {
        self.connection.graceful_shutdown().await;
    }
}

impl Request {
    async fn end(mut self, connection: &Connection, answer: &Answer) {
        let nothing = HashMap::<String, Value<'_>>::new();
        match answer {
            Answer::Secret(secret) => {
                self.pipe.write_all(secret).unwrap();
                drop(self.pipe);
                respond(connection, &self.sender, &self.handle, &(0_u32, nothing)).await;
            }
            Answer::HalfASecret(secret) => {
                self.pipe.write_all(secret).unwrap();
                respond(connection, &self.sender, &self.handle, &(0_u32, nothing)).await;
                std::mem::forget(self.pipe);
            }
            Answer::Response(code) => {
                respond(connection, &self.sender, &self.handle, &(*code, nothing)).await;
            }
            Answer::Nonsense => {
                respond(connection, &self.sender, &self.handle, &("nonsense", 7_u8)).await;
            }
            Answer::Refusal | Answer::Nothing => unreachable!("not an end"),
        }
    }
}

async fn respond(
    connection: &Connection,
    sender: &str,
    handle: &OwnedObjectPath,
    body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
) {
    connection
        .emit_signal(
            Some(sender),
            handle,
            "org.freedesktop.portal.Request",
            "Response",
            body,
        )
        .await
        .unwrap();
}

struct SecretPortal(Arc<Mutex<State>>);

#[interface(name = "org.freedesktop.portal.Secret")]
impl SecretPortal {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        1
    }

    async fn retrieve_secret(
        &self,
        pipe: OwnedFd,
        options: HashMap<String, OwnedValue>,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> fdo::Result<OwnedObjectPath> {
        let sender = header.sender().unwrap().to_string();
        let token = <&str>::try_from(&options["handle_token"]).unwrap();
        let name = sender.trim_start_matches(':').replace('.', "_");
        let handle = ObjectPath::try_from(format!("{DESKTOP}/request/{name}/{token}")).unwrap();
        let request = Request {
            pipe: File::from(std::os::fd::OwnedFd::from(pipe)),
            sender,
            handle: handle.into(),
        };
        let handle = request.handle.clone();
        let answer = {
            let mut state = self.0.lock().unwrap();
            state.seen += 1;
            state.answer.clone().unwrap()
        };
        match answer {
            Answer::Refusal => return Err(fdo::Error::AccessDenied("not this app".into())),
            Answer::Nothing => self.0.lock().unwrap().waiting.push(request),
            answer => request.end(connection, &answer).await,
        }
        Ok(handle)
    }
}

struct OtherPortal;

#[interface(name = "org.freedesktop.portal.Settings")]
impl OtherPortal {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        2
    }
}
