//! What the process knows of the session of one account, and how each event changes it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    clock::{Moment, millis},
    flight::{Flight, Rest},
    snapshot::{EndReason, Snapshot, Status},
    view::{PageId, Views},
};
use crate::{
    error::{Error, Result},
    record::Record,
    token::Token,
    vault::{Acknowledged, AtRestNow, ChangedBy, LoginMark},
};

/// How many replaced tokens are remembered, for requests that come back late.
const PAST_TOKENS: usize = 8;

/// For how long a token that arrived is not called expired, and may be refused only once.
const MINIMUM_USE: Duration = Duration::from_secs(10);

/// For how long a refused token is handed on after a refresh did not help.
const FLOOR: Duration = Duration::from_secs(60);

/// How many records wait to be revoked. The oldest goes when another one comes.
const REVOKES: usize = 64;

/// What is in memory.
#[derive(Debug)]
pub(super) enum Memory {
    /// The store has not been read yet.
    NotRead,
    /// The store could not be read.
    Unreadable(Error),
    /// Nobody is signed in. The reason says how the login before ended, if this process knew it.
    Empty(Option<EndReason>),
    Held(Held),
}

/// The record of a login, and what is known of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: Arc<Record>,
    /// When this process got the token from a server.
    arrived: Option<Moment>,
    /// How long it lives from then.
    lifetime: Option<Duration>,
    /// Whether the store keeps the record.
    pub(super) remember: bool,
    /// The refresh token was on its way when an earlier process ended, so that the server may have
    /// replaced it.
    pub(super) interrupted: bool,
}

impl Held {
    fn read(record: Arc<Record>) -> Self {
        Self {
            record,
            arrived: None,
            lifetime: None,
            remember: true,
            interrupted: false,
        }
    }

    fn arrived(record: Arc<Record>, remember: bool, now: Moment) -> Self {
        let lifetime = record.expires_at.map(|at| at.saturating_sub(now.wall));
        Self {
            record,
            arrived: Some(now),
            lifetime: lifetime.map(Duration::from_millis),
            remember,
            interrupted: false,
        }
    }

    fn is_new(&self, now: Moment) -> bool {
        self.arrived
            .is_some_and(|arrived| !arrived.is_past(MINIMUM_USE, now))
    }

    /// Whether the token lives for less than `min_life`. One that has just arrived does not count as
    /// expired: a wrong clock must not cost a refresh per request.
    pub(super) fn is_due(&self, min_life: Duration, now: Moment) -> bool {
        if self.interrupted {
            return true;
        }
        if self.is_new(now) {
            return false;
        }
        let by_wall = self
            .record
            .expires_at
            .is_some_and(|at| now.wall.saturating_add(millis(min_life)) >= at);
        let by_lifetime = match (self.arrived, self.lifetime) {
            (Some(arrived), Some(lifetime)) => {
                now.steady.duration_since(arrived.steady) + min_life >= lifetime
            }
            _ => false,
        };
        by_wall || by_lifetime
    }
}

/// Whether the store holds what memory holds.
#[derive(Debug)]
pub(super) enum Saved {
    Yes,
    /// Memory has a change that the store lacks.
    No(Unsaved),
}

/// A change that the store lacks.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) basis: Basis,
    /// Why the last attempt failed.
    pub(super) error: Option<Error>,
    /// How many attempts have failed.
    pub(super) failures: u32,
}

/// What a change replaces in the store.
#[derive(Debug, Clone)]
pub(super) enum Basis {
    /// Whatever is there: somebody signed in or out here, and the last one counts. If `not_read`, the
    /// record that is there is unknown, and is to be revoked.
    Anything { not_read: bool },
    /// This record alone: a rotation must not overwrite a change that somebody else made meanwhile.
    Record { revision: u64, record: Arc<Record> },
}

impl Basis {
    /// What the write of a record on this basis means.
    pub(super) fn changed_by(&self) -> ChangedBy {
        match self {
            Self::Anything { .. } => ChangedBy::Login,
            Self::Record { .. } => ChangedBy::Rotation,
        }
    }
}

/// What is to be written, as it was at `epoch`.
pub(super) struct Write {
    pub(super) epoch: u64,
    /// `None` clears.
    pub(super) record: Option<Arc<Record>>,
    pub(super) basis: Basis,
}

