//! `set_token` against the cheapest durable write there is: one `CreateItem` of the Secret Service.

use std::{
    collections::HashMap,
    error::Error,
    time::{Duration, Instant},
};

use oo7::{Secret, dbus::Service};
use tauri::AppHandle;
use tauri_plugin_secure_token::{Account, Record, SecureTokenExt, Token};

const ROUNDS: usize = 81;
/// About what a JWT with a few claims takes.
const TOKEN_LEN: usize = 900;

/// A record that differs from round to round and has always the same length.
fn record(round: usize) -> tauri_plugin_secure_token::Result<Record> {
    let mut record = Record::new(Token::new(format!("{round:0>TOKEN_LEN$}"))?);
    record.refresh_token = Some(Token::new(format!("{round:0>64}"))?);
    record.expires_at = Some(1_900_000_000_000);
    Ok(record)
}

fn attributes(service: &str) -> HashMap<String, String> {
    let account = Account::default();
    [("service", service), ("username", account.as_str())]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Pairs of milliseconds: `set_token`, then `CreateItem` with as many bytes.
pub(crate) async fn compare(
    app: &AppHandle,
) -> Result<Vec<(f64, f64)>, Box<dyn Error + Send + Sync>> {
    let tokens = app.secure_token();
    let account = Account::default();
    tokens.set_token(&account, record(0)?, None).await?;

    let service = Service::new().await?;
    let collection = service.default_collection().await?;
    let identifier = &app.config().identifier;
    let stored = collection.search_items(&attributes(identifier)).await?;
    let stored = stored.first().ok_or("the token is not in the keyring")?;
    let stored_len = stored.secret().await?.as_bytes().len();
    let raw = attributes(&format!("{identifier}.raw"));

    let mut pairs = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let next = record(round)?;
        let value = Secret::blob(format!("{round:0>stored_len$}"));
        let mut set = Duration::ZERO;
        let mut create = Duration::ZERO;
        // Each goes first in every other round.
        for ours in [round % 2 == 0, round % 2 == 1] {
            let started = Instant::now();
            if ours {
                tokens.set_token(&account, next.clone(), None).await?;
                set = started.elapsed();
            } else {
                collection
                    .create_item("bench", &raw, value.clone(), true, None)
                    .await?;
                create = started.elapsed();
            }
        }
        pairs.push((milliseconds(set), milliseconds(create)));
    }
    // The first round only warms up.
    Ok(pairs.split_off(1))
}
