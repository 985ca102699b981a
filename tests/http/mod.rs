//! A small server of HTTP/1.1 that does what a test tells it, also what no good server does.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub fn token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

/// Both directions of a connection, with or without TLS.
pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

type Wrap = dyn Fn(TcpStream) -> Box<dyn Wire> + Send + Sync;
/// Writes the response. An error closes the connection.
type Handler = dyn Fn(&Seen, &mut dyn Write) -> io::Result<()> + Send + Sync;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    closed: AtomicUsize,
    changed: Condvar,
}

/// A server that runs until the process ends.
#[derive(Clone)]
pub struct Server {
    pub port: u16,
    log: Arc<Log>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub fn start(
        handler: impl Fn(&Seen, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::wrapped(|stream| Box::new(stream), handler)
    }

    /// A server each of whose connections is wrapped, in TLS for one.
    pub fn wrapped(
        wrap: impl Fn(TcpStream) -> Box<dyn Wire> + Send + Sync + 'static,
        handler: impl Fn(&Seen, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            log: Arc::default(),
            connections: Arc::default(),
        };
        let (wrap, handler): (Arc<Wrap>, Arc<Handler>) = (Arc::new(wrap), Arc::new(handler));
        let (log, connections) = (server.log.clone(), server.connections.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::Relaxed);
                let (wrap, handler, log) = (wrap.clone(), handler.clone(), log.clone());
                thread::spawn(move || {
                    serve(wrap(stream), &*handler, &log).ok();
                    log.closed.fetch_add(1, Ordering::Relaxed);
                    log.changed.notify_all();
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub fn tokens(&self) -> Vec<Option<String>> {
        let seen = self.seen();
        seen.iter()
            .map(|seen| seen.token().map(str::to_owned))
            .collect()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many connections have ended.
    pub fn closed(&self) -> usize {
        self.log.closed.load(Ordering::Relaxed)
    }

    /// Blocks until `is_so`, which is looked at after each request and each end of a connection.
    pub fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let mut seen = self.log.seen.lock().unwrap();
        for _ in 0..3000 {
            drop(seen);
            if is_so(self) {
                return;
            }
            seen = self.log.seen.lock().unwrap();
            let waited = self
                .log
                .changed
                .wait_timeout(seen, Duration::from_millis(10));
            seen = waited.unwrap().0;
        }
        panic!("the server has waited for too long");
    }
}

fn serve(wire: Box<dyn Wire>, handler: &Handler, log: &Log) -> io::Result<()> {
    let mut wire = BufReader::new(wire);
    while let Some(mut seen) = head(&mut wire)? {
        body(&mut wire, &mut seen)?;
        log.seen.lock().unwrap().push(seen.clone());
        log.changed.notify_all();
        handler(&seen, wire.get_mut())?;
        wire.get_mut().flush()?;
    }
    Ok(())
}

fn line(wire: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    wire.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn head(wire: &mut impl BufRead) -> io::Result<Option<Seen>> {
    let request = line(wire)?;
    let mut words = request.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let line = line(wire)?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(Some(Seen {
        method,
        path,
        headers,
        body: Vec::new(),
    }))
}

fn body(wire: &mut impl BufRead, seen: &mut Seen) -> io::Result<()> {
    if let Some(len) = seen.header("content-length") {
        seen.body = vec![0; len.parse().unwrap()];
        return wire.read_exact(&mut seen.body);
    }
    if seen.header("transfer-encoding") != Some("chunked") {
        return Ok(());
    }
    loop {
        let len = usize::from_str_radix(&line(wire)?, 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; len];
        wire.read_exact(&mut chunk)?;
        line(wire)?;
        if len == 0 {
            return Ok(());
        }
        seen.body.extend(chunk);
    }
}

/// A whole response.
pub fn reply(
    wire: &mut dyn Write,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<()> {
    start(wire, status, headers)?;
    write!(wire, "content-length: {}\r\n\r\n", body.len())?;
    wire.write_all(body)
}

/// The start of a response, whose headers are not ended yet.
pub fn start(wire: &mut dyn Write, status: u16, headers: &[(&str, &str)]) -> io::Result<()> {
    write!(wire, "HTTP/1.1 {status} Status\r\n")?;
    for (name, value) in headers {
        write!(wire, "{name}: {value}\r\n")?;
    }
    Ok(())
}

/// A chunk of a response with `transfer-encoding: chunked`. The one without bytes ends it.
pub fn chunk(wire: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    write!(wire, "{:x}\r\n", bytes.len())?;
    wire.write_all(bytes)?;
    wire.write_all(b"\r\n")?;
    wire.flush()
}