/// The state of one session.
pub(super) struct State {
    pub(super) login: u64,
    /// The number of the newest sign-in or sign-out. A sign-in that began before it comes too late.
    pub(super) chosen: u64,
    pub(super) memory: Memory,
    pub(super) saved: Saved,
    /// The newest revision of the vault that is known here.
    pub(super) at_rest: u64,
    /// Which login that revision is of, for the other processes.
    login_mark: LoginMark,
    /// Counts the records that memory has had: what began under one must not change the next.
    pub(super) epoch: u64,
    /// The tokens of this login that were replaced, newest first.
    past: VecDeque<Token>,
    /// Since when refused tokens are handed on instead of refreshed.
    floor: Option<Moment>,
    pub(super) flight: Option<Flight>,
    pub(super) rest: Option<Rest>,
    pub(super) revokes: VecDeque<Record>,
    pub(super) views: Views,
    /// The pages that wait for a token which they could buy themselves, once for each call.
    pub(super) lessees: Vec<PageId>,
    able: Able,
    published: Snapshot,
}

/// What the app has Rust functions for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Able {
    pub(super) refresh: bool,
    pub(super) revoke: bool,
}

impl State {
    /// A session whose revisions all come after `start`.
    pub(super) fn new(able: Able, start: u64) -> Self {
        Self {
            able,
            lessees: Vec::new(),
            login: 0,
            chosen: 0,
            memory: Memory::NotRead,
            saved: Saved::Yes,
            at_rest: 0,
            login_mark: None,
            epoch: start,
            past: VecDeque::new(),
            floor: None,
            flight: None,
            rest: None,
            revokes: VecDeque::new(),
            views: Views::default(),
            published: Snapshot {
                status: Status::Hydrating,
                login: 0,
                revision: start,
                token_revision: start,
                expires_at: None,
                can_refresh: false,
                persisted: false,
                error: None,
                reason: None,
                retry_at: None,
                revokes: 0,
            },
        }
    }

    pub(super) fn held(&self) -> Option<&Held> {
        match &self.memory {
            Memory::Held(held) => Some(held),
            _ => None,
        }
    }

    pub(super) fn record(&self) -> Option<&Arc<Record>> {
        self.held().map(|held| &held.record)
    }

    pub(super) fn is_read(&self) -> bool {
        !matches!(self.memory, Memory::NotRead | Memory::Unreadable(_))
    }

    /// The token that replaced `rejected` within this login.
    pub(super) fn successor_of(&self, rejected: &Token) -> Option<&Arc<Record>> {
        self.record().filter(|_| self.past.contains(rejected))
    }

    /// Whether a refresh is of no use for the token, which a server has refused. A token that has just
    /// arrived and is refused already costs one refresh.
    pub(super) fn is_at_floor(&mut self, accepted: bool, now: Moment) -> bool {
        if accepted {
            self.floor = None;
        }
        if self.floor.is_some_and(|since| !since.is_past(FLOOR, now)) {
            return true;
        }
        let is_new = self.held().is_some_and(|held| held.is_new(now));
        self.floor = is_new.then_some(now);
        false
    }

    /// Nobody has carried out the refresh that a refused token may cost.
    pub(super) fn lift_floor(&mut self) {
        self.floor = None;
    }

    /// Somebody signs in as `login`.
    pub(super) fn sign_in(&mut self, login: u64, record: Record, remember: bool, now: Moment) {
        let not_read = self.end_login(login, Some(&record));
        self.chosen = login;
        self.memory = Memory::Held(Held::arrived(Arc::new(record), remember, now));
        self.saved = Saved::No(Unsaved::new(Basis::Anything { not_read }));
    }

    /// The login ends; `login` is the number of the time after it.
    pub(super) fn sign_out(&mut self, login: u64, reason: EndReason) {
        let not_read = self.end_login(login, None);
        self.chosen = login;
        self.memory = Memory::Empty(Some(reason));
        self.saved = Saved::No(Unsaved::new(Basis::Anything { not_read }));
    }

    /// The server has refused the refresh token for good. The store is emptied, unless somebody else
    /// has changed it.
    pub(super) fn refuse(&mut self, login: u64) {
        let Some(held) = self.held() else { return };
        let reason = if held.interrupted {
            EndReason::Interrupted
        } else {
            EndReason::Refused
        };
        let basis = self.basis_of_a_rotation();
        self.begin(login);
        self.memory = Memory::Empty(Some(reason));
        self.saved = Saved::No(Unsaved::new(basis));
    }

