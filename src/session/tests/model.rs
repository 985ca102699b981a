//! The session in random orders and virtual time: pages, Rust callers, sign-ins and sign-outs, faults of the
//! store and of the server, in one process or in several.
//!
//! `SESSION_ORDERS` says how many orders, `SESSION_SEED` repeats one.

use std::{cell::RefCell, collections::HashSet, env};

use fastrand::Rng;

use super::{server::parts, *};

const CALLS: usize = 8;

/// What the invariants are checked against.
#[derive(Default)]
struct Facts {
    /// The logins of the server whose sign-in was acknowledged as stored.
    stored: RefCell<HashSet<u64>>,
    /// Those that an acknowledged sign-out has ended.
    ended: RefCell<HashSet<u64>>,
    wrong: RefCell<Vec<String>>,
}

impl Facts {
    fn wrong(&self, what: &str) {
        self.wrong.borrow_mut().push(what.into());
    }
}

struct World<'a> {
    server: &'a Server,
    processes: &'a [Process],
    facts: &'a Facts,
}

impl World<'_> {
    async fn page(&self, name: String, mut random: Rng) {
        let process = &self.processes[random.usize(..self.processes.len())];
        process.session().ready().await;
        let mut page = Page::open(process, &name);
        for _ in 0..CALLS {
            pause(&mut random).await;
            match random.u8(0..12) {
                0 => {
                    drop(page);
                    page = Page::open(process, &name);
                }
                // Takes a lease and does nothing with it.
                1 => {
                    let asked = page.ask(Ask::New, None).await;
                    if matches!(asked, Ok(Given::Lease(_))) && random.bool() {
                        drop(page);
                        page = Page::open(process, &name);
                    }
                }
                _ => self.want(&page.owner, Some(&page), &mut random).await,
            }
        }
    }

    async fn rust(&self, mut random: Rng) {
        let process = &self.processes[random.usize(..self.processes.len())];
        process.session().ready().await;
        for _ in 0..CALLS {
            pause(&mut random).await;
            self.want(&process.owner(), None, &mut random).await;
        }
    }

    /// Asks for a token under the login of this moment, and looks at what comes.
    async fn want(&self, owner: &Arc<Owner>, page: Option<&Page>, random: &mut Rng) {
        let now = owner.look(|state| (state.login, state.record().cloned()));
        let (login, Some(record)) = now else { return };
        let ended = self.facts.ended.borrow().clone();
        let ask = match random.u8(0..3) {
            0 => Ask::Fresh(Duration::ZERO),
            _ => instead_of(&record.token),
        };
        let given = match page {
            Some(page) => page.token(self.server, ask, Some(login)).await,
            None => match owner.give(Want::new(ask, Some(login), None)).await {
                Ok(Given::Token(access)) => access.record.map(|record| record.token.clone()),
                _ => None,
            },
        };
        let Some(given) = given else { return };
        let (of, _) = parts(&given);
        if of != parts(&record.token).0 {
            self.facts.wrong(&format!(
                "P9: after {} of login {login} came {}",
                record.token.expose(),
                given.expose()
            ));
        }
        if ended.contains(&of) {
            self.facts
                .wrong("P3: a token was given after its login had ended");
        }
    }

    async fn people(&self, mut random: Rng) {
        for _ in 0..3 {
            pause(&mut random).await;
            let process = &self.processes[random.usize(..self.processes.len())];
            let session = process.session();
            if random.bool() {
                let tokens = self.server.login();
                let (login, _) = parts(&tokens.token);
                if session.login(tokens).await.unwrap().persisted {
                    self.facts.stored.borrow_mut().insert(login);
                }
            } else {
                let stored = self.facts.stored.borrow().clone();
                if session.logout().await.persisted {
                    self.facts.ended.borrow_mut().extend(stored);
                }
            }
        }
    }

    async fn faults(&self, store: &MemoryStore, mut random: Rng) {
        for _ in 0..4 {
            pause(&mut random).await;
            match random.u8(0..5) {
                0 => self.server.set_down(true),
                // With several processes a record that one of them could not store is one that another
                // lacks: nobody can promise one rotation then.
                1 if self.processes.len() == 1 => {
                    let codes = [ErrorCode::Locked, ErrorCode::Unavailable];
                    store.inject(Fault::Fails(codes[random.usize(..2)]));
                }
                2 if self.processes.len() == 1 => {
                    let after = random.usize(..4);
                    store.inject(Fault::FailsAfter(after, ErrorCode::Unavailable));
                }
                _ => {
                    self.server.set_down(false);
                    store.heal();
                }
            }
        }
        self.server.set_down(false);
        store.heal();
    }
}

async fn pause(random: &mut Rng) {
    tokio::time::sleep(Duration::from_millis(random.u64(0..120))).await;
}

/// Returns what went wrong.
async fn order(seed: u64, folder: &Path) -> Vec<String> {
    let mut random = Rng::with_seed(seed);
    let (store, server) = world();
    let count = random.usize(1..4);
    let rust = [Rust::Nothing, Rust::Refresh][random.usize(..2)];
    let among = if count == 1 {
        Processes::none()
    } else {
        Processes::in_folder(folder.join(seed.to_string()))
    };
    let processes: Vec<_> = (0..count)
        .map(|_| Process::among(&among, &store, &server, rust))
        .collect();
    let facts = Facts::default();
    let world = World {
        server: &server,
        processes: &processes,
        facts: &facts,
    };
    let first = server.login();
    let _ = processes[0].session().login(first).await;
    let pages = (0..4).map(|n| world.page(format!("page-{n}"), random.fork()));
    let pages = futures_util::future::join_all(pages.collect::<Vec<_>>());
    let (in_rust, people) = (world.rust(random.fork()), world.people(random.fork()));
    let faults = world.faults(&store, random.fork());
    futures_util::future::join4(pages, in_rust, people, faults).await;

    // Everything is healed: memory and store agree, in every process.
    for process in &processes {
        process.owner().finish().await;
    }
    for process in &processes {
        let session = process.session();
        while !session.hydrate().await.persisted {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    for process in &processes {
        process.session().hydrate().await;
        if text(process.session().token()) != process.stored().await {
            facts.wrong("P1: memory and store differ at the end");
        }
    }
    if server.reuses() > 0 {
        facts.wrong("P8: a refresh token was used twice");
    }
    let wrong = facts.wrong.into_inner();
    let described = |what: String| format!("{what} ({count} processes, {rust:?})");
    wrong.into_iter().map(described).collect()
}

#[test]
fn p1_p3_p8_p9_hold_in_random_orders() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("SESSION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SESSION_ORDERS").unwrap_or(2_000),
    };
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let found = runtime.block_on(order(seed, folder.path()));
        wrong.extend(
            found
                .first()
                .map(|what| format!("SESSION_SEED={seed}: {what}")),
        );
    }
    let first = &wrong[..wrong.len().min(5)];
    assert!(
        wrong.is_empty(),
        "{} orders went wrong:\n{}",
        wrong.len(),
        first.join("\n")
    );
}
