//! The owner of one account's session: every page, every Rust caller and every refresh goes through it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::{oneshot, watch};

use super::{
    callbacks::{Refresh, Revoke},
    clock::Moment,
    flight::{Ask, Decision, Lease, Reply, Want},
    limits::Limits,
    outbox::Outbox,
    snapshot::{EndReason, Snapshot, Status},
    state::{Able, Saved, State},
    tokens::Tokens,
    view::{Message, PageId, View},
};
use crate::{
    error::{Error, ErrorCode, Result},
    processes::Processes,
    record::Record,
    sync::lock,
    task,
    token::Account,
    vault::{AtRestNow, Vault},
};

/// What the owners of all accounts have in common.
pub(crate) struct Common {
    pub(crate) vault: Vault,
    /// The locks of refreshes.
    pub(super) refreshes: Processes,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) revoke: Option<Revoke>,
    pub(super) outbox: Outbox,
    pub(crate) limits: Limits,
    /// Numbers logins, flights and leases.
    pub(super) numbers: AtomicU64,
}

impl Common {
    pub(super) fn new(
        vault: Vault,
        processes: &Processes,
        outbox: Outbox,
        refresh: Option<Refresh>,
        revoke: Option<Revoke>,
        limits: Limits,
    ) -> Self {
        Self {
            vault,
            refreshes: processes.of_refreshes(),
            refresh,
            revoke,
            outbox,
            limits,
            numbers: AtomicU64::new(0),
        }
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The session of one account.
pub(crate) struct Owner {
    pub(super) account: Account,
    pub(super) common: Arc<Common>,
    state: Mutex<State>,
    /// Ticks with every change of the state.
    pub(super) changes: watch::Sender<()>,
    /// Held by the call that brings memory and store together.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// The epoch of the token that is refreshed ahead of time.
    pub(super) ahead_of: AtomicU64,
    /// Whether records are being revoked by Rust now.
    pub(super) revoking: AtomicBool,
}

/// Counts a page that waits for a token which it could buy itself.
struct Lessee<'a>(&'a Owner, PageId);

impl<'a> Lessee<'a> {
    fn new(owner: &'a Owner, page: &PageId) -> Self {
        lock(&owner.state).lessees.push(page.clone());
        Self(owner, page.clone())
    }
}

impl Drop for Lessee<'_> {
    fn drop(&mut self) {
        let lessees = &mut lock(&self.0.state).lessees;
        if let Some(index) = lessees.iter().position(|page| *page == self.1) {
            lessees.swap_remove(index);
        }
    }
}

/// A record whose token is for the caller, or none, and the session at the same moment.
pub(crate) struct Access {
    pub(crate) record: Option<Arc<Record>>,
    pub(crate) snapshot: Snapshot,
}

/// A token, or the lease with which a page gets one.
pub(crate) enum Given {
    Token(Access),
    Lease(Lease),
}

impl Owner {
    /// An owner that reads the store in the background. All its revisions come after `start`.
    pub(super) fn start(account: Account, common: Arc<Common>, start: u64) -> Arc<Self> {
        let able = Able {
            refresh: common.refresh.is_some(),
            revoke: common.revoke.is_some(),
        };
        let owner = Arc::new(Self {
            account,
            common,
            state: Mutex::new(State::new(able, start)),
            changes: watch::Sender::default(),
            saving: tokio::sync::Mutex::default(),
            ahead_of: AtomicU64::new(start),
            revoking: AtomicBool::new(false),
        });
        let reader = owner.clone();
        task::spawn(async move { reader.read_first().await });
        owner
    }

    pub(super) fn number(&self) -> u64 {
        self.common.number()
    }

