//! One refresh for everybody who waits: who carries it out, and what became of the last one.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    clock::{Moment, millis},
    state::{Memory, State},
    tokens::Tokens,
    view::PageId,
};
use crate::{
    error::{Error, ErrorCode},
    record::Record,
    token::Token,
};

/// A refresh that is under way.
pub(super) struct Flight {
    pub(super) id: u64,
    holder: Holder,
    /// What the page with the lease will say, until the flight waits for it.
    replied: Option<oneshot::Receiver<Reply>>,
}

/// Who carries a refresh out.
enum Holder {
    /// Nobody yet, or Rust: pages wait.
    Rust,
    /// The next page that asks.
    Offered,
    /// This page.
    Page {
        lease: u64,
        page: PageId,
        reply: oneshot::Sender<Reply>,
    },
}

/// How a refresh ended, told by who carried it out.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The server sent these.
    Renewed(Tokens),
    /// The server refused for good.
    Ended,
    /// Anything else.
    Failed {
        retry_after: Option<Duration>,
        /// The status of the response, for the error that everybody gets.
        status: Option<u16>,
    },
}

impl Reply {
    /// A failure of which nothing more is known.
    pub(crate) fn failed() -> Self {
        Self::Failed {
            retry_after: None,
            status: None,
        }
    }
}

/// The right of a page to carry out a refresh.
pub(crate) struct Lease {
    pub(crate) id: u64,
    pub(crate) record: Arc<Record>,
    pub(crate) login: u64,
}

impl Flight {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            holder: Holder::Rust,
            replied: None,
        }
    }

    pub(super) fn offer(&mut self) {
        self.holder = Holder::Offered;
    }

    /// The reply of the page that has got the lease. It fails when the page or the login ends before.
    pub(super) fn take_replied(&mut self) -> Option<oneshot::Receiver<Reply>> {
        self.replied.take()
    }

    /// Gives the flight to `page`, if it is on offer.
    fn lease(&mut self, lease: u64, page: &PageId) -> bool {
        let is_on_offer = matches!(self.holder, Holder::Offered);
        if is_on_offer {
            let (reply, replied) = oneshot::channel();
            self.holder = Holder::Page {
                lease,
                page: page.clone(),
                reply,
            };
            self.replied = Some(replied);
        }
        is_on_offer
    }

    pub(super) fn is_leased(&self) -> bool {
        matches!(self.holder, Holder::Page { .. })
    }

    pub(super) fn is_leased_as(&self, asked: u64, by: &PageId) -> bool {
        matches!(&self.holder, Holder::Page { lease, page, .. } if *lease == asked && page == by)
    }

    /// Hands the reply of the page over.
    pub(super) fn reply(&mut self, with: Reply) {
        if let Holder::Page { reply, .. } = std::mem::replace(&mut self.holder, Holder::Rust) {
            // The flight may have ended at this moment, and then finds the login of the reply gone.
            drop(reply.send(with));
        }
    }

    /// Takes the lease away from a page that is gone. Returns whether it had it.
    pub(super) fn end_lease_of(&mut self, gone: &PageId) -> bool {
        let is_of = matches!(&self.holder, Holder::Page { page, .. } if page == gone);
        if is_of {
            self.holder = Holder::Offered;
        }
        is_of
    }

    pub(super) fn into_lease(self) -> Option<(u64, PageId)> {
        match self.holder {
            Holder::Page { lease, page, .. } => Some((lease, page)),
            _ => None,
        }
    }
}

/// The failure of a refresh, for as long as it speaks for those who come.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) flight: u64,
    pub(super) error: Error,
    pub(super) failures: u32,
    since: Moment,
    span: Duration,
}

impl Rest {
    pub(super) fn new(flight: u64, error: Error, failures: u32, span: Duration) -> Self {
        Self {
            flight,
            error,
            failures,
            since: Moment::now(),
            span,
        }
    }

    /// In milliseconds since the Unix epoch.
    pub(super) fn until(&self) -> u64 {
        self.since.wall.saturating_add(millis(self.span))
    }

    fn is_over(&self, now: Moment) -> bool {
        // A clock that was set back: nobody knows how long ago the failure was.
        now.wall < self.since.wall || self.since.is_past(self.span, now)
    }
}

/// Which token is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// The one in memory.
    Current,
    /// One that lives for at least this long, if it can be had.
    Fresh(Duration),
    /// One instead of this one, which a server refused. `accepted`: a server took it before.
    InsteadOf { rejected: Token, accepted: bool },
    /// A new one, also while refreshing rests: a person has asked.
    New,
}

