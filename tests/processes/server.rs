//! The server of the app: one-time refresh tokens. One that is used a second time ends its family, unless the
//! server has a grace and the token is the one before the newest.
//!
//! It speaks lines over TCP: `refresh TOKEN` gets `renewed TOKEN REFRESH-TOKEN` or `ended`, and `revoke TOKEN`
//! gets `revoked`.

use std::{
    collections::{BTreeSet, HashMap},
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

/// For how long a test waits for something that must happen.
const LIMIT: Duration = Duration::from_secs(30);

/// The tokens of a family, by their number.
pub fn token(family: u32, number: u32) -> String {
    format!("t-{family}-{number}")
}

pub fn refresh_token(family: u32, number: u32) -> String {
    format!("r-{family}-{number}")
}

/// What the server keeps a refresh from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Nothing,
    /// From being looked at.
    Request,
    /// From being told, although the token is used.
    Response,
}

#[derive(Default)]
pub struct Family {
    pub newest: u32,
    pub has_ended: bool,
}

pub struct State {
    has_grace: bool,
    hold: Hold,
    /// Requests that came before the last `forget` are dropped.
    epoch: u32,
    pub arrived: u32,
    pub decided: u32,
    pub families: HashMap<u32, Family>,
    /// How often each refresh token came.
    pub uses: HashMap<String, u32>,
    pub revoked: BTreeSet<String>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(has_grace: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            has_grace,
            hold: Hold::Nothing,
            epoch: 0,
            arrived: 0,
            decided: 0,
            families: HashMap::new(),
            uses: HashMap::new(),
            revoked: BTreeSet::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let of_thread = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), of_thread.clone());
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { address, shared }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Signs in: returns the number of the new family, whose tokens begin at 0.
    pub fn begin_family(&self) -> u32 {
        let mut state = self.state();
        let number = state.families.len().try_into().unwrap();
        state.families.insert(number, Family::default());
        number
    }

    pub fn hold(&self, hold: Hold) {
        self.state().hold = hold;
        self.shared.changed.notify_all();
    }

    /// Lets go of what is held, without a response to it.
    pub fn forget(&self) {
        self.state().epoch += 1;
        self.hold(Hold::Nothing);
    }

    pub fn wait_until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.state(), LIMIT, |state| !condition(state));
        assert!(!waited.unwrap().1.timed_out(), "{what} has not happened");
    }

    /// How many refreshes have arrived, and how many have been decided.
    pub fn counts(&self) -> (u32, u32) {
        let state = self.state();
        (state.arrived, state.decided)
    }

    pub fn newest(&self, family: u32) -> u32 {
        self.state().families[&family].newest
    }

    pub fn ended_families(&self) -> usize {
        let state = self.state();
        let ended = state.families.values().filter(|family| family.has_ended);
        ended.count()
    }
}

impl Shared {
    /// A client that is killed ends its connection, in whatever step.
    fn serve(&self, mut stream: &TcpStream) {
        let mut line = String::new();
        let read = BufReader::new(stream).read_line(&mut line);
        let Ok(1..) = read else { return };
        let Some(response) = self.response(line.trim_end()) else {
            return;
        };
        drop(writeln!(stream, "{response}"));
    }

    fn response(&self, line: &str) -> Option<String> {
        let mut state = self.state.lock().unwrap();
        if let Some(token) = line.strip_prefix("revoke ") {
            state.revoked.insert(token.into());
            self.changed.notify_all();
            return Some("revoked".into());
        }
        let token = line.strip_prefix("refresh ")?;
        let epoch = state.epoch;
        state.arrived += 1;
        self.changed.notify_all();
        let mut state = self.let_go(state, Hold::Request, epoch)?;
        *state.uses.entry(token.into()).or_default() += 1;
        let response = state.refresh(token);
        state.decided += 1;
        self.changed.notify_all();
        self.let_go(state, Hold::Response, epoch).map(|_| response)
    }

    /// Waits while such steps are held. `None`: the request is forgotten.
    fn let_go<'a>(
        &self,
        state: MutexGuard<'a, State>,
        step: Hold,
        epoch: u32,
    ) -> Option<MutexGuard<'a, State>> {
        let is_held = |state: &mut State| state.epoch == epoch && state.hold == step;
        let state = self.changed.wait_while(state, is_held).unwrap();
        (state.epoch == epoch).then_some(state)
    }
}

impl State {
    fn refresh(&mut self, token: &str) -> String {
        let mut parts = token.split('-').skip(1).map(str::parse::<u32>);
        let (Some(Ok(number)), Some(Ok(used))) = (parts.next(), parts.next()) else {
            return "ended".into();
        };
        let has_grace = self.has_grace;
        let Some(family) = self.families.get_mut(&number) else {
            return "ended".into();
        };
        if used == family.newest && !family.has_ended {
            family.newest += 1;
        } else if !(has_grace && used + 1 == family.newest) {
            family.has_ended = true;
        }
        if family.has_ended {
            return "ended".into();
        }
        let newest = family.newest;
        format!(
            "renewed {} {}",
            self::token(number, newest),
            refresh_token(number, newest)
        )
    }
}

/// What the server at `address` says to `request`.
pub fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    writeln!(stream, "{request}")?;
    let mut response = String::new();
    BufReader::new(stream).read_line(&mut response)?;
    Ok(response.trim_end().into())
}