    /// Changes the state, wakes up who waits for a change, and tells the pages if it shows.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let output = change(&mut state);
        let published = state.publish();
        let deliveries = match &published {
            Some(_) => state.views.deliveries(),
            None => Vec::new(),
        };
        drop(state);
        self.changes.send_replace(());
        if let Some(snapshot) = published {
            let message = Message::Snapshot(snapshot);
            for deliver in deliveries {
                deliver(&message);
            }
        }
        output
    }

    /// Looks at the state.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.state))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.look(|state| state.published().clone())
    }

    /// The record in memory.
    pub(crate) fn record(&self) -> Option<Arc<Record>> {
        self.look(|state| state.record().cloned())
    }

    /// Resolves when the store has been read, or could not be.
    pub(crate) async fn ready(&self) -> Snapshot {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let snapshot = self.snapshot();
            // The sender lives as long as the owner.
            if snapshot.status != Status::Hydrating || changes.changed().await.is_err() {
                return snapshot;
            }
        }
    }

    /// Signs in. Resolves when the store has been asked to keep the record.
    ///
    /// # Errors
    ///
    /// `invalid-argument`: no request could carry the token.
    pub(crate) async fn sign_in(
        self: &Arc<Self>,
        tokens: Tokens,
        remember: bool,
    ) -> Result<Snapshot> {
        tokens.check()?;
        let (login, now) = (self.number(), Moment::now());
        let record = tokens.into_record(None, now);
        self.change(|state| state.sign_in(login, record, remember, now));
        self.deliver_revokes();
        self.save().await;
        self.refresh_ahead();
        Ok(self.snapshot())
    }

    /// Begins a sign-in whose tokens the server has yet to send. Returns its number, for
    /// [`end_sign_in`](Self::end_sign_in).
    #[cfg(feature = "native")]
    pub(crate) async fn begin_sign_in(&self) -> u64 {
        // What another process did before this is not to be taken for something that it did since.
        self.look_at_other_processes().await;
        self.number()
    }

    /// Signs in with what the server sent to the sign-in that began as `began`. Resolves when the store has
    /// been asked to keep the record.
    ///
    /// # Errors
    ///
    /// `invalid-argument`: no request could carry the token. `conflict`: somebody has signed in or out since;
    /// the tokens are revoked.
    #[cfg(feature = "native")]
    pub(crate) async fn end_sign_in(
        self: &Arc<Self>,
        began: u64,
        tokens: Tokens,
        remember: bool,
    ) -> Result<Snapshot> {
        tokens.check()?;
        self.look_at_other_processes().await;
        let (login, now) = (self.number(), Moment::now());
        let record = tokens.into_record(None, now);
        let is_signed_in = self.change(|state| {
            if state.chosen > began {
                state.revoke(record);
                return false;
            }
            state.sign_in(login, record, remember, now);
            // A sign-in that began after this one is newer, although this one has a larger number.
            state.chosen = began;
            true
        });
        self.deliver_revokes();
        if !is_signed_in {
            let message = "somebody has signed in or out since this sign-in began";
            return Err(Error::new(ErrorCode::Conflict, message));
        }
        self.save().await;
        self.refresh_ahead();
        Ok(self.snapshot())
    }

    /// Signs out. Resolves when the store has been asked to remove the record.
    pub(crate) async fn sign_out(self: &Arc<Self>) -> Snapshot {
        let login = self.number();
        self.change(|state| state.sign_out(login, EndReason::Logout));
        self.deliver_revokes();
        self.save().await;
        self.snapshot()
    }

    /// Takes over what a strict command has stored: another login, or none.
    pub(crate) fn stored(self: &Arc<Self>, stored: AtRestNow) {
        let login = self.number();
        self.change(|state| {
            if stored.revision > state.at_rest {
                state.chosen = login;
                state.adopt(stored, login);
            }
        });
        self.refresh_ahead();
    }

    /// The token that `want` asks for. A refresh that it needs is carried out, or waited for.
    ///
    /// # Errors
    ///
    /// Those of the store, if it could not be read; that of the refresh, if one was needed and failed;
    /// `timeout`: nothing came within the limit.
    pub(crate) async fn give(self: &Arc<Self>, mut want: Want) -> Result<Given> {
        if !matches!(want.ask, Ask::Current) {
            self.look_at_other_processes().await;
        }
        let _lessee = want.page.as_ref().map(|page| Lessee::new(self, page));
        let limit = self.common.limits.wait;
        let given = tokio::time::timeout(limit, self.decide(&mut want)).await;
        given.unwrap_or_else(|_| {
            let message = "no new token came within the deadline";
            Err(Error::new(ErrorCode::Timeout, message))
        })
    }

    async fn decide(self: &Arc<Self>, want: &mut Want) -> Result<Given> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let number = self.number();
            // Not a change: those who wait would wake up each other for ever.
            let (decision, snapshot) = {
                let mut state = lock(&self.state);
                let decision = state.decide(want, number);
                (decision, state.published().clone())
            };
            match decision {
                Decision::Token(record) => {
                    return Ok(Given::Token(Access { record, snapshot }));
                }
                Decision::Lease(lease) => return Ok(Given::Lease(lease)),
                Decision::Error(error) => return Err(error),
                Decision::Begin(before) => self.fly(number, before),
                Decision::Wait => {
                    // The sender lives as long as the owner.
                    if changes.changed().await.is_err() {
                        return Err(Error::internal("the owner of the session is gone"));
                    }
                }
            }
        }
    }

    /// The reply of the page that has got the lease of the flight `id`, if one has.
    pub(super) fn take_replied(&self, id: u64) -> Option<oneshot::Receiver<Reply>> {
        let mut state = lock(&self.state);
        let flight = state.flight.as_mut().filter(|flight| flight.id == id)?;
        flight.take_replied()
    }

    /// Takes the reply of the page that has a lease. Resolves when the reply has been committed, with the
    /// record of the login that the lease was for, or without one if that has ended.
    ///
    /// # Errors
    ///
    /// `conflict`: the lease has ended, or is not of this page. `invalid-argument`: no request could
    /// carry the token; the lease stays.
    pub(crate) async fn reply(
        self: &Arc<Self>,
        lease: u64,
        page: &PageId,
        reply: Reply,
    ) -> Result<Access> {
        if let Reply::Renewed(tokens) = &reply {
            tokens.check()?;
        }
        let mut changes = self.changes.subscribe();
        let replied = self.change(|state| match &mut state.flight {
            Some(flight) if flight.is_leased_as(lease, page) => {
                flight.reply(reply);
                Ok::<_, Error>(Some((flight.id, state.login)))
            }
            _ => {
                state.views.take_orphan(lease, page)?;
                // Bought for a login that has ended since: nobody else will revoke it.
                if let Reply::Renewed(tokens) = reply {
                    state.revoke(tokens.into_record(None, Moment::now()));
                }
                Ok(None)
            }
        })?;
        self.deliver_revokes();
        let Some((flight, login)) = replied else {
            return Ok(Access {
                record: None,
                snapshot: self.snapshot(),
            });
        };
        while self.look(|state| state.is_flying(flight)) {
            if changes.changed().await.is_err() {
                break;
            }
        }
        Ok(self.look(|state| Access {
            record: state.record().filter(|_| state.login == login).cloned(),
            snapshot: state.published().clone(),
        }))
    }

    /// Shows the session to a page from now on, and returns the number with which that ends.
    pub(crate) fn open(self: &Arc<Self>, view: View) -> u64 {
        let refreshes = view.refreshes;
        let id = self.change(|state| state.views.add(view));
        if refreshes {
            self.renew_if_interrupted();
        }
        id
    }

    /// A page is gone, and with it its view `id` and its leases.
    pub(crate) fn close(&self, id: u64) {
        self.change(|state| {
            let Some(view) = state.views.remove(id) else {
                return;
            };
            if state.views.is_open(&view.page) {
                return;
            }
            state.views.forget(&view.page);
            if let Some(flight) = &mut state.flight {
                flight.end_lease_of(&view.page);
            }
        });
    }

    /// The records that wait to be revoked. They are the caller's from now on.
    pub(crate) fn take_revokes(&self) -> Vec<Record> {
        self.change(|state| state.revokes.drain(..).collect())
    }

    /// Resolves when no refresh of Rust is under way and no write.
    pub(super) async fn finish(&self) {
        let mut changes = self.changes.subscribe();
        while self.common.refresh.is_some() && self.look(|state| state.flight.is_some()) {
            if changes.changed().await.is_err() {
                break;
            }
        }
        drop(self.saving.lock().await);
    }

    /// Whether there is something to keep.
    pub(super) fn is_needed(&self) -> bool {
        self.look(|state| {
            state.record().is_some()
                || matches!(state.saved, Saved::No(_))
                || !state.views.is_empty()
                || !state.revokes.is_empty()
                || state.flight.is_some()
        })
    }

    pub(super) fn epoch(&self) -> u64 {
        self.look(|state| state.epoch)
    }
}
