//! The session in random orders and virtual time: pages, Rust callers, people who sign in and out by each door,
//! faults of the store and of the server, clocks that are set, in one process or in several, which are killed.
//!
//! `SESSION_ORDERS` says how many orders, `SESSION_SEED` repeats one.

mod facts;
mod steps;

use std::{cell::RefCell, env};

use fastrand::Rng;

use self::facts::{Expected, Facts};
use super::{server::parts, *};
use crate::task::life::Life;

/// How many orders are tried. The files of the processes are slow under Wine.
const ORDERS: u64 = if cfg!(windows) { 200 } else { 2_000 };

/// What one order is about.
#[derive(Debug, Clone, Copy)]
struct Plan {
    processes: usize,
    rust: Rust,
    trouble: Trouble,
    /// Whether the server gives the response of a refresh again.
    has_grace: bool,
    /// Whether people use the strict doors too.
    is_strict: bool,
}

/// What goes wrong besides the server and the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The store is slow at most.
    None,
    /// The store fails and hangs. With several processes a record that one of them could not store is one
    /// that the others lack: nobody can promise one rotation then.
    Store,
    /// As `Store`, and the app is killed meanwhile: what was not stored is lost.
    StoreAndKills,
    /// Processes are killed.
    Kills,
}

impl Plan {
    fn draw(random: &mut Rng) -> Self {
        let processes = random.usize(1..4);
        let troubles: &[_] = match processes {
            1 => &[
                Trouble::None,
                Trouble::Store,
                Trouble::StoreAndKills,
                Trouble::Kills,
            ],
            _ => &[Trouble::None, Trouble::Kills],
        };
        Self {
            processes,
            rust: [Rust::Nothing, Rust::Refresh, Rust::Both][random.usize(..3)],
            trouble: troubles[random.usize(..troubles.len())],
            has_grace: random.bool(),
            is_strict: random.bool(),
        }
    }

    fn is_killing(&self) -> bool {
        matches!(self.trouble, Trouble::Kills | Trouble::StoreAndKills)
    }

    fn has_faults(&self) -> bool {
        matches!(self.trouble, Trouble::Store | Trouble::StoreAndKills)
    }

    /// Whether a session can end although nobody has ended it: a refresh token whose successor was lost.
    fn is_lossy(&self) -> bool {
        self.trouble == Trouble::StoreAndKills
            || (self.trouble == Trouble::Kills && !self.has_grace)
    }
}

/// A process, and its life.
#[derive(Clone)]
struct Alive {
    process: Process,
    life: Life,
}

struct World {
    plan: Plan,
    server: Arc<Server>,
    store: Arc<MemoryStore>,
    among: Processes,
    alive: RefCell<Vec<Alive>>,
    facts: Facts,
}

impl World {
    fn new(plan: Plan, folder: &Path) -> Self {
        let (store, server) = world();
        if plan.has_grace {
            server.give_grace();
        }
        let among = match plan.processes {
            1 => Processes::none(),
            _ => Processes::in_folder(folder.into()),
        };
        Self {
            plan,
            server,
            store,
            among,
            alive: RefCell::default(),
            facts: Facts::default(),
        }
    }

    async fn start(&self) -> Alive {
        let life = Life::default();
        let started =
            async { Process::among(&self.among, &self.store, &self.server, self.plan.rust) };
        let process = life.run(started).await.unwrap();
        Alive { process, life }
    }

    fn any(&self, random: &mut Rng) -> Alive {
        let alive = self.alive.borrow();
        alive[random.usize(..alive.len())].clone()
    }

    /// The login that the store holds, past any fault.
    fn stored(&self) -> Option<u64> {
        let bytes = self
            .store
            .peek(&crate::store::Item::of(&Account::default()))?;
        let record = crate::vault::envelope::decode(&bytes).unwrap();
        Some(parts(&record.token).0)
    }

    /// Everything is healed: memory and store agree, in every process.
    async fn check_the_end(&self) {
        let alive = self.alive.borrow().clone();
        for at in &alive {
            let settle = async {
                let session = at.process.session();
                session.0.finish().await;
                while !session.hydrate().await.persisted {
                    // A session that is not to be kept is never persisted.
                    if session.0.look(state::State::is_not_kept) && self.stored().is_none() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            };
            at.life.run(settle).await;
        }
        for at in &alive {
            let session = at.process.session();
            at.life.run(session.hydrate()).await;
            let is_kept = !session.0.look(state::State::is_not_kept);
            let stored = at.life.run(at.process.stored()).await.unwrap();
            if stored != text(session.token()).filter(|_| is_kept) {
                self.facts.wrong("P1: memory and store differ at the end");
            }
            self.facts.check_memory(&session);
            let login = session.token().map(|token| parts(&token).0);
            if !self.plan.is_lossy() {
                self.facts.check_login(login, &session.snapshot());
            }
        }
        if self.plan.rust == Rust::Both
            && self.plan.processes == 1
            && !self.plan.is_strict
            && !self.plan.is_killing()
        {
            let session = alive[0].process.session();
            until(|| session.snapshot().revokes == 0).await;
            let current = session.token().map(|token| parts(&token).0);
            self.facts.check_revoked(&self.server, current);
        }
        self.check_uses();
    }

    /// Each refresh token was used once, except those whose use was cut off.
    fn check_uses(&self) {
        let (reuses, graces) = (self.server.reuses(), self.server.graces());
        let cut_off = self.facts.cut_off();
        match self.plan.trouble {
            Trouble::StoreAndKills => {}
            Trouble::Kills if !self.plan.has_grace => {
                if reuses > cut_off {
                    self.facts.wrong("P8: more reuses than kills");
                }
            }
            _ => {
                if reuses > 0 {
                    self.facts.wrong("P8: a refresh token was used twice");
                }
                if graces > cut_off {
                    self.facts
                        .wrong("P8: a refresh token was used twice within the grace");
                }
            }
        }
    }
}

/// Returns what went wrong.
async fn order(seed: u64, folder: &Path) -> Vec<String> {
    let mut random = Rng::with_seed(seed);
    let plan = Plan::draw(&mut random);
    let world = World::new(plan, &folder.join(seed.to_string()));
    for _ in 0..plan.processes {
        let at = world.start().await;
        world.alive.borrow_mut().push(at);
    }
    world.sign_in_first().await;
    let pages = (0..4).map(|n| world.page(n, random.fork()));
    let pages = futures_util::future::join_all(pages.collect::<Vec<_>>());
    let (in_rust, people) = (world.rust(random.fork()), world.people(random.fork()));
    let troubles = world.troubles(random.fork());
    futures_util::future::join4(pages, in_rust, people, troubles).await;
    world.check_the_end().await;
    let described = |what: String| format!("{what} ({plan:?})");
    world.facts.into_wrong().map(described).collect()
}

#[test]
fn p1_p3_p8_p9_hold_in_random_orders() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("SESSION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SESSION_ORDERS").unwrap_or(ORDERS),
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
