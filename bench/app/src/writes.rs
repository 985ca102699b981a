//! `set_token` and `clear_token` against the one call that does the work for each: `SetSecret` and `Delete` of an item
//! whose path is known. All four are durable when they have returned.

use std::time::Duration;

use serde_json::{Value, json};
use tauri::AppHandle;
use tauri_plugin_secure_token::{Account, Error, Record, SecureTokenExt, Token};

use crate::{
    raw::{Failure, Raw, attributes},
    turns::{in_turn, timed, timed_in_runtime},
};

const ROUNDS: usize = 81;
/// About what a JWT with a few claims takes.
const TOKEN_LEN: usize = 900;

/// A record that differs from round to round and has always the same length.
fn record(round: usize) -> Result<Record, Error> {
    let mut record = Record::new(Token::new(format!("{round:0>TOKEN_LEN$}"))?);
    record.refresh_token = Some(Token::new(format!("{round:0>64}"))?);
    record.expires_at = Some(1_900_000_000_000);
    Ok(record)
}

/// Pairs of milliseconds for each of the two, ours first. Leaves a token behind for the other modes.
pub(crate) fn measure(app: &AppHandle) -> Result<Value, Failure> {
    let service = &app.config().identifier;
    set(app, record(0)?)?;
    let raw = Raw::connect()?;
    let length = raw.stored_len(service)?;
    let theirs = attributes(&format!("{service}.raw"), Account::default().as_str());
    let value = |round: usize| format!("{round:0>length$}");

    let item = raw.create(&theirs, &value(0))?;
    let sets = in_turn(
        ROUNDS,
        |round| set(app, record(round)?),
        |round| timed(|| raw.set(&item, &value(round))),
    )?;
    raw.delete(&item)?;
    let clears = in_turn(
        ROUNDS,
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

fn set(app: &AppHandle, record: Record) -> Result<Duration, Failure> {
    let app = app.clone();
    let (_revision, time) = timed_in_runtime(async move {
        let tokens = app.secure_token();
        tokens.set_token(&Account::default(), record, None).await
    })?;
    Ok(time)
}

fn clear(app: &AppHandle) -> Result<Duration, Failure> {
    let app = app.clone();
    let (_revision, time) = timed_in_runtime(async move {
        let tokens = app.secure_token();
        tokens.clear_token(&Account::default(), None).await
    })?;
    Ok(time)
}
