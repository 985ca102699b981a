//! One refresh, from its beginning to the commit of what it brought.

use std::{sync::Arc, time::Duration};

use futures_util::future::Either;
use tokio::task::JoinHandle;

use super::{
    callbacks::Refresh,
    clock::Moment,
    flight::{Ask, Flight, Reply, Rest, Want, failure},
    owner::Owner,
    pause,
    state::{Basis, Saved, Unsaved},
    tokens::Tokens,
    view::Message,
};
use crate::{
    error::{Error, ErrorCode},
    record::Record,
    task,
    vault::{Acknowledged, ChangedBy},
};

/// How often a refresh is offered to pages that do not take it, before it fails.
const MOST_OFFERS: usize = 3;

/// How often a rotation is written although its revision was spent by a write of this process.
const ATTEMPTS: usize = 3;

impl Owner {
    /// Carries out the flight `id`, which has just begun to replace `before`.
    pub(super) fn fly(self: &Arc<Self>, id: u64, before: Arc<Record>) {
        let owner = self.clone();
        task::spawn(async move {
            owner.carry_out(id, before).await;
            owner.change(|state| {
                if state.is_flying(id) {
                    state.flight = None;
                }
            });
            owner.refresh_ahead();
        });
    }

    fn is_flying(&self, id: u64) -> bool {
        self.look(|state| state.is_flying(id))
    }

    async fn carry_out(self: &Arc<Self>, id: u64, before: Arc<Record>) {
        let mut others = match self.keep_others_from_refreshing().await {
            Ok(others) => others,
            Err(error) => return self.fail(id, error, None),
        };
        self.read_before_refresh().await;
        let Some(record) = self.record().filter(|_| self.is_flying(id)) else {
            return;
        };
        // Somebody else has renewed it. Another call may have noticed that during the wait for the lock.
        if before != record {
            return;
        }
        if let Some(refresh_token) = &record.refresh_token {
            others.begin_use(refresh_token);
        }
        let reply = match &self.common.refresh {
            Some(refresh) => self.by_rust(id, refresh, record.clone()).await,
            None => self.by_a_page(id).await,
        };
        match reply {
            Some(Reply::Renewed(tokens)) => {
                let is_saved = self.commit(id, &record, tokens).await;
                if is_saved {
                    others.end_use();
                }
            }
            Some(Reply::Ended) => {
                self.end(id).await;
                others.end_use();
            }
            Some(Reply::Failed {
                retry_after,
                status,
            }) => {
                // With a status the server has refused to use the token. Without one nobody knows.
                if status.is_some() || retry_after.is_some() {
                    others.end_use();
                }
                self.fail(id, failure(status), retry_after);
            }
            // The login has ended, and its refresh token may still be on its way. Another process must
            // find that in the store before it refreshes.
            None => self.save().await,
        }
    }

    /// Takes over what another process has changed. A store that cannot be read keeps nobody from
    /// refreshing.
    async fn read_before_refresh(&self) {
        let _turn = self.saving.lock().await;
        self.pull().await;
    }

    /// Lets the app's Rust function buy the tokens. `None`: the login has ended meanwhile, and the tokens
    /// that still come are revoked.
    async fn by_rust(
        self: &Arc<Self>,
        id: u64,
        refresh: &Refresh,
        record: Arc<Record>,
    ) -> Option<Reply> {
        let limit = self.common.limits.refresh;
        let (refresh, account) = (refresh.clone(), self.account.clone());
        let to_renew = Record::clone(&record);
        // A task of its own: a panic of the app's function is a failure, and a login that ends meanwhile
        // does not wait for it.
        let mut task = task::spawn(async move {
            let bought = refresh(account.clone(), to_renew);
            match tokio::time::timeout(limit, bought).await {
                Ok(Reply::Renewed(tokens)) => match tokens.check() {
                    Ok(()) => Reply::Renewed(tokens),
                    Err(error) => {
                        log::error!("the refresh of {account} failed: {error}");
                        Reply::failed()
                    }
                },
                Ok(reply) => reply,
                Err(_) => Reply::failed(),
            }
        });
        let mut changes = self.changes.subscribe();
        loop {
            let ended = std::pin::pin!(changes.changed());
            match futures_util::future::select(&mut task, ended).await {
                // Even if the login has just ended: then the tokens are still to be revoked.
                Either::Left((joined, _)) => {
                    return Some(joined.unwrap_or_else(|_| Reply::failed()));
                }
                Either::Right(_) if !self.is_flying(id) => {
                    self.revoke_when_bought(task, record);
                    return None;
                }
                Either::Right(_) => {}
            }
        }
    }