    /// Begins `login` and keeps what `next` replaces for whoever revokes. Returns whether the store may
    /// hold a record that nobody has read.
    fn end_login(&mut self, login: u64, next: Option<&Record>) -> bool {
        let not_read = match (&self.memory, &self.saved) {
            (Memory::NotRead | Memory::Unreadable(_), _) => true,
            (_, Saved::No(unsaved)) => matches!(unsaved.basis, Basis::Anything { not_read: true }),
            _ => false,
        };
        let ended = self.record().map(|record| Record::clone(record));
        if let Some(ended) = ended.filter(|ended| !ended.shares_a_token_with(next)) {
            self.revoke(ended);
        }
        self.begin(login);
        not_read
    }

    /// Begins a login of another process, or that of an earlier start.
    fn begin_elsewhere(&mut self, login: u64) {
        if self.is_read() {
            self.chosen = login;
        }
        self.begin(login);
    }

    fn begin(&mut self, login: u64) {
        self.login = login;
        self.epoch += 1;
        self.past.clear();
        self.floor = None;
        self.rest = None;
        if let Some(flight) = self.flight.take() {
            self.views.orphan(flight);
        }
    }

    /// Whether somebody is signed in whose record the store is not to keep.
    pub(super) fn is_not_kept(&self) -> bool {
        self.held().is_some_and(|held| !held.remember)
    }

    /// Whether a page waits that could refresh.
    pub(super) fn has_lessee(&self) -> bool {
        self.lessees.iter().any(|page| self.views.is_open(page))
    }

    /// Whether there is somebody who can refresh.
    pub(super) fn can_refresh(&self) -> bool {
        self.able.refresh || self.views.refresh()
    }

    /// Whether there is somebody who revokes.
    pub(super) fn can_revoke(&self) -> bool {
        self.able.revoke || self.views.revoke()
    }

    /// Keeps `record` until it is revoked, if there is somebody who does that.
    pub(super) fn revoke(&mut self, record: Record) {
        if !self.can_revoke() {
            return;
        }
        if self.revokes.len() >= REVOKES {
            self.revokes.pop_front();
            log::warn!("a record was not revoked: too many wait for it");
        }
        self.revokes.push_back(record);
    }

