//! The server of the app: HTTP on loopback, which says what each test wants it to.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use serde_json::Value;

/// For how long a test waits for something that must happen.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What the server says to one request.
pub enum Say {
    /// These bytes.
    This(Vec<u8>),
    /// These bytes, and then the connection ends.
    CutOff(Vec<u8>),
    /// Nothing, until the test says something.
    Held(u32),
    /// Nothing at all: the connection ends.
    HangUp,
    /// A body that never ends.
    Endless,
}

pub fn json(status: u16, body: &Value) -> Say {
    text(status, "application/json", &body.to_string())
}

pub fn text(status: u16, kind: &str, body: &str) -> Say {
    with_headers(status, &format!("content-type: {kind}\r\n"), body)
}

pub fn with_headers(status: u16, headers: &str, body: &str) -> Say {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n");
    Say::This([head.as_bytes(), body.as_bytes()].concat())
}

#[derive(Default)]
struct State {
    say: VecDeque<Say>,
    requests: Vec<Request>,
    let_go: Vec<(u32, Vec<u8>)>,
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
        };
        let of_thread = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, server) = (stream.unwrap(), of_thread.clone());
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the next requests get, one after the other.
    pub fn say(&self, say: impl IntoIterator<Item = Say>) {
        self.shared.0.lock().unwrap().say.extend(say);
    }

    /// Says `say` to the request that is held as `held`.
    pub fn let_go(&self, held: u32, say: Say) {
        let Say::This(bytes) = say else { panic!() };
        self.shared.0.lock().unwrap().let_go.push((held, bytes));
        self.shared.1.notify_all();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.0.lock().unwrap().requests.clone()
    }

    pub fn wait_for_requests(&self, count: usize) -> Vec<Request> {
        let (state, changed) = &*self.shared;
        let few = |state: &mut State| state.requests.len() < count;
        let waited = changed.wait_timeout_while(state.lock().unwrap(), LIMIT, few);
        let (state, time) = waited.unwrap();
        assert!(!time.timed_out(), "there were not {count} requests");
        state.requests.clone()
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(request) = read(&mut reader) {
            let (state, changed) = &*self.shared;
            let mut guard = state.lock().unwrap();
            guard.requests.push(request);
            let say = guard.say.pop_front();
            changed.notify_all();
            let bytes = match say {
                Some(Say::This(bytes)) => bytes,
                Some(Say::Held(number)) => {
                    let held =
                        |state: &mut State| !state.let_go.iter().any(|(of, _)| *of == number);
                    let mut guard = changed.wait_while(guard, held).unwrap();
                    let index = guard
                        .let_go
                        .iter()
                        .position(|(of, _)| *of == number)
                        .unwrap();
                    guard.let_go.swap_remove(index).1
                }
                Some(Say::Endless) => {
                    drop(guard);
                    let head = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n[";
                    let mut sent = writer.write_all(head);
                    while sent.is_ok() {
                        sent = writer.write_all(&[b' '; 4096]);
                    }
                    return;
                }
                Some(Say::CutOff(bytes)) => {
                    drop(guard);
                    drop(writer.write_all(&bytes));
                    return;
                }
                Some(Say::HangUp) => return,
                None => b"HTTP/1.1 599 X\r\ncontent-length: 0\r\n\r\n".to_vec(),
            };
            if writer.write_all(&bytes).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let body = String::from_utf8(body).unwrap();
    Some(Request { path, head, body })
}