    /// Revokes the tokens that `refreshing` brings in the place of `before`, whose login has ended.
    fn revoke_when_bought(self: &Arc<Self>, refreshing: JoinHandle<Reply>, before: Arc<Record>) {
        let owner = self.clone();
        task::spawn(async move {
            if let Ok(Reply::Renewed(tokens)) = refreshing.await {
                let bought = tokens.into_record(before.refresh_token.as_ref(), Moment::now());
                owner.change(|state| state.revoke(bought));
                owner.deliver_revokes();
            }
        });
    }

    /// Lets one page after the other try. `None`: the login has ended meanwhile.
    async fn by_a_page(&self, id: u64) -> Option<Reply> {
        let mut changes = self.changes.subscribe();
        let mut not_taken = 0;
        // A page that has the lease is never passed over: it may be using the refresh token.
        while not_taken < MOST_OFFERS || self.is_leased(id) {
            if !self.offer(id) {
                if self.waits_for_a_page(id).await {
                    continue;
                }
                // The next page need not rest, since no server was asked.
                self.end_without_rest(id, nobody_refreshed());
                return None;
            }
            let taken = tokio::time::timeout(self.common.limits.offer, async {
                loop {
                    changes.mark_unchanged();
                    if let Some(replied) = self.take_replied(id) {
                        return Some(replied);
                    }
                    // The sender lives as long as the owner.
                    if !self.is_flying(id) || changes.changed().await.is_err() {
                        return None;
                    }
                }
            });
            match taken.await {
                Ok(None) => return None,
                Ok(Some(replied)) => {
                    let limit = self.common.limits.refresh;
                    match tokio::time::timeout(limit, replied).await {
                        Ok(Ok(reply)) => return Some(reply),
                        // The page is gone, and the next one may have the lease already.
                        Ok(Err(_)) => {}
                        Err(_) => self.end_lease(id),
                    }
                    if !self.is_flying(id) {
                        return None;
                    }
                }
                // The page that was asked has not come.
                Err(_) => not_taken += 1,
            }
        }
        self.fail(id, nobody_refreshed(), None);
        None
    }

    /// Waits for a page that can refresh: one that reloads is back in a moment. Returns whether it has come.
    async fn waits_for_a_page(&self, id: u64) -> bool {
        let mut changes = self.changes.subscribe();
        let opened = async {
            loop {
                changes.mark_unchanged();
                if self.look(|state| state.views.refresh()) {
                    return true;
                }
                // The sender lives as long as the owner.
                if !self.is_flying(id) || changes.changed().await.is_err() {
                    return false;
                }
            }
        };
        let opened = tokio::time::timeout(self.common.limits.offer, opened);
        opened.await.unwrap_or(false)
    }

    fn is_leased(&self, id: u64) -> bool {
        self.look(|state| {
            let flight = state.flight.as_ref().filter(|flight| flight.id == id);
            flight.is_some_and(Flight::is_leased)
        })
    }

    /// Takes the lease away from a page whose time has passed.
    fn end_lease(&self, id: u64) {
        self.change(|state| {
            if let Some(flight) = state.flight.as_mut().filter(|flight| flight.id == id) {
                flight.offer();
            }
        });
    }

    /// Offers the flight to the page that asks first, and asks one. A page that has the lease keeps it.
    /// Returns whether there is a page.
    fn offer(&self, id: u64) -> bool {
        let asked = self.change(|state| {
            let flight = state.flight.as_mut().filter(|flight| flight.id == id)?;
            if flight.is_leased() {
                return Some(None);
            }
            flight.offer();
            if state.has_lessee() {
                return Some(None);
            }
            state.views.ask().map(Some)
        });
        if let Some(Some(deliver)) = &asked {
            deliver(&Message::Refresh);
        }
        asked.is_some()
    }

