//! The pages that show a session.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{clock::Moment, flight::Flight, snapshot::Snapshot};
use crate::error::{Error, ErrorCode, Result};

/// How many ended leases are remembered, for pages that answer late.
const ORPHANS: usize = 64;

/// For how long a page that comes is taken for one that was asked.
const MOMENT: Duration = Duration::from_secs(10);

/// Names one page that a webview shows, and not the next one that it shows.
pub(crate) type PageId = Arc<str>;

/// What a page is told over its channel. Never a token: a channel's message is evaluated as a script in
/// whatever page the webview shows by then.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The session has changed.
    Snapshot(Snapshot),
    /// Somebody waits for a new token, and a page is to buy it.
    Refresh,
}

/// What carries a [`Message`] to a page. It must not block.
pub(crate) type Deliver = Arc<dyn Fn(&Message) + Send + Sync>;

/// A page that shows the session.
pub(crate) struct View {
    pub(crate) page: PageId,
    /// Whether the page can carry out a refresh.
    pub(crate) refreshes: bool,
    /// Whether the page revokes records.
    pub(crate) revokes: bool,
    pub(crate) deliver: Deliver,
}

/// A lease whose flight has ended before its page answered.
struct Orphan {
    lease: u64,
    page: PageId,
}

/// All pages that show the session.
#[derive(Default)]
pub(super) struct Views {
    next_id: u64,
    by_id: BTreeMap<u64, View>,
    orphans: Vec<Orphan>,
    /// The page that was last asked to refresh, and when.
    asked: Option<(PageId, Moment)>,
}

impl Views {
    pub(super) fn add(&mut self, view: View) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.by_id.insert(id, view);
        id
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<View> {
        self.by_id.remove(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn is_open(&self, page: &PageId) -> bool {
        self.by_id.values().any(|view| view.page == *page)
    }

    /// Whether a page can refresh.
    pub(super) fn refresh(&self) -> bool {
        self.by_id.values().any(|view| view.refreshes)
    }

    /// Whether a page revokes.
    pub(super) fn revoke(&self) -> bool {
        self.by_id.values().any(|view| view.revokes)
    }

    pub(super) fn deliveries(&self) -> Vec<Deliver> {
        self.by_id
            .values()
            .map(|view| view.deliver.clone())
            .collect()
    }

    /// The page to ask for a refresh: the one that opened last, or after it the one before.
    pub(super) fn ask(&mut self) -> Option<Deliver> {
        let able = || self.by_id.values().rev().filter(|view| view.refreshes);
        let after_the_last = self.asked.as_ref().and_then(|(asked, _)| {
            able()
                .skip_while(|view| view.page != *asked)
                .find(|view| view.page != *asked)
        });
        let view = after_the_last.or_else(|| able().next())?;
        let (page, deliver) = (view.page.clone(), view.deliver.clone());
        self.asked = Some((page, Moment::now()));
        Some(deliver)
    }

    /// Whether `page` was asked to refresh a moment ago. The next time it comes of its own accord.
    pub(super) fn was_asked(&mut self, page: &PageId) -> bool {
        let asked = self.asked.take_if(|(asked, _)| asked == page);
        asked.is_some_and(|(_, when)| !when.is_past(MOMENT, Moment::now()))
    }

    /// Remembers the lease of a flight that has ended without its page.
    pub(super) fn orphan(&mut self, flight: Flight) {
        let Some((lease, page)) = flight.into_lease() else {
            return;
        };
        if self.orphans.len() >= ORPHANS {
            self.orphans.remove(0);
        }
        self.orphans.push(Orphan { lease, page });
    }

    /// Takes the lease of `page` out of those that have ended.
    ///
    /// # Errors
    ///
    /// `conflict`: there is no such lease.
    pub(super) fn take_orphan(&mut self, lease: u64, page: &PageId) -> Result<()> {
        let is_it = |orphan: &Orphan| orphan.lease == lease && orphan.page == *page;
        match self.orphans.iter().position(is_it) {
            Some(index) => {
                self.orphans.swap_remove(index);
                Ok(())
            }
            None => Err(Error::new(
                ErrorCode::Conflict,
                "the lease has ended, was answered already, or is of another page",
            )),
        }
    }

    /// Forgets the leases of a page that is gone.
    pub(super) fn forget(&mut self, page: &PageId) {
        self.orphans.retain(|orphan| orphan.page != *page);
        self.asked.take_if(|(asked, _)| asked == page);
    }
}
