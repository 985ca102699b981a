//! Requests over real connections on this computer, to servers that do what a test tells them.

mod bodies;
mod echoes;
mod many;
mod pictures;
mod redirects;
mod refused;
mod tls;
mod uploads;

#[path = "../../../tests/http/mod.rs"]
mod http;

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tauri::http::{HeaderMap, Method};

use self::http::{Server, chunk, reply, start};
use super::{
    client::Client,
    requests::{Limits, PageRequests, Requests, Response, Rest},
    send::{Order, Redirect},
    target::Target,
    upload::{Body, Uploader},
};
use crate::{
    error::{Error, ErrorCode, Result},
    processes::Processes,
    record::Record,
    session::{self, Outbox, Owner, Refresh, RefreshError, Sessions, Tokens},
    store::memory::{Fault, MemoryStore},
    token::{Account, Token},
    vault::Vault,
};

const LATE: Duration = Duration::from_secs(30);

/// An app with a session, whose refreshes give `fresh-token-1`, `fresh-token-2` and so on.
struct App {
    sessions: Sessions,
    requests: Requests,
    refreshes: Arc<AtomicUsize>,
    store: Arc<MemoryStore>,
}

impl App {
    fn new() -> Self {
        Self::with(Client::of_platform(), Limits::default())
    }

    fn with(client: Client, limits: Limits) -> Self {
        let store = Arc::new(MemoryStore::default());
        let none = Processes::none();
        let vault = Vault::shared(store.clone(), LATE, true, none.clone());
        let outbox = Outbox::new(store.clone(), none.clone(), LATE);
        let refreshes = Arc::new(AtomicUsize::new(0));
        let counted = refreshes.clone();
        let refresh = move |_: Account, _: Record| {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            let tokens = Tokens::new(Token::new(format!("fresh-token-{number}")).unwrap());
            Box::pin(std::future::ready(Ok::<_, RefreshError>(tokens).into()))
                as Pin<Box<dyn Future<Output = _> + Send>>
        };
        let refresh: Refresh = Arc::new(refresh);
        let session = session::Limits::with_refresh(LATE);
        Self {
            sessions: Sessions::new(vault, &none, outbox, Some(refresh), None, session),
            requests: Requests::new(client, limits),
            refreshes,
            store,
        }
    }

    /// An app in which somebody is signed in with `first-token` and `refresh-token`.
    async fn signed_in() -> Self {
        let app = Self::new();
        app.sign_in("first-token").await;
        app
    }

    async fn sign_in(&self, token: &str) {
        let mut tokens = Tokens::new(Token::new(token).unwrap());
        tokens.refresh_token = Some(Token::new("refresh-token").unwrap());
        self.owner().sign_in(tokens, true).await.unwrap();
    }

    fn owner(&self) -> Arc<Owner> {
        self.sessions.of(&Account::default())
    }

    fn refreshes(&self) -> usize {
        self.refreshes.load(Ordering::Relaxed)
    }

    fn page(&self) -> PageRequests {
        PageRequests::new(self.requests.clone())
    }

    async fn send(&self, order: Order) -> Result<Whole> {
        self.fetch(&self.page(), 1, order, None).await
    }

    /// Sends `order` and reads the response to its end.
    async fn fetch(
        &self,
        page: &PageRequests,
        id: u64,
        order: Order,
        uploader: Option<Uploader>,
    ) -> Result<Whole> {
        let response = page.fetch(id, &self.owner(), order, uploader).await?;
        let mut body = response.first.concat();
        let mut is_over = response.body != Rest::More;
        while !is_over {
            let (bytes, end) = page.read(id).await?;
            body.extend(bytes.concat());
            is_over = end;
        }
        Ok(Whole { response, body })
    }
}

/// A response and its whole body.
struct Whole {
    response: Response,
    body: Vec<u8>,
}

impl Whole {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.response.headers.iter();
        let (_, value) = headers.find(|(other, _)| other == name)?;
        Some(value)
    }
}

/// A GET of `url`. Paths that begin with `/v1/` are in scope, with all methods but PUT.
fn get(url: &str) -> Order {
    order(Method::GET, url, Body::None)
}

fn post(url: &str, body: &'static str) -> Order {
    order(Method::POST, url, Body::Whole(body.into()))
}

fn order(method: Method, url: &str, body: Body) -> Order {
    Order {
        account: Account::default(),
        login: None,
        target: Target::parse(url).unwrap(),
        method,
        headers: HeaderMap::new(),
        body,
        redirect: Redirect::Follow,
        repeat: true,
        origin: None,
        judge: Arc::new(|target: &Target, method: &Method| {
            if target.url().path().starts_with("/v1/") && method != Method::PUT {
                return Ok(());
            }
            Err(Error::new(ErrorCode::Forbidden, "outside of the scope"))
        }),
    }
}

fn code<T>(result: Result<T>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}

/// A server that says the same to everybody.
fn always(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
) -> Server {
    Server::start(move |_, wire| reply(wire, status, headers, body))
}