    /// Puts what the server sent into the store and into memory, before anybody is told.
    /// Returns whether the outcome is in the store.
    async fn commit(self: &Arc<Self>, id: u64, before: &Arc<Record>, tokens: Tokens) -> bool {
        let now = Moment::now();
        let record = Arc::new(tokens.into_record(before.refresh_token.as_ref(), now));
        // Until memory has what the store has: a read in between would take it for somebody else's change.
        let turn = self.saving.lock().await;
        let (basis, remember) = self.look(|state| {
            let remember = state.held().is_some_and(|held| held.remember);
            (state.basis_of_a_rotation(), remember)
        });
        let saved = match basis {
            Basis::Record {
                revision,
                record: before,
            } if remember && self.is_flying(id) => {
                match self.write_rotation(id, &record, revision, &before).await {
                    Some(saved) => saved,
                    None => return true,
                }
            }
            // There is nothing to write: a store that fails must not end a session that it does not keep.
            Basis::Record { .. } if !remember => Saved::Yes,
            // The sign-in is not stored yet: the newest record of it will be.
            basis => Saved::No(Unsaved::failed(basis, None)),
        };
        let is_saved = matches!(saved, Saved::Yes);
        self.change(|state| state.land(id, &record, saved, now));
        drop(turn);
        self.deliver_revokes();
        // Before the next process may refresh: it must not find the token that was just used up.
        self.save().await;
        is_saved
    }

    /// Writes `record` in the place of `before`. `None`: somebody else has changed the account, which is
    /// taken over.
    async fn write_rotation(
        self: &Arc<Self>,
        id: u64,
        record: &Arc<Record>,
        mut revision: u64,
        before: &Arc<Record>,
    ) -> Option<Saved> {
        let vault = &self.common.vault;
        let unsaved = |revision, error| {
            let record = before.clone();
            let basis = Basis::Record { revision, record };
            Some(Saved::No(Unsaved::failed(basis, error)))
        };
        for _ in 0..ATTEMPTS {
            let set = vault.set_shared(
                &self.account,
                record.clone(),
                Some(revision),
                ChangedBy::Rotation,
            );
            // The write goes on when nobody waits for it any longer.
            let Ok(written) = tokio::time::timeout(self.common.limits.commit, set).await else {
                return unsaved(revision, None);
            };
            match written {
                Ok(Acknowledged { revision, .. }) => {
                    return self.change(|state| {
                        state.at_rest = state.at_rest.max(revision);
                        Some(Saved::Yes)
                    });
                }
                Err(error) if error.code() == ErrorCode::Conflict => {}
                Err(error) => return unsaved(revision, Some(error)),
            }
            match vault.reread(&self.account).await {
                Ok(now) if now.record.as_ref() == Some(before) => revision = now.revision,
                Ok(now) => {
                    let login = self.number();
                    self.change(|state| {
                        if state.is_flying(id) {
                            state.adopt(now, login);
                        }
                        state.revoke(Record::clone(record));
                    });
                    self.deliver_revokes();
                    return None;
                }
                Err(error) => return unsaved(revision, Some(error)),
            }
        }
        unsaved(revision, None)
    }

    /// Ends the session: the server has refused the refresh token for good.
    async fn end(self: &Arc<Self>, id: u64) {
        let login = self.number();
        let ended = self.change(|state| {
            let is_flying = state.is_flying(id);
            if is_flying {
                state.refuse(login);
            }
            is_flying
        });
        if ended {
            self.save().await;
        }
    }

    fn fail(&self, id: u64, error: Error, retry_after: Option<Duration>) {
        self.change(|state| {
            let failures = state.rest.as_ref().map_or(0, |rest| rest.failures + 1);
            let span = pause::after_refresh(retry_after, failures);
            state.fail(Rest::new(id, error, failures, span));
        });
    }

    /// The refresh fails for those who wait for it, and for nobody who comes later.
    fn end_without_rest(&self, id: u64, error: Error) {
        self.change(|state| {
            if state.is_flying(id) {
                state.lift_floor();
            }
            let failures = state.rest.as_ref().map_or(0, |rest| rest.failures);
            state.fail(Rest::new(id, error, failures, Duration::ZERO));
        });
    }

    /// Refreshes a token that lives for less than `min_life`, for nobody who waits.
    pub(super) async fn renew(self: &Arc<Self>, min_life: Duration) {
        let want = Want::new(Ask::Fresh(min_life), None, None);
        if let Err(error) = self.give(want).await {
            log::info!("the token of {} was not renewed: {error}", self.account);
        }
    }

    /// Uses a refresh token again that was on its way when an earlier process ended: the server may take it
    /// for a while.
    pub(super) fn renew_if_interrupted(self: &Arc<Self>) {
        if self.look(|state| state.held().is_some_and(|held| held.interrupted)) {
            let owner = self.clone();
            task::spawn(async move { owner.renew(Duration::ZERO).await });
        }
    }
}

fn nobody_refreshed() -> Error {
    Error::new(ErrorCode::Timeout, "no window carried out the refresh")
}