/// Somebody who wants a token.
pub(crate) struct Want {
    pub(crate) ask: Ask,
    /// The login that the token must be of. That of the time when it was asked for, if none is given.
    pub(crate) login: Option<u64>,
    /// The page that would carry out a refresh itself. It has to have opened the session.
    pub(crate) page: Option<PageId>,
    waited_for: Option<u64>,
}

impl Want {
    pub(crate) fn new(ask: Ask, login: Option<u64>, page: Option<PageId>) -> Self {
        Self {
            ask,
            login,
            page,
            waited_for: None,
        }
    }
}

/// What becomes of a [`Want`] now.
pub(super) enum Decision {
    /// The record with the token, or none.
    Token(Option<Arc<Record>>),
    /// The refresh is the page's to carry out.
    Lease(Lease),
    Error(Error),
    /// Something has to happen first.
    Wait,
    /// A refresh has begun, and has to be carried out: it replaces this record.
    Begin(Arc<Record>),
}

impl State {
    /// Decides what `want` gets. `number` is a fresh one, for a lease or a flight.
    pub(super) fn decide(&mut self, want: &mut Want, number: u64) -> Decision {
        let now = Moment::now();
        if let Memory::Unreadable(error) = &self.memory {
            return Decision::Error(error.clone());
        }
        if !self.is_read() {
            return Decision::Wait;
        }
        if *want.login.get_or_insert(self.login) != self.login {
            return Decision::Token(None);
        }
        let Some(record) = self.record().cloned() else {
            return Decision::Token(None);
        };
        match &want.ask {
            Ask::Current => return Decision::Token(Some(record)),
            Ask::Fresh(min_life) if !self.is_due(*min_life, now) => {
                return Decision::Token(Some(record));
            }
            Ask::InsteadOf { rejected, .. } if *rejected != record.token => {
                return Decision::Token(self.successor_of(rejected).cloned());
            }
            _ => {}
        }
        if let (Some(flight), Some(rest)) = (want.waited_for, &self.rest)
            && rest.flight == flight
        {
            return Decision::Error(rest.error.clone());
        }
        // A page that is gone would take the lease with it.
        let page = want.page.clone().filter(|page| self.views.is_open(page));
        if let Some(flight) = &mut self.flight {
            want.waited_for = Some(flight.id);
            let lessee = page.as_ref().filter(|page| flight.lease(number, page));
            return if let Some(page) = lessee {
                self.views.was_asked(page);
                Decision::Lease(Lease {
                    id: number,
                    record,
                    login: self.login,
                })
            } else {
                Decision::Wait
            };
        }
        if !self.can_refresh() && page.is_none() {
            let is_refused = matches!(want.ask, Ask::InsteadOf { .. });
            return Decision::Token((!is_refused).then_some(record));
        }
        match &want.ask {
            // The refresh that it was asked for has been carried out by another.
            Ask::New if want.waited_for.is_some() => return Decision::Token(Some(record)),
            Ask::New => {
                let was_asked = page.is_some_and(|page| self.views.was_asked(&page));
                if was_asked {
                    return Decision::Token(Some(record));
                }
            }
            Ask::InsteadOf { accepted, .. } => {
                let accepted = *accepted;
                if let Some(error) = self.resting(now) {
                    return Decision::Error(error);
                }
                if self.is_at_floor(accepted, now) {
                    return Decision::Token(None);
                }
            }
            Ask::Current | Ask::Fresh(_) => {
                if let Some(error) = self.resting(now) {
                    return Decision::Error(error);
                }
            }
        }
        self.flight = Some(Flight::new(number));
        Decision::Begin(record)
    }

    /// The flight that `rest` speaks of has failed.
    pub(super) fn fail(&mut self, rest: Rest) {
        if self.is_flying(rest.flight) {
            self.flight = None;
            self.rest = Some(rest);
        }
    }

    fn is_due(&self, min_life: Duration, now: Moment) -> bool {
        self.held().is_some_and(|held| held.is_due(min_life, now))
    }

    fn resting(&self, now: Moment) -> Option<Error> {
        let rest = self.rest.as_ref().filter(|rest| !rest.is_over(now))?;
        Some(rest.error.clone())
    }
}

/// What everybody gets who waited for a refresh that failed.
pub(super) fn failure(status: Option<u16>) -> Error {
    let message = match status {
        Some(status) => format!("the refresh failed with status {status}"),
        None => "the refresh failed".into(),
    };
    Error::new(ErrorCode::Unavailable, message)
}