    /// Whether the flight `id` is under way.
    pub(super) fn is_flying(&self, id: u64) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.id == id)
    }

    /// Takes what the flight `id` has brought, which ends it. If its login has ended meanwhile, the record
    /// is to be revoked. Returns whether it was taken.
    pub(super) fn land(
        &mut self,
        id: u64,
        record: &Arc<Record>,
        saved: Saved,
        now: Moment,
    ) -> bool {
        let remember = match self.held() {
            Some(held) if self.is_flying(id) => held.remember,
            _ => {
                self.revoke(Record::clone(record));
                return false;
            }
        };
        self.flight = None;
        self.replace(Held::arrived(record.clone(), remember, now));
        self.saved = saved;
        true
    }

    fn replace(&mut self, next: Held) {
        let before = std::mem::replace(&mut self.memory, Memory::Held(next));
        if let Memory::Held(held) = before {
            self.past.push_front(held.record.token.clone());
            self.past.truncate(PAST_TOKENS);
        }
        self.epoch += 1;
        self.rest = None;
    }

    /// An earlier process ended while the refresh token was on its way.
    pub(super) fn interrupted(&mut self) {
        if let Memory::Held(held) = &mut self.memory {
            held.interrupted = true;
        }
    }

    /// What a rotation that is about to be written replaces in the store.
    pub(super) fn basis_of_a_rotation(&self) -> Basis {
        match (&self.saved, self.record()) {
            (Saved::No(unsaved), _) => unsaved.basis.clone(),
            (Saved::Yes, Some(record)) => Basis::Record {
                revision: self.at_rest,
                record: record.clone(),
            },
            (Saved::Yes, None) => Basis::Anything { not_read: false },
        }
    }

    /// Takes over what the store holds. `login` is for a record that begins another one.
    pub(super) fn adopt(&mut self, found: AtRestNow, login: u64) {
        let is_of_this_login = found.login.is_some() && found.login == self.login_mark;
        self.saved = Saved::Yes;
        self.at_rest = found.revision;
        self.login_mark = found.login;
        if self.is_read() && found.record.as_ref() == self.record() {
            return;
        }
        match found.record {
            Some(record) if is_of_this_login && self.held().is_some() => {
                self.replace(Held::read(record));
            }
            Some(record) => {
                self.begin_elsewhere(login);
                self.memory = Memory::Held(Held::read(record));
            }
            None => {
                let reason = self.held().map(|_| EndReason::Elsewhere);
                self.begin_elsewhere(login);
                self.memory = Memory::Empty(reason);
            }
        }
    }

    /// The record that a rotation replaces is still in the store, now at `revision`.
    pub(super) fn rebase(&mut self, revision: u64) {
        self.at_rest = self.at_rest.max(revision);
        if let Saved::No(Unsaved {
            basis: Basis::Record {
                revision: based_on, ..
            },
            ..
        }) = &mut self.saved
        {
            *based_on = revision;
        }
    }

    /// The store could not be read.
    pub(super) fn cannot_read(&mut self, error: Error) {
        if !self.is_read() {
            self.memory = Memory::Unreadable(error);
        }
    }

    /// Reads again after a failure: until then nobody knows.
    pub(super) fn read_again(&mut self) {
        if matches!(self.memory, Memory::Unreadable(_)) {
            self.memory = Memory::NotRead;
        }
    }

    /// What the store lacks, if anything.
    pub(super) fn unsaved(&self) -> Option<Write> {
        let Saved::No(unsaved) = &self.saved else {
            return None;
        };
        let kept = self.held().filter(|held| held.remember);
        Some(Write {
            epoch: self.epoch,
            record: kept.map(|held| held.record.clone()),
            basis: unsaved.basis.clone(),
        })
    }

    /// Notes the result of a write that was begun at `epoch`. Returns the number of failures before, if
    /// it is to be tried again later.
    pub(super) fn written(&mut self, epoch: u64, result: Result<Acknowledged>) -> Option<u32> {
        let is_current = self.epoch == epoch;
        match (result, &mut self.saved) {
            (Ok(Acknowledged { revision, login }), saved) => {
                if is_current {
                    *saved = Saved::Yes;
                    self.login_mark = login;
                } else if revision > self.at_rest && matches!(saved, Saved::Yes) {
                    // It landed on top of what memory took over in between.
                    *saved = Saved::No(Unsaved::new(Basis::Anything { not_read: false }));
                }
                self.at_rest = self.at_rest.max(revision);
                None
            }
            (Err(error), Saved::No(unsaved)) if is_current => {
                let failures = unsaved.failures;
                unsaved.failures += 1;
                let again = error.code().is_retryable();
                unsaved.error = Some(error);
                again.then_some(failures)
            }
            (Err(_), _) => None,
        }
    }

    /// Whether the change that memory had at `epoch` is not stored yet, and has failed so many times.
    pub(super) fn has_failed(&self, epoch: u64, failures: u32) -> bool {
        self.epoch == epoch
            && matches!(&self.saved, Saved::No(unsaved) if unsaved.failures == failures)
    }

    /// The snapshot for everybody, if it shows something new.
    pub(super) fn publish(&mut self) -> Option<Snapshot> {
        let next = self.snapshot_now();
        if next.shows_the_same_as(&self.published) {
            return None;
        }
        self.published = Snapshot {
            revision: self.published.revision + 1,
            ..next
        };
        Some(self.published.clone())
    }

    pub(super) fn published(&self) -> &Snapshot {
        &self.published
    }

    fn snapshot_now(&self) -> Snapshot {
        let (status, reason) = match &self.memory {
            Memory::NotRead => (Status::Hydrating, None),
            Memory::Unreadable(_) => (Status::Unavailable, None),
            Memory::Empty(reason) => (Status::SignedOut, *reason),
            Memory::Held(_) => (Status::SignedIn, None),
        };
        let error = match (&self.memory, &self.saved) {
            (Memory::Unreadable(error), _) => Some(error.clone()),
            (_, Saved::No(unsaved)) => unsaved.error.clone(),
            _ => None,
        };
        let record = self.record();
        let is_kept = self.held().is_none_or(|held| held.remember);
        let has_refresh_token = record.is_some_and(|record| record.refresh_token.is_some());
        Snapshot {
            status,
            login: self.login,
            revision: self.published.revision,
            token_revision: self.epoch,
            expires_at: record.and_then(|record| record.expires_at),
            can_refresh: has_refresh_token && self.can_refresh(),
            persisted: self.is_read() && is_kept && matches!(self.saved, Saved::Yes),
            error,
            reason,
            retry_at: self.rest.as_ref().map(Rest::until),
            revokes: self.revokes.len(),
        }
    }
}

impl Unsaved {
    fn new(basis: Basis) -> Self {
        Self {
            basis,
            error: None,
            failures: 0,
        }
    }

    /// A rotation that could not be written for `error`.
    pub(super) fn failed(basis: Basis, error: Option<Error>) -> Self {
        Self {
            basis,
            failures: u32::from(error.is_some()),
            error,
        }
    }
}
