//! Linux: the Secret Service (freedesktop.org Secret Service API, 0.2).
//!
//! An item has the attributes `service` and `username`, as the `keyring` crate writes them, in the
//! default collection. Providers answer a search with items that have more attributes than asked
//! for; those belong to other programs and are left alone.

mod bus;
mod connection;
mod dialogs;
mod fault;
mod find;
mod portal;
mod sandbox;
mod session;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use dbus::{
    Path,
    arg::{RefArg, Variant},
};
use futures_util::join;
use zeroize::Zeroizing;

use self::{
    connection::{COLLECTION, Connection, Connections, ITEM, NO_OBJECT},
    dialogs::{Answer, Dialogs, Subject},
    fault::{Fault, Retries},
    find::{Attributes, Found, Look, is_exactly},
    portal::SecretPortal,
    sandbox::Sandbox,
};
use super::{Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

/// The store of this process: the secret portal where it is confined, else the Secret Service.
pub(super) fn open(service: &str) -> Arc<dyn SecretStore> {
    match Sandbox::detect() {
        Some(sandbox) => Arc::new(SecretPortal::new(service, sandbox)),
        None => Arc::new(SecretService::new(service)),
    }
}

/// Uses the secret of an item, and again once the person lets this app do so, if the provider asks for that.
macro_rules! with_access {
    ($self:ident, $connection:expr, $item:expr, $prompts:ident => $attempt:expr) => {
        match $attempt.await {
            Err(fault) if fault.is_locked() => {
                let unlocked = $self.dialogs.unlock_item($connection, $item);
                $prompts.waiting(unlocked).await?;
                // No second dialog at once for whoever has just answered one.
                $attempt.await.map_err(Fault::into_final)
            }
            result => result,
        }
    };
}

/// The Secret Service of the session.
struct SecretService {
    service: String,
    connections: Connections,
    dialogs: Dialogs,
}

impl SecretService {
    fn new(service: &str) -> Self {
        Self {
            service: service.into(),
            connections: Connections::default(),
            dialogs: Dialogs::default(),
        }
    }

    async fn find(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        prompts: &Prompts,
    ) -> Result<Found, Fault> {
        let wanted = self.attributes(account);
        loop {
            match Look::at(connection, account, &wanted).await? {
                Look::Unlocked(found) => return Ok(found),
                Look::Locked => {
                    let unlocked = self.dialogs.unlock_collection(connection);
                    prompts.waiting(unlocked).await?;
                }
            }
        }
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
        let bytes = with_access!(self, connection, item, prompts => connection.secret(item))?;
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
        let mut found = self.find(connection, account, prompts).await?;
        while let Some(item) = found.ours.first() {
            // A clear that has given up may still be answered. What is written now must not go with it.
            let removal = Subject::Delete(item.clone());
            let settled = prompts.waiting(self.dialogs.settled(&removal)).await;
            if settled.is_none() {
                break;
            }
            found = self.find(connection, account, prompts).await?;
        }
        let item = match found.ours.split_first() {
            Some((item, older)) => {
                for item in older {
                    self.delete(connection, item, prompts).await?;
                }
                let write = with_access!(self, connection, item, prompts => connection.set_secret(item, bytes));
                write?;
                item.clone()
            }
            None => {
                self.create(connection, account, &found, bytes, prompts)
                    .await?
            }
        };
        // Read back once a session: if the keys differ, other bytes were stored.
        if !connection.is_proven() {
            let stored =
                with_access!(self, connection, &item, prompts => connection.secret(&item))?;
            if *stored != bytes {
                return Err(Fault::unproven_write());
            }
            connection.prove();
        }
        Ok(())
    }

    async fn create(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        found: &Found,
        bytes: &[u8],
        prompts: &Prompts,
    ) -> Result<Path<'static>, Fault> {
        // To replace also overwrites items with more attributes than ours; if there is none, it keeps two
        // processes that create at once from making two items.
        let replace = !found.others;
        let label: Box<dyn RefArg> = Box::new(format!("{} ({account})", self.service));
        let attributes = self.attributes(account).into_iter();
        let attributes: HashMap<_, _> = attributes
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let attributes: Box<dyn RefArg> = Box::new(attributes);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant(label)),
            (
                "org.freedesktop.Secret.Item.Attributes",
                Variant(attributes),
            ),
        ]);
        let secret = connection.session.encrypt(bytes)?;
        let arguments = (properties, secret.as_argument(), replace);
        let created = connection.call(&found.collection, COLLECTION, "CreateItem", arguments);
        let (item, prompt): (Path<'static>, Path<'static>) = created.read().await?;
        let item = if &*prompt == NO_OBJECT {
            item
        } else {
            let confirmed = self.dialogs.confirm(connection, Subject::Create, prompt);
            match prompts.waiting(confirmed).await? {
                Answer::Agreed(item) => item.ok_or_else(Fault::not_created)?,
                Answer::Dismissed => return Err(Fault::dismissed()),
            }
        };
        if replace {
            connection.last_found.remember(account, &item);
        }
        Ok(item)
    }

    async fn try_delete(
        &self,
        connection: &Arc<Connection>,
        account: &Account,
        prompts: &Prompts,
    ) -> Result<(), Fault> {
        for item in self.find(connection, account, prompts).await?.ours {
            self.delete(connection, &item, prompts).await?;
        }
        Ok(())
    }

    /// Removes an item. KeePassXC asks the person first, unless it is told not to.
    async fn delete(
        &self,
        connection: &Arc<Connection>,
        item: &Path<'static>,
        prompts: &Prompts,
    ) -> Result<(), Fault> {
        let subject = Subject::Delete(item.clone());
        let settled = prompts.waiting(self.dialogs.settled(&subject)).await;
        let outcome = if let Some(outcome) = settled {
            outcome
        } else {
            let deleted = connection.call(item, ITEM, "Delete", ());
            let (prompt,): (Path<'static>,) = deleted.read().await?;
            if &*prompt == NO_OBJECT {
                return Ok(());
            }
            let confirmed = self.dialogs.confirm(connection, subject, prompt);
            prompts.waiting(confirmed).await
        };
        match outcome? {
            Answer::Agreed(_) => Ok(()),
            Answer::Dismissed => Err(Fault::removal_refused()),
        }
    }

    async fn try_list(
        &self,
        connection: &Arc<Connection>,
        prompts: &Prompts,
    ) -> Result<Vec<Item>, Fault> {
        let items = loop {
            let (items, is_locked) = self.search_all(connection).await?;
            if !is_locked {
                break items;
            }
            let unlocked = self.dialogs.unlock_collection(connection);
            prompts.waiting(unlocked).await?;
        };
        let mut accounts = HashSet::new();
        for attributes in connection.attributes_of(&items).await? {
            let Some(name) = attributes.get("username") else {
                continue;
            };
            // A name that breaks the rules for accounts is not one of ours.
            if let Ok(account) = Account::at_rest(name)
                && is_exactly(&attributes, &self.attributes(&account))
            {
                accounts.insert(account);
            }
        }
        Ok(accounts.iter().map(Item::of).collect())
    }

    /// The items of every account, and whether the collection is locked: then they may be missing.
    async fn search_all(
        &self,
        connection: &Connection,
    ) -> Result<(Vec<Path<'static>>, bool), Fault> {
        let ours = HashMap::from([("service", self.service.as_str())]);
        let collection = connection.default_collection().await?;
        let (owner, items, is_locked) = join!(
            connection.check_owner(),
            connection.search(&collection, &ours),
            connection.is_locked(&collection, COLLECTION),
        );
        owner?;
        let is_locked = is_locked?;
        Ok((if is_locked { Vec::new() } else { items? }, is_locked))
    }

    fn attributes<'a>(&'a self, account: &'a Account) -> Attributes<'a> {
        HashMap::from([
            ("service", self.service.as_str()),
            ("username", account.as_str()),
        ])
    }
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
        with_retries!(self, connection => self.try_look(&connection))
    }

    async fn try_look(&self, connection: &Connection) -> Result<StoreInfo, Fault> {
        let (provider, found) = join!(connection.provider(), self.search_all(connection));
        let (provider, (items, is_locked)) = (provider?, found?);
        let asks = !is_locked && connection.any_locked(&items).await?;
        let detail = match (asks, provider.detail()) {
            (true, "") => ASKS.into(),
            (true, detail) => format!("{ASKS}; {detail}"),
            (false, detail) => detail.into(),
        };
        Ok(StoreInfo {
            store: format!("Secret Service ({})", provider.name()),
            persistent: true,
            durable: provider.is_durable(),
            hardware: false,
            state: if is_locked || asks {
                StoreState::Locked
            } else {
                StoreState::Available
            },
            detail,
        })
    }
}

/// What a provider does that locks single items.
const ASKS: &str = "the Secret Service asks the user before this app may use what is stored; the next call may \
                    show that dialog";

/// There is no Secret Service, and what a person can do about it.
fn unavailable(reason: &str) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("{reason}; install and start gnome-keyring, KWallet or KeePassXC"),
    )
}
