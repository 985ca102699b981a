//! `set_token` and `clear_token` against the one call that does the work for each: `SetSecret` and `Delete` of an item
//! whose path is known. All four are durable when they have returned.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tauri::{
    AppHandle,
    async_runtime::{block_on, spawn},
};
use tauri_plugin_secure_token::{Account, Record, Result, SecureTokenExt, Token};

use crate::raw::{Failure, Raw, attributes};

const ROUNDS: usize = 81;
/// About what a JWT with a few claims takes.
const TOKEN_LEN: usize = 900;

/// A record that differs from round to round and has always the same length.
fn record(round: usize) -> Result<Record> {
    let mut record = Record::new(Token::new(format!("{round:0>TOKEN_LEN$}"))?);
    record.refresh_token = Some(Token::new(format!("{round:0>64}"))?);
    record.expires_at = Some(1_900_000_000_000);
    Ok(record)
}

/// Pairs of milliseconds for each of the two, ours first. Leaves a token behind for the other modes.
pub(crate) fn measure(app: &AppHandle) -> std::result::Result<Value, Failure> {
    let service = &app.config().identifier;
    set(app, record(0)?)?;
    let raw = Raw::connect()?;
    let length = raw.stored_len(service)?;
    let theirs = attributes(&format!("{service}.raw"), Account::default().as_str());
    let value = |round: usize| format!("{round:0>length$}");

    let item = raw.create(&theirs, &value(0))?;
    let sets = in_turn(
        |round| set(app, record(round)?),
        |round| timed(|| raw.set(&item, &value(round))),
    )?;
    raw.delete(&item)?;
    let clears = in_turn(
        |round| {
            set(app, record(round)?)?;
            clear(app)
        },
        |round| {
            let item = raw.create(&theirs, &value(round))?;
            timed(|| raw.delete(&item))
        },
    )?;
    set(app, record(0)?)?;
    Ok(json!({ "setOverSetSecret": sets, "clearOverDelete": clears }))
}

/// Each goes first in every other round; the first round only warms up.
fn in_turn(
    ours: impl Fn(usize) -> std::result::Result<Duration, Failure>,
    base: impl Fn(usize) -> std::result::Result<Duration, Failure>,
) -> std::result::Result<Vec<(f64, f64)>, Failure> {
    let mut pairs = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let pair = if round % 2 == 0 {
            let ours = ours(round)?;
            (ours, base(round)?)
        } else {
            let base = base(round)?;
            (ours(round)?, base)
        };
        pairs.push((milliseconds(pair.0), milliseconds(pair.1)));
    }
    Ok(pairs.split_off(1))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn timed(
    work: impl FnOnce() -> std::result::Result<(), dbus::Error>,
) -> std::result::Result<Duration, Failure> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

fn set(app: &AppHandle, record: Record) -> std::result::Result<Duration, Failure> {
    let app = app.clone();
    timed_in_runtime(async move {
        let tokens = app.secure_token();
        tokens.set_token(&Account::default(), record, None).await
    })
}

fn clear(app: &AppHandle) -> std::result::Result<Duration, Failure> {
    let app = app.clone();
    timed_in_runtime(async move {
        let tokens = app.secure_token();
        tokens.clear_token(&Account::default(), None).await
    })
}

/// How long `work` takes on the threads where a command runs.
fn timed_in_runtime(
    work: impl Future<Output = Result<u64>> + Send + 'static,
) -> std::result::Result<Duration, Failure> {
    let time = block_on(spawn(async move {
        let started = Instant::now();
        work.await?;
        Ok::<_, tauri_plugin_secure_token::Error>(started.elapsed())
    }));
    Ok(time??)
}
