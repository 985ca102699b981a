//! The promises that the session keeps, over a store whose faults the test sets and a server of its own.

mod idle;
mod model;
mod outage;
mod races;
mod refreshes;
mod server;
mod signing;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::{
    error::ErrorCode,
    handle::SecureToken,
    processes::Processes,
    record::Record,
    store::memory::{Fault, MemoryStore},
    token::{Account, Token},
    vault::Vault,
};
use server::Server;

const LATE: Duration = Duration::from_secs(30);

/// The time to the server, and back from it.
const LATENCY: Duration = Duration::from_millis(20);

/// One process of the app.
#[derive(Clone)]
struct Process {
    sessions: Sessions,
    vault: Vault,
}

/// What an app has in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rust {
    Nothing,
    Refresh,
    Revoke,
    Both,
}

impl Process {
    fn start(store: &Arc<MemoryStore>, server: &Arc<Server>, rust: Rust) -> Self {
        Self::among(&Processes::none(), store, server, rust)
    }

    #[cfg(desktop)]
    fn in_folder(
        folder: &Path,
        store: &Arc<MemoryStore>,
        server: &Arc<Server>,
        rust: Rust,
    ) -> Self {
        Self::among(&Processes::in_folder(folder.into()), store, server, rust)
    }

    fn among(
        processes: &Processes,
        store: &Arc<MemoryStore>,
        server: &Arc<Server>,
        rust: Rust,
    ) -> Self {
        let refresh: Option<Refresh> = matches!(rust, Rust::Refresh | Rust::Both).then(|| {
            let server = server.clone();
            let refresh = move |_: Account, record: Record| {
                let server = server.clone();
                let refreshed = async move {
                    tokio::time::sleep(LATENCY).await;
                    let refreshed = server.refresh(&record.refresh_token.unwrap());
                    tokio::time::sleep(LATENCY).await;
                    refreshed.into()
                };
                Box::pin(refreshed) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
            };
            Arc::new(refresh) as Refresh
        });
        let revoke: Option<Revoke> = matches!(rust, Rust::Revoke | Rust::Both).then(|| {
            let server = server.clone();
            let revoke = move |_: Account, record: Record| {
                server.revoke(&record.refresh_token.unwrap());
                let revoked = std::future::ready(Ok(()));
                Box::pin(revoked) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
            };
            Arc::new(revoke) as Revoke
        });
        Self::with(processes, store, refresh, revoke)
    }

    fn with(
        processes: &Processes,
        store: &Arc<MemoryStore>,
        refresh: Option<Refresh>,
        revoke: Option<Revoke>,
    ) -> Self {
        let vault = Vault::shared(store.clone(), LATE, true, processes.clone());
        let outbox = Outbox::new(store.clone(), processes.clone(), LATE);
        let limits = Limits::with_refresh(Duration::from_secs(60));
        let sessions = Sessions::new(vault.clone(), processes, outbox, refresh, revoke, limits);
        Self { sessions, vault }
    }

    fn owner(&self) -> Arc<Owner> {
        self.sessions.of(&Account::default())
    }

    fn session(&self) -> Session {
        Session(self.owner())
    }

    fn strict(&self) -> SecureToken {
        SecureToken {
            vault: self.vault.clone(),
            sessions: self.sessions.clone(),
        }
    }

    async fn stored(&self) -> Option<String> {
        let stored = self.vault.reread(&Account::default()).await.unwrap();
        stored.record.map(|record| record.token.expose().to_owned())
    }
}

/// A page that shows the session and can refresh it.
struct Page {
    owner: Arc<Owner>,
    id: u64,
    name: PageId,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Page {
    fn open(process: &Process, name: &str) -> Self {
        let messages = Arc::<Mutex<Vec<Message>>>::default();
        let (owner, page, told) = (process.owner(), PageId::from(name), messages.clone());
        let view = View {
            page: page.clone(),
            refreshes: true,
            revokes: true,
            deliver: Arc::new(move |message| told.lock().unwrap().push(message.clone())),
        };
        let id = owner.open(view);
        Self {
            owner,
            id,
            name: page,
            messages,
        }
    }

    async fn ask(&self, ask: Ask, login: Option<u64>) -> crate::error::Result<Given> {
        let want = Want::new(ask, login, Some(self.name.clone()));
        self.owner.give(want).await
    }

    async fn reply(&self, lease: &Lease, reply: Reply) -> crate::error::Result<Access> {
        self.owner.reply(lease.id, &self.name, reply).await
    }

    /// As the npm package does: carries out the refresh if it gets the lease.
    async fn token(&self, server: &Server, ask: Ask, login: Option<u64>) -> Option<Token> {
        match self.ask(ask, login).await.ok()? {
            Given::Token(access) => access.record.map(|record| record.token.clone()),
            Given::Lease(lease) => {
                tokio::time::sleep(LATENCY).await;
                let refreshed = server.refresh(lease.record.refresh_token.as_ref().unwrap());
                tokio::time::sleep(LATENCY).await;
                let reply = match refreshed {
                    Ok(tokens) => Reply::Renewed(tokens),
                    Err(RefreshError::Ended) => Reply::Ended,
                    Err(RefreshError::Failed { .. }) => Reply::failed(),
                };
                let record = self.reply(&lease, reply).await.ok()?.record?;
                Some(record.token.clone())
            }
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.owner.close(self.id);
    }
}

fn instead_of(rejected: &Token) -> Ask {
    Ask::InsteadOf {
        rejected: rejected.clone(),
        accepted: false,
    }
}

fn text(token: Option<Token>) -> Option<String> {
    token.map(|token| token.expose().to_owned())
}

fn world() -> (Arc<MemoryStore>, Arc<Server>) {
    (Arc::default(), Arc::default())
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
