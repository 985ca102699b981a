//! What the callers saw, and whether a register that changes at one instant per write explains it.

use std::sync::Mutex;

use tauri_plugin_secure_token::{ErrorCode, Result, StoredRecord};

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Running,
    Acknowledged(u64),
    /// It may have happened, or happen until the next write begins.
    Unknown,
    Nothing,
}

impl Outcome {
    pub(crate) fn of(result: Result<u64>) -> Self {
        match result {
            Ok(revision) => Self::Acknowledged(revision),
            Err(error) => match error.code() {
                ErrorCode::Timeout | ErrorCode::Unavailable | ErrorCode::Internal => Self::Unknown,
                ErrorCode::Locked | ErrorCode::Conflict => Self::Nothing,
                code => panic!("a write ended with {code:?}"),
            },
        }
    }
}

/// A read by its number in the history, and the revision that it found.
pub(crate) type Seen = (usize, u64);

struct Write {
    /// `None` clears.
    token: Option<String>,
    condition: Option<Seen>,
    begin: u64,
    end: u64,
    outcome: Outcome,
}

struct Read {
    begin: u64,
    end: u64,
    found: Found,
}

enum Found {
    /// The read failed, and says nothing.
    Failed,
    Nothing,
    Token(String),
}

/// The write that a read has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Not known: the read failed.
    Unknown,
    /// None: the read saw the state before all writes.
    Start,
    Write(usize),
}

#[derive(Default)]
struct Events {
    now: u64,
    writes: Vec<Write>,
    reads: Vec<Read>,
}

impl Events {
    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

/// The calls of one order. Writes are numbered as they were asked for, which is the order in which the
/// vault carries them out.
#[derive(Default)]
pub(crate) struct History(Mutex<Events>);

impl History {
    pub(crate) fn begin_read(&self) -> usize {
        let mut events = self.0.lock().unwrap();
        let begin = events.tick();
        events.reads.push(Read {
            begin,
            end: u64::MAX,
            found: Found::Failed,
        });
        events.reads.len() - 1
    }

    pub(crate) fn end_read(
        &self,
        read: usize,
        result: Result<Option<StoredRecord>>,
    ) -> Option<Seen> {
        let mut events = self.0.lock().unwrap();
        let end = events.tick();
        events.reads[read].end = end;
        match result {
            Ok(stored) => {
                let seen = stored.as_ref().map(|stored| (read, stored.revision));
                let token = stored.map(|stored| stored.record.token.expose().to_owned());
                events.reads[read].found = token.map_or(Found::Nothing, Found::Token);
                seen
            }
            Err(error) => {
                let known = [
                    ErrorCode::Locked,
                    ErrorCode::Unavailable,
                    ErrorCode::Timeout,
                ];
                assert!(known.contains(&error.code()), "a read ended with {error}");
                None
            }
        }
    }

    pub(crate) fn begin_write(&self, token: Option<&str>, condition: Option<Seen>) -> usize {
        let mut events = self.0.lock().unwrap();
        let begin = events.tick();
        events.writes.push(Write {
            token: token.map(str::to_owned),
            condition,
            begin,
            end: u64::MAX,
            outcome: Outcome::Running,
        });
        events.writes.len() - 1
    }

    pub(crate) fn end_write(&self, write: usize, outcome: Outcome) {
        let mut events = self.0.lock().unwrap();
        let end = events.tick();
        events.writes[write].end = end;
        events.writes[write].outcome = outcome;
    }

    /// Returns what no register explains, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        let events = self.0.lock().unwrap();
        let mut sources = Vec::new();
        for read in &events.reads {
            let source = match &read.found {
                Found::Failed => Source::Unknown,
                Found::Nothing => source(&events, &sources, read, None)?,
                Found::Token(token) => source(&events, &sources, read, Some(token))?,
            };
            sources.push(source);
        }
        revisions_grow(&events.writes)?;
        conditions_hold(&events, &sources)
    }
}

/// The earliest write that `read` can have seen.
///
/// Reads are checked in the order in which they began, so that those which ended before `read` began
/// have their source already.
fn source(
    events: &Events,
    sources: &[Source],
    read: &Read,
    found: Option<&str>,
) -> Result<Source, String> {
    let acknowledged = events.writes.iter().enumerate().filter(|(_, write)| {
        matches!(write.outcome, Outcome::Acknowledged(_)) && write.end < read.begin
    });
    let by_writes = acknowledged.map(|(index, _)| Source::Write(index)).max();
    let by_reads = sources
        .iter()
        .zip(&events.reads)
        .filter(|(_, other)| other.end < read.begin)
        .map(|(source, _)| *source)
        .max();
    let from = match by_writes.max(by_reads) {
        Some(Source::Write(index)) => index,
        _ if found.is_none() => return Ok(Source::Start),
        _ => 0,
    };
    let mut possible = events.writes.iter().enumerate().skip(from);
    possible
        .find(|(_, write)| {
            write.token.as_deref() == found
                && write.outcome != Outcome::Nothing
                && write.begin < read.end
        })
        .map(|(index, _)| Source::Write(index))
        .ok_or_else(|| {
            let found = found.map_or("nothing", |_| "a replaced or cleared token");
            format!("a read that began at {} found {found}", read.begin)
        })
}

fn revisions_grow(writes: &[Write]) -> Result<(), String> {
    let revisions = writes.iter().filter_map(|write| match write.outcome {
        Outcome::Acknowledged(revision) => Some(revision),
        _ => None,
    });
    if revisions.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err("a revision did not grow".into())
    }
}

/// A write that demanded a revision was carried out only if nothing happened since the read of it.
fn conditions_hold(events: &Events, sources: &[Source]) -> Result<(), String> {
    for (index, write) in events.writes.iter().enumerate() {
        let (Some((read, _)), Outcome::Acknowledged(_)) = (write.condition, write.outcome) else {
            continue;
        };
        let Source::Write(seen) = sources[read] else {
            unreachable!("a revision comes with a token");
        };
        let between = &events.writes[seen + 1..index];
        let changed = between.iter().any(|other| match other.outcome {
            Outcome::Acknowledged(_) => true,
            Outcome::Unknown => other.end > events.reads[read].end,
            Outcome::Running | Outcome::Nothing => false,
        });
        if changed {
            return Err(format!("write {index} overwrote what it had not read"));
        }
    }
    Ok(())
}
