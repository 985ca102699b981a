//! Linux: the Secret Service (freedesktop.org Secret Service API, 0.2), by way of oo7.
//!
//! An item has the attributes `service` and `username`, as the `keyring` crate writes them, in the
//! default collection. Providers answer a search with items that have more attributes than asked
//! for; those belong to other programs and are left alone.

mod connection;
mod fault;
mod find;
mod portal;
mod properties;
mod sandbox;
mod unlock;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use oo7::dbus::{Collection, Item as ServiceItem};
use zeroize::Zeroizing;

use self::{
    connection::{Connection, Connections},
    fault::{Fault, Retries},
    find::{Attributes, Found, is_exactly},
    portal::SecretPortal,
    sandbox::Sandbox,
    unlock::Unlocking,
};
use super::{Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{Account, Error, ErrorCode, Result};

/// The store of this process: the secret portal where it is confined, else the Secret Service.
pub(super) fn open(service: &str) -> Arc<dyn SecretStore> {
    match Sandbox::detect() {
        Some(sandbox) => Arc::new(SecretPortal::new(service, sandbox)),
        None => Arc::new(SecretService::new(service)),
    }
}

/// The Secret Service of the session.
struct SecretService {
    service: String,
    connections: Connections,
    unlocking: Unlocking,
}

impl SecretService {
    fn new(service: &str) -> Self {
        Self {
            service: service.into(),
            connections: Connections::default(),
            unlocking: Unlocking::default(),
        }
    }

    /// The default collection, unlocked. A locked one hides its items from a search, or answers
    /// with empty secrets, so that nothing is believed before this.
    async fn collection(
        &self,
        connection: &Arc<Connection>,
        prompts: &Prompts,
    ) -> Result<Collection, Fault> {
        let collection = connection.default_collection().await?;
        if connection.is_locked(collection.path()).await? {
            let unlocked = self.unlocking.unlock(connection);
            prompts.waiting(unlocked).await?;
        }
        Ok(collection)
    }

    async fn find(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        prompts: &Prompts,
    ) -> Result<Found, Fault> {
        let wanted = self.attributes(account);
        if let Some(found) = Found::again(connection, &wanted).await {
            return Ok(found);
        }
        let collection = self.collection(connection, prompts).await?;
        Found::search(connection, collection, &wanted).await
    }

    async fn try_get(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        prompts: &Prompts,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        let found = self.find(connection, account, prompts).await?;
        let Some(item) = found.ours.first() else {
            return Ok(None);
        };
        let bytes = Zeroizing::new(item.secret().await?.to_vec());
        // A record is a line of ASCII; with another key its bytes are not.
        if !bytes.is_empty() && bytes.is_ascii() {
            connection.prove();
        } else if !connection.is_proven() {
            return Err(Fault::unproven_read());
        }
        Ok(Some(bytes))
    }

    async fn try_set(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        bytes: &[u8],
        prompts: &Prompts,
    ) -> Result<(), Fault> {
        let found = self.find(connection, account, prompts).await?;
        let secret = oo7::Secret::blob(bytes);
        let Some((item, older)) = found.ours.split_first() else {
            // To replace also overwrites items with more attributes than ours; where there is none,
            // it keeps two processes that create at once from making two items.
            let replace = !found.others;
            let label = format!("{} ({account})", self.service);
            let attributes = self.attributes(account);
            let item = found
                .collection
                .create_item(&label, &attributes, secret, replace, None)
                .await?;
            return prove(connection, &item, bytes).await;
        };
        for item in older {
            item.delete(None).await?;
        }
        item.set_secret(secret).await?;
        prove(connection, item, bytes).await
    }

    async fn try_delete(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        prompts: &Prompts,
    ) -> Result<(), Fault> {
        for item in self.find(connection, account, prompts).await?.ours {
            item.delete(None).await?;
        }
        Ok(())
    }

    async fn try_list(
        &self,
        connection: &Arc<Connection>,
        prompts: &Prompts,
    ) -> Result<Vec<Item>, Fault> {
        let collection = self.collection(connection, prompts).await?;
        let ours = HashMap::from([("service", self.service.as_str())]);
        let mut items = Vec::new();
        for item in collection.search_items(&ours).await? {
            let attributes = connection.attributes(item.path()).await?;
            let Some(name) = attributes.get("username") else {
                continue;
            };
            // A name that breaks the rules for accounts is not one of ours.
            if let Ok(account) = Account::new(name)
                && is_exactly(&attributes, &self.attributes(&account))
            {
                items.push(Item::of(&account));
            }
        }
        items.dedup();
        Ok(items)
    }

    fn attributes<'a>(&'a self, account: &'a Account) -> Attributes<'a> {
        HashMap::from([
            ("service", self.service.as_str()),
            ("username", account.as_str()),
        ])
    }
}

/// Reads back what was written, once a session: where the keys differ, other bytes were stored.
async fn prove(connection: &Connection, item: &ServiceItem, bytes: &[u8]) -> Result<(), Fault> {
    if !connection.is_proven() {
        let stored = Zeroizing::new(item.secret().await?.to_vec());
        if *stored != bytes {
            return Err(Fault::unproven_write());
        }
        connection.prove();
    }
    Ok(())
}

/// Runs a `try_` method, and again where its connection was lost or its item vanished; a session that
/// is not proven is not used again.
macro_rules! with_retries {
    ($self:ident, $connection:ident => $attempt:expr) => {{
        let mut retries = Retries::default();
        loop {
            let $connection = $self.connections.get().await?;
            match $attempt.await {
                Ok(answer) => return Ok(answer),
                Err(fault) => {
                    let reconnects = retries.reconnects_after(&fault);
                    if !reconnects && !retries.repeats_after(&fault) {
                        return Err(fault.into());
                    }
                    if reconnects || !$connection.is_proven() {
                        $self.connections.forget(&$connection).await;
                    }
                }
            }
        }
    }};
}

#[async_trait]
impl SecretStore for SecretService {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        with_retries!(self, connection => self.try_get(&connection, &item.account, prompts))
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        with_retries!(self, connection => self.try_set(&connection, &item.account, bytes, prompts))
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        with_retries!(self, connection => self.try_delete(&connection, &item.account, prompts))
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        with_retries!(self, connection => self.try_list(&connection, prompts))
    }

    async fn info(&self) -> StoreInfo {
        match self.look().await {
            Ok(info) => info,
            Err(error) => StoreInfo {
                store: "Secret Service".into(),
                persistent: false,
                durable: false,
                hardware: false,
                state: StoreState::Unavailable,
                detail: error.message().into(),
            },
        }
    }
}

impl SecretService {
    async fn look(&self) -> Result<StoreInfo> {
        with_retries!(self, connection => async {
            let provider = connection.provider().await?;
            let collection = connection.default_collection().await?;
            let locked = connection.is_locked(collection.path()).await?;
            Ok::<_, Fault>(StoreInfo {
                store: format!("Secret Service ({})", provider.name()),
                persistent: true,
                durable: provider.is_durable(),
                hardware: false,
                state: if locked { StoreState::Locked } else { StoreState::Available },
                detail: provider.detail().into(),
            })
        })
    }
}

/// There is no Secret Service, and what a person can do about it.
fn unavailable(reason: &str) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("{reason}; install and start gnome-keyring, KWallet or KeePassXC"),
    )
}
