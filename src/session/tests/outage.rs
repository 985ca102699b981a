//! Many apps whose auth server goes away and comes back: it is not overrun, and nobody is signed out.
//!
//! Each app has an owner, a vault and a store of its own. `OUTAGE_SESSIONS` says how many there are,
//! `OUTAGE_FIGURES` names a folder for the figures of docs/scale.md.

use std::{
    env, fs,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use fastrand::Rng;
use tokio::{runtime, time::Instant};

use super::{
    server::{parts, tokens},
    *,
};

const SESSIONS: usize = 2000;

/// So many apps share a runtime and its clock. All runtimes begin at the same virtual moment, and what
/// reaches the server in a second is added up.
const SHARE: usize = 2000;

/// What must not reach the server in one second, in percent of the sessions.
const LIMIT: usize = 3;

const LIFETIME: Duration = Duration::from_secs(15 * 60);
const BEGIN: Duration = Duration::from_secs(5 * 60);
/// Long enough that the tokens of after the outage are renewed once more.
const AFTERWARDS: Duration = Duration::from_secs(25 * 60);

/// How a server is away.
#[derive(Clone, Copy)]
enum Away {
    /// No connection.
    Refused,
    /// It answers 503 with this `Retry-After`.
    Unavailable(Duration),
    /// It answers 503 with a `Retry-After` that names the moment at which it is back, the same for all.
    UnavailableUntilBack,
    /// It takes a request and never answers.
    Silent,
}

#[derive(Clone, Copy)]
struct Outage {
    name: &'static str,
    away: Away,
    lasts: Duration,
    /// How many refreshes it carries out in a second once it is back, in thousandths of the sessions.
    /// What is more gets a 503.
    capacity: Option<usize>,
    /// Each session has a new token so long after the server is back.
    within: Duration,
}

impl Outage {
    fn back(&self) -> Duration {
        BEGIN + self.lasts
    }

    fn end(&self) -> Duration {
        self.back() + AFTERWARDS
    }
}

/// When the tokens end with which the sessions begin.
#[derive(Clone, Copy)]
enum Ends {
    /// At any time within a lifetime.
    Spread,
    /// All at the same moment.
    Together,
}

/// What was seen, in a share of the sessions or in all.
#[derive(Clone)]
struct Seen {
    /// The refreshes that arrived in each second, or would have.
    per_second: Vec<usize>,
    failed: usize,
    /// Refresh tokens that came twice.
    reused: usize,
    signed_out: usize,
    /// Sessions that bought a token after the outage, and hold one that has not expired.
    renewed: usize,
    /// From the end of the outage until the last of them had bought its first one.
    recovery: Duration,
}

impl Seen {
    fn peak(&self, from: Duration) -> usize {
        let from = usize::try_from(from.as_secs()).unwrap();
        self.per_second[from..].iter().copied().max().unwrap()
    }

    fn add(mut self, other: &Self) -> Self {
        for (sum, count) in self.per_second.iter_mut().zip(&other.per_second) {
            *sum += count;
        }
        self.failed += other.failed;
        self.reused += other.reused;
        self.signed_out += other.signed_out;
        self.renewed += other.renewed;
        self.recovery = self.recovery.max(other.recovery);
        self
    }
}

/// An auth server with one-time refresh tokens, for some of the sessions.
struct FailingServer {
    outage: Outage,
    sessions: usize,
    start: Instant,
    state: Mutex<ServerState>,
}

struct ServerState {
    random: Rng,
    seen: Seen,
    /// The number of the newest tokens of each session.
    newest: Vec<u64>,
    /// When each session first bought a token after the outage.
    recovered: Vec<Option<Duration>>,
}

impl FailingServer {
    fn new(outage: Outage, sessions: usize, random: Rng) -> Self {
        let seconds = usize::try_from(outage.end().as_secs()).unwrap();
        let seen = Seen {
            per_second: vec![0; seconds],
            failed: 0,
            reused: 0,
            signed_out: 0,
            renewed: 0,
            recovery: Duration::ZERO,
        };
        let state = ServerState {
            random,
            seen,
            newest: vec![0; sessions],
            recovered: vec![None; sessions],
        };
        Self {
            outage,
            sessions,
            start: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// The time to the server, or back from it.
    fn latency(&self) -> Duration {
        Duration::from_millis(self.state.lock().unwrap().random.u64(10..100))
    }

    async fn refresh(&self, record: Record) -> Result<Tokens, RefreshError> {
        let (there, back) = (self.latency(), self.latency());
        tokio::time::sleep(there).await;
        let response = self.respond(&record.refresh_token.unwrap());
        let is_silent = matches!(self.outage.away, Away::Silent);
        if is_silent && response.is_err() && self.is_away() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(back).await;
        response
    }

    fn is_away(&self) -> bool {
        (BEGIN..self.outage.back()).contains(&self.start.elapsed())
    }

    fn respond(&self, refresh_token: &Token) -> Result<Tokens, RefreshError> {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        let now = self.start.elapsed();
        let second = usize::try_from(now.as_secs()).unwrap();
        let arrived = &mut state.seen.per_second[second];
        *arrived += 1;
        let capacity = self.outage.capacity.filter(|_| now >= BEGIN);
        let is_too_much = capacity.is_some_and(|most| *arrived * 1000 > most * self.sessions);
        if self.is_away() || is_too_much {
            state.seen.failed += 1;
            let retry_after = match self.outage.away {
                _ if !self.is_away() => None,
                Away::Unavailable(wait) => Some(wait),
                Away::UnavailableUntilBack => self.outage.back().checked_sub(now),
                Away::Refused | Away::Silent => None,
            };
            return Err(RefreshError::Failed { retry_after });
        }
        let (session, number) = parts(refresh_token);
        let index = usize::try_from(session).unwrap();
        if state.newest[index] != number {
            state.seen.reused += 1;
            return Err(RefreshError::Ended);
        }
        state.newest[index] += 1;
        if now >= self.outage.back() {
            state.recovered[index].get_or_insert(now);
        }
        Ok(tokens(session, number + 1, Some(LIFETIME)))
    }

    fn see(&self, apps: &[Session]) -> Seen {
        let state = self.state.lock().unwrap();
        let mut seen = state.seen.clone();
        let now = clock::Moment::now().wall;
        for (app, recovered) in apps.iter().zip(&state.recovered) {
            let snapshot = app.snapshot();
            if snapshot.status != Status::SignedIn {
                seen.signed_out += 1;
            }
            if let Some(recovered) = recovered
                && snapshot.expires_at.is_some_and(|at| at > now)
            {
                seen.renewed += 1;
                let recovery = recovered.checked_sub(self.outage.back()).unwrap();
                seen.recovery = seen.recovery.max(recovery);
            }
        }
        seen
    }
}

/// An app with a refresher in Rust, in which somebody is signed in.
async fn start(server: &Arc<FailingServer>, session: usize, ends_in: Duration) -> Session {
    let refreshing = server.clone();
    let refresh: Refresh = Arc::new(move |_, record| {
        let server = refreshing.clone();
        Box::pin(async move { server.refresh(record).await.into() })
    });
    let store = Arc::<MemoryStore>::default();
    let app = Process::with(&Processes::none(), &store, Some(refresh), None).session();
    let session = u64::try_from(session).unwrap();
    app.login(tokens(session, 0, Some(ends_in))).await.unwrap();
    app
}

/// Requests without end. While the refresh rests, only the first request after the rest counts: those
/// before it get the error at once, and reach no server. It comes within a second, as that of an app
/// that sends requests all the time.
async fn send_requests(app: Session, mut random: Rng) {
    let mut wait = random.u64(0..60_000);
    loop {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        wait = if app.fresh_token(Duration::ZERO).await.is_ok() {
            random.u64(30_000..90_000)
        } else {
            let retry_at = app.snapshot().retry_at.unwrap_or_default();
            retry_at.saturating_sub(clock::Moment::now().wall) + random.u64(1..1000)
        };
    }
}

async fn live_through(outage: Outage, ends: Ends, sessions: usize, mut random: Rng) -> Seen {
    let server = Arc::new(FailingServer::new(outage, sessions, random.fork()));
    let mut apps = Vec::new();
    for session in 0..sessions {
        let ends_in = match ends {
            Ends::Spread => LIFETIME.mul_f64(random.f64()).max(Duration::from_secs(1)),
            Ends::Together => BEGIN * 2,
        };
        let app = start(&server, session, ends_in).await;
        tokio::spawn(send_requests(app.clone(), random.fork()));
        apps.push(app);
    }
    tokio::time::sleep_until(server.start + outage.end() - Duration::from_millis(1)).await;
    server.see(&apps)
}

/// All sessions, in shares, on as many threads as there are processors.
fn simulate(outage: Outage, ends: Ends, sessions: usize) -> Seen {
    let (next, shares) = (AtomicUsize::new(0), sessions.div_ceil(SHARE));
    let work = || {
        let mut seen = Vec::new();
        loop {
            let share = next.fetch_add(1, Ordering::Relaxed);
            if share >= shares {
                return seen;
            }
            let number = u64::try_from(share).unwrap();
            pause::chance::seed(number);
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap();
            let some = SHARE.min(sessions - share * SHARE);
            let lived = live_through(outage, ends, some, Rng::with_seed(number));
            seen.push(runtime.block_on(lived));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let seen = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(shares))
            .map(|_| scope.spawn(work))
            .collect();
        let seen = workers.into_iter().map(|worker| worker.join().unwrap());
        seen.flatten().collect::<Vec<_>>()
    });
    let first = seen[0].clone();
    seen[1..].iter().fold(first, Seen::add)
}

fn sessions() -> usize {
    env::var("OUTAGE_SESSIONS").map_or(SESSIONS, |sessions| sessions.parse().unwrap())
}

fn write_figures(outage: Outage, sessions: usize, seen: &Seen) {
    let Ok(folder) = env::var("OUTAGE_FIGURES") else {
        return;
    };
    let figures = serde_json::json!({
        "sessions": sessions,
        "away": [BEGIN.as_secs(), outage.back().as_secs()],
        "perSecond": seen.per_second,
        "failed": seen.failed,
        "recovery": seen.recovery.as_secs_f64().ceil(),
        "signedOut": seen.signed_out,
        "renewed": seen.renewed,
    });
    let file = Path::new(&folder).join(format!("{}.json", outage.name));
    fs::write(file, figures.to_string()).unwrap();
}

fn check(outage: Outage) {
    let sessions = sessions();
    let seen = simulate(outage, Ends::Spread, sessions);
    write_figures(outage, sessions, &seen);
    let peak = seen.peak(outage.back());
    assert!(
        peak * 100 < LIMIT * sessions,
        "{peak} refreshes in a second"
    );
    assert_eq!((seen.signed_out, seen.reused), (0, 0));
    assert_eq!(seen.renewed, sessions);
    assert!(seen.recovery <= outage.within, "{:?}", seen.recovery);
}

const HOUR: Outage = Outage {
    name: "refused",
    away: Away::Refused,
    lasts: Duration::from_secs(3600),
    capacity: None,
    // The longest rest, a request within a second, and the way to the server.
    within: Duration::from_secs(122),
};

#[test]
fn a_server_that_was_unreachable_for_an_hour_is_not_overrun() {
    check(HOUR);
}

#[test]
fn a_server_that_asks_for_half_a_minute_is_not_overrun() {
    let wait = Duration::from_secs(30);
    check(Outage {
        name: "retry-after",
        away: Away::Unavailable(wait),
        within: HOUR.within + wait,
        ..HOUR
    });
}

#[test]
fn a_server_that_names_the_moment_of_its_return_is_not_overrun_then() {
    check(Outage {
        name: "until-back",
        away: Away::UnavailableUntilBack,
        ..HOUR
    });
}

#[test]
fn a_server_that_was_silent_is_not_overrun() {
    check(Outage {
        name: "silent",
        away: Away::Silent,
        // What was sent before ends at its deadline.
        within: HOUR.within + Duration::from_secs(60),
        ..HOUR
    });
}

#[test]
fn a_server_that_comes_back_with_little_capacity_is_not_overrun() {
    check(Outage {
        name: "little-capacity",
        capacity: Some(5),
        // It needs 200 seconds for all even if no second is left unused.
        within: Duration::from_secs(600),
        ..HOUR
    });
}

#[test]
fn a_server_that_was_unreachable_for_a_minute_is_not_overrun() {
    check(Outage {
        name: "minute",
        lasts: Duration::from_secs(60),
        // Most tokens have not expired yet, and are renewed in their time.
        within: LIFETIME,
        ..HOUR
    });
}

#[test]
fn tokens_that_end_at_one_moment_are_not_renewed_at_one_moment() {
    let none = Outage {
        name: "together",
        lasts: Duration::ZERO,
        within: LIFETIME,
        ..HOUR
    };
    let sessions = sessions();
    let seen = simulate(none, Ends::Together, sessions);
    let peak = seen.peak(Duration::ZERO);
    assert!(
        peak * 100 < LIMIT * sessions,
        "{peak} refreshes in a second"
    );
    assert_eq!((seen.signed_out, seen.failed, seen.reused), (0, 0, 0));
    assert_eq!(seen.renewed, sessions);
}
