//! What Rust callers use.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{
    flight::{Ask, Want},
    owner::{Given, Owner},
    snapshot::Snapshot,
    tokens::Tokens,
};
use crate::{error::Result, record::Record, task, token::Token};

/// The session of one account: the token in memory, the key store behind it, and one refresh for
/// everybody.
///
/// It is the session that the pages of the app show too. A login here reaches every window, and a
/// refresh that a window carries out gives this its token.
///
/// ```no_run
/// use std::time::Duration;
/// use tauri_plugin_secure_token::{Account, Result, SecureTokenExt};
///
/// async fn upload(app: &tauri::AppHandle) -> Result<()> {
///     let session = app.secure_token().session(&Account::default());
///     let Some(token) = session.fresh_token(Duration::from_secs(30)).await? else {
///         return Ok(()); // nobody is signed in
///     };
///     // A 401 of the server:
///     let next = session.refresh(Some(&token)).await?;
/// #   let _ = next;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Owner>);

impl Session {
    /// What may be shown now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    /// Resolves when the store has been read, or could not be.
    pub async fn ready(&self) -> Snapshot {
        self.0.ready().await
    }

    /// Brings memory and store together now: after the user has unlocked the store, for instance. What
    /// went wrong is in the snapshot.
    pub async fn hydrate(&self) -> Snapshot {
        self.0.hydrate().await
    }

    /// The token in memory, even if it has expired.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        self.0.record().map(|record| record.token.clone())
    }

    /// A token that lives for at least `min_life`, refreshed if need be; a token that arrived less than
    /// 10 seconds ago is taken as it is. `None`: nobody is signed in.
    ///
    /// Who refreshes is [`Builder::refresh`](crate::Builder::refresh), or else a window whose session has
    /// a `refresh`. Without either it is the token in memory.
    ///
    /// # Errors
    ///
    /// - those of the store, if it could not be read: whether anybody is signed in is not known;
    /// - [`Unavailable`](crate::ErrorCode::Unavailable): the refresh failed;
    /// - [`Timeout`](crate::ErrorCode::Timeout): the refresh took too long, or no window carried it out.
    pub async fn fresh_token(&self, min_life: Duration) -> Result<Option<Token>> {
        self.give(Ask::Fresh(min_life)).await
    }

    /// The token to use instead of `rejected`, which a server refused. `None`: there is none, since the
    /// login of `rejected` has ended, or since a refresh a moment ago did not help.
    ///
    /// One refresh runs for all callers, windows included. A `rejected` token that was replaced already
    /// costs none. Without `rejected` there is a refresh in any case: for a person who asks for it.
    ///
    /// # Errors
    ///
    /// As [`fresh_token`](Self::fresh_token).
    pub async fn refresh(&self, rejected: Option<&Token>) -> Result<Option<Token>> {
        self.give(match rejected {
            Some(rejected) => Ask::InsteadOf {
                rejected: rejected.clone(),
                accepted: false,
            },
            None => Ask::New,
        })
        .await
    }

    async fn give(&self, ask: Ask) -> Result<Option<Token>> {
        match self.0.give(Want::new(ask, None, None)).await? {
            Given::Token(record) => Ok(record.map(|record| Record::clone(&record).token)),
            // Only a page gets a lease.
            Given::Lease(_) => Ok(None),
        }
    }

    /// Signs in: the tokens are in memory at once, in every window, and then stored. Resolves when the
    /// store has been asked; if that failed, the snapshot says so, and the write is tried again for as
    /// long as the app runs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument): no request could carry the token. Nothing
    /// has changed.
    pub async fn login(&self, tokens: Tokens) -> Result<Snapshot> {
        self.0.sign_in(tokens, true).await
    }

    /// As [`login`](Self::login), for a session that ends with the app: the store keeps nothing.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_until_exit(&self, tokens: Tokens) -> Result<Snapshot> {
        self.0.sign_in(tokens, false).await
    }

    /// Signs out: memory is empty at once, in every window, and then the store. The record is then
    /// revoked, see [`Builder::revoke`](crate::Builder::revoke). Resolves when the store has been asked;
    /// if that failed, the snapshot says so, and it is tried again for as long as the app runs.
    pub async fn logout(&self) -> Snapshot {
        self.0.sign_out().await
    }

    /// Calls `listener` with the newest snapshot after changes, until the returned [`Subscription`] is
    /// dropped. It must not block. Of changes that follow each other quickly it may see the last alone.
    pub fn subscribe(&self, listener: impl Fn(&Snapshot) + Send + 'static) -> Subscription {
        let owner = self.0.clone();
        let mut changes = owner.changes.subscribe();
        let mut last = owner.snapshot();
        let task = task::spawn(async move {
            while changes.changed().await.is_ok() {
                let snapshot = owner.snapshot();
                if snapshot.revision == last.revision {
                    continue;
                }
                if catch_unwind(AssertUnwindSafe(|| listener(&snapshot))).is_err() {
                    log::error!("a listener of a session panicked");
                }
                last = snapshot;
            }
        });
        Subscription(task.abort_handle())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A subscription that goes on until this is dropped.
#[derive(Debug)]
#[must_use = "the subscription ends when this is dropped"]
pub struct Subscription(tokio::task::AbortHandle);

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}
