//! `list_accounts` of very many accounts, against the calls that no client of the Secret Service can do without: a search,
//! and the attributes of each item that it finds.

use std::time::Duration;

use serde_json::{Value, json};
use tauri::AppHandle;
use tauri_plugin_secure_token::SecureTokenExt;

use crate::{
    raw::{Failure, Raw, attributes},
    turns::{in_turn, timed, timed_in_runtime},
};

const ACCOUNTS: usize = 10_000;
const ROUNDS: usize = 3;

/// Pairs of milliseconds. The items rest in the collection that gnome-keyring keeps in memory: on the disk, each would
/// write the whole file anew, and what is listed comes from memory anyway.
pub(crate) fn measure(app: &AppHandle) -> Result<Value, Failure> {
    let service = &app.config().identifier;
    let mut raw = Raw::connect()?;
    raw.use_memory()?;
    for number in 0..ACCOUNTS {
        raw.create(
            &attributes(service, &format!("account {number}")),
            "never read",
        )?;
    }
    let lists = in_turn(
        ROUNDS,
        |_| list(app),
        |_| timed(|| all(raw.read_attributes(service)?)),
    )?;
    Ok(json!({ "listOverRaw": lists }))
}

fn list(app: &AppHandle) -> Result<Duration, Failure> {
    let app = app.clone();
    let (accounts, time) =
        timed_in_runtime(async move { app.secure_token().list_accounts().await })?;
    all(accounts.len())?;
    Ok(time)
}

fn all(found: usize) -> Result<(), Failure> {
    if found == ACCOUNTS {
        Ok(())
    } else {
        Err(format!("{found} of {ACCOUNTS} accounts are listed").into())
    }
}
