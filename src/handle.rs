//! What Rust callers use.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    record::Record,
    session::{Session, Sessions},
    store::StoreInfo,
    task,
    token::Account,
    vault::{
        Acknowledged, AtRestNow, ChangedBy, Notice, StoredRecord, Vault, Watch, watch::may_block,
    },
};

/// The tokens of this app, for Rust callers: the same as the commands, with [`Token`] in the place
/// of `String` and without scopes.
///
/// Every call ends within the deadline of the [`Builder`]. Besides the codes that a method names,
/// every call can fail as the store does: [`Locked`], [`Unavailable`], [`Denied`],
/// [`Misconfigured`], [`Timeout`] and [`Internal`].
///
/// [`Token`]: crate::Token
/// [`Builder`]: crate::Builder
/// [`Locked`]: crate::ErrorCode::Locked
/// [`Unavailable`]: crate::ErrorCode::Unavailable
/// [`Denied`]: crate::ErrorCode::Denied
/// [`Misconfigured`]: crate::ErrorCode::Misconfigured
/// [`Timeout`]: crate::ErrorCode::Timeout
/// [`Internal`]: crate::ErrorCode::Internal
pub struct SecureToken {
    pub(crate) vault: Vault,
    pub(crate) sessions: Sessions,
}

impl SecureToken {
    /// The session of `account`: what an app needs from login to logout. The other methods are strict
    /// doors to the store, below any session.
    #[must_use]
    pub fn session(&self, account: &Account) -> Session {
        Session(self.sessions.of(account))
    }

    /// Stores `record` under `account` and returns the new revision. When this resolves, the store
    /// has acknowledged the write.
    ///
    /// A write that fails changes nothing, with three exceptions: after `timeout`, `unavailable` and
    /// `internal` the store may have carried it out, or still do so. The account then has a new
    /// revision, its watchers are notified, and reads ask the store instead of memory.
    ///
    /// `if_revision` makes the write depend on the revision that the new record is based on.
    ///
    /// # Errors
    ///
    /// - [`InvalidArgument`](crate::ErrorCode::InvalidArgument): the expiry is over
    ///   [`Record::MAX_EXPIRES_AT`].
    /// - [`TooLarge`](crate::ErrorCode::TooLarge): the record is longer than the store of this
    ///   platform takes.
    /// - [`Conflict`](crate::ErrorCode::Conflict): `if_revision` is not the current revision.
    pub async fn set_token(
        &self,
        account: &Account,
        record: Record,
        if_revision: Option<u64>,
    ) -> Result<u64> {
        let (vault, sessions) = (self.vault.clone(), self.sessions.clone());
        let (account, record) = (account.clone(), Arc::new(record));
        // To its end, also when the caller goes away: the session must not stay behind the store.
        to_the_end(async move {
            let set = vault.set_shared(&account, record.clone(), if_revision, ChangedBy::Login);
            let Acknowledged { revision, login } = set.await?;
            let record = Some(record);
            let stored = AtRestNow {
                record,
                revision,
                login,
            };
            sessions.stored(&account, stored);
            Ok(revision)
        })
        .await
    }

    /// The record of `account`, or `None` if there is none. Never changes what is stored.
    ///
    /// # Errors
    ///
    /// - [`Lost`](crate::ErrorCode::Lost): the record is there but can never be read again.
    /// - [`Corrupt`](crate::ErrorCode::Corrupt): what is stored is damaged or not ours.
    pub async fn get_token(&self, account: &Account) -> Result<Option<StoredRecord>> {
        self.vault.get(account).await
    }

    /// Removes the record of `account` and returns the new revision. Succeeds if there is none. A
    /// clear that fails is as [`set_token`](Self::set_token) says.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorCode::Conflict): `if_revision` is not the current revision.
    pub async fn clear_token(&self, account: &Account, if_revision: Option<u64>) -> Result<u64> {
        let (vault, sessions) = (self.vault.clone(), self.sessions.clone());
        let account = account.clone();
        to_the_end(async move {
            let cleared = vault.clear_shared(&account, if_revision).await?;
            let Acknowledged { revision, login } = cleared;
            let stored = AtRestNow {
                record: None,
                revision,
                login,
            };
            sessions.stored(&account, stored);
            Ok(revision)
        })
        .await
    }

    /// The accounts that hold a record, in the order of their names.
    ///
    /// # Errors
    ///
    /// Only those of the store, see [`SecureToken`].
    pub async fn list_accounts(&self) -> Result<Vec<Account>> {
        self.vault.list().await
    }

    /// Calls `listener` after every change of every account, until the returned [`Watch`] is dropped.
    ///
    /// It gets one notice after the other, in the order of the changes, on a thread where it may block
    /// and call this plugin. A listener that is slow or panics delays neither the change nor other
    /// listeners. While over 256 notices wait for it, it gets only the newest one of an account. A call
    /// that is under way when the [`Watch`] is dropped still ends.
    pub fn watch_tokens(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Watch {
        self.vault.watch(may_block(listener))
    }

    /// What the store is and how it is now. Never prompts.
    ///
    /// # Errors
    ///
    /// [`Internal`](crate::ErrorCode::Internal) alone: a store that is locked or not there is an
    /// answer.
    pub async fn store_info(&self) -> Result<StoreInfo> {
        self.vault.info().await
    }
}

async fn to_the_end(write: impl Future<Output = Result<u64>> + Send + 'static) -> Result<u64> {
    let written = task::spawn(write).await;
    written.unwrap_or_else(|_| Err(Error::internal("the write was stopped")))
}
