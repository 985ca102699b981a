//! `list_accounts` of very many accounts.

use std::time::Instant;

use serde_json::{Value, json};
use tauri::{
    AppHandle,
    async_runtime::{block_on, spawn},
};
use tauri_plugin_secure_token::{Error, SecureTokenExt};

use crate::raw::{Failure, Raw, attributes};

const ACCOUNTS: usize = 10_000;
const ROUNDS: usize = 3;

/// Seconds of each call. The items rest in the collection that gnome-keyring keeps in memory: on the disk, each would
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
    let mut seconds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let app = app.clone();
        let (found, time) = block_on(spawn(async move {
            let started = Instant::now();
            let found = app.secure_token().list_accounts().await?;
            Ok::<_, Error>((found.len(), started.elapsed()))
        }))??;
        if found != ACCOUNTS {
            return Err(format!("{found} of {ACCOUNTS} accounts are listed").into());
        }
        seconds.push(time.as_secs_f64());
    }
    Ok(json!(seconds))
}
