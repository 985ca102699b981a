//! The records that wait to be revoked: one item of the store, for all accounts of the app.
//!
//! It is stored as any record is, under an account that neither a page nor Rust code can name, see
//! [`Account::revokes`]. The text in the place of its token is frozen: `secure-token.revokes.v1`, and for each
//! entry a blank and `UNTIL.ACCOUNT.RECORD`. ACCOUNT is base64url without padding, RECORD as
//! [`envelope`] says.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{sync::Mutex, time::timeout};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorCode, Result},
    processes::Processes,
    record::Record,
    store::SecretStore,
    task,
    token::{Account, Token},
    vault::{Vault, envelope},
};

const PREFIX: &str = "secure-token.revokes.v1";

/// A record that waits to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The account whose record it was.
    pub account: Account,
    pub record: Record,
    /// When it is given up, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// The records that wait to be revoked.
///
/// Every call can fail as the store does. One that fails has changed nothing that is known; after `timeout`,
/// `unavailable` and `internal` the change may have happened, as for every write.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    /// Without a copy in memory: another process may have changed the entries.
    vault: Vault,
    processes: Processes,
    limit: Duration,
    /// Held from the read to the write of a change. The lock of the processes does not do on mobile.
    turn: Mutex<()>,
}

impl Outbox {
    /// The outbox in `store`, whose calls take at most `limit` each.
    pub(crate) fn new(store: Arc<dyn SecretStore>, processes: Processes, limit: Duration) -> Self {
        Self(Arc::new(Inner {
            vault: Vault::new(store, limit, false),
            processes,
            limit,
            turn: Mutex::default(),
        }))
    }

    /// The entries that are not given up yet, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// `corrupt`: what is stored is damaged, or was not written here. It is kept.
    pub(crate) async fn load(&self) -> Result<Vec<Entry>> {
        let mut entries = self.0.read().await?;
        drop_overdue(&mut entries);
        Ok(entries)
    }

    /// Adds `record` of `account`, in the place of an entry with the same token. It is in the store when this
    /// resolves, unless `until` has passed.
    ///
    /// # Errors
    ///
    /// - `corrupt`: as [`load`](Self::load).
    /// - `too-large`: the store has no room for so many entries.
    pub(crate) async fn add(&self, account: &Account, record: Record, until: u64) -> Result<()> {
        let entry = Entry {
            account: account.clone(),
            record,
            until,
        };
        self.change(move |entries| {
            entries.retain(|other| other.record.token != entry.record.token);
            entries.push(entry);
        })
        .await
    }

    /// Removes the entry whose token is `token`. Succeeds if there is none.
    ///
    /// # Errors
    ///
    /// `corrupt`: as [`load`](Self::load).
    pub(crate) async fn remove(&self, token: &Token) -> Result<()> {
        let token = token.clone();
        self.change(move |entries| entries.retain(|entry| entry.record.token != token))
            .await
    }

    /// Goes on to its end if the caller goes away: the locks must be held until the store has responded.
    async fn change(&self, change: impl FnOnce(&mut Vec<Entry>) + Send + 'static) -> Result<()> {
        let inner = self.0.clone();
        task::spawn(async move { inner.change(change).await })
            .await
            .unwrap_or_else(|_| Err(Error::internal("the change of the outbox was stopped")))
    }
}

impl Inner {
    async fn read(&self) -> Result<Vec<Entry>> {
        match self.vault.get(&Account::revokes()).await? {
            Some(stored) => decode(&stored.record),
            None => Ok(Vec::new()),
        }
    }

    async fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<()> {
        let account = Account::revokes();
        let _turn = timeout(self.limit, self.turn.lock()).await.map_err(|_| {
            Error::new(
                ErrorCode::Timeout,
                "another change of the outbox did not end in time",
            )
        })?;
        let _lock = self.processes.lock(&account, self.limit).await?;
        let before = self.read().await?;
        let mut entries = before.clone();
        change(&mut entries);
        drop_overdue(&mut entries);
        if entries == before {
            return Ok(());
        }
        if entries.is_empty() {
            self.vault.clear(&account, None).await?;
        } else {
            let record = Record::new(encode(&entries)?);
            self.vault.set(&account, record, None).await?;
        }
        Ok(())
    }
}

fn drop_overdue(entries: &mut Vec<Entry>) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    entries.retain(|entry| u128::from(entry.until) > now.as_millis());
}

fn encode(entries: &[Entry]) -> Result<Token> {
    let mut fields = Vec::with_capacity(entries.len());
    for Entry {
        account,
        record,
        until,
    } in entries
    {
        let account = URL_SAFE_NO_PAD.encode(account.as_str());
        fields.push((format!(" {until}.{account}."), envelope::encode(record)?));
    }
    // Its final size from the start: a buffer that grows leaves its old copy unwiped.
    let lengths = fields
        .iter()
        .map(|(head, record)| head.len() + record.len());
    let length = PREFIX.len() + lengths.sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(PREFIX);
    for (head, record) in &fields {
        text.push_str(head);
        let record = str::from_utf8(record);
        text.push_str(record.map_err(|_| Error::internal("a record was not encoded as text"))?);
    }
    Token::new(std::mem::take(&mut *text)).map_err(|error| {
        Error::new(
            error.code(),
            "no more records can wait to be revoked: together they are too long",
        )
    })
}

fn decode(stored: &Record) -> Result<Vec<Entry>> {
    let foreign = || Error::corrupt("what is stored is not the outbox of revokes");
    let text = stored.token.expose().strip_prefix(PREFIX);
    if stored.refresh_token.is_some() || stored.expires_at.is_some() {
        return Err(foreign());
    }
    let Some(("", entries)) = text.ok_or_else(foreign)?.split_once(' ') else {
        return Err(foreign());
    };
    entries
        .split(' ')
        .map(|entry| entry_in(entry).ok_or_else(foreign))
        .collect()
}

fn entry_in(text: &str) -> Option<Entry> {
    let (until, rest) = text.split_once('.')?;
    let (account, record) = rest.split_once('.')?;
    let account = URL_SAFE_NO_PAD.decode(account).ok()?;
    Some(Entry {
        account: Account::new(String::from_utf8(account).ok()?).ok()?,
        record: envelope::decode(record.as_bytes()).ok()?,
        until: until.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
