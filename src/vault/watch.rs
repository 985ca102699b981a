//! Who is notified when an account changes.

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, Weak},
};

use serde::Serialize;

use crate::{sync::lock, token::Account};

/// Says that an account has changed, or may have; never what it holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The account that changed.
    pub account: Account,
    /// Its revision now. A notice whose revision is not newer than one you know tells you nothing.
    pub revision: u64,
    /// `false` if the account is known to hold no record. After a write whose outcome is not known,
    /// such as one that timed out, this is `true`: read the account to find out.
    pub present: bool,
}

impl Serialize for Notice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut notice = serializer.serialize_struct("Notice", 3)?;
        notice.serialize_field("account", self.account.as_str())?;
        notice.serialize_field("revision", &self.revision)?;
        notice.serialize_field("present", &self.present)?;
        notice.end()
    }
}

type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

#[derive(Default)]
struct Listeners {
    next_id: u64,
    by_id: BTreeMap<u64, Listener>,
}

/// All listeners.
#[derive(Default)]
pub(crate) struct Watchers(Arc<Mutex<Listeners>>);

impl Watchers {
    /// Calls `listener` after every change, until the returned [`Watch`] is dropped.
    pub(crate) fn add(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) -> Watch {
        let mut listeners = lock(&self.0);
        let id = listeners.next_id;
        listeners.next_id += 1;
        listeners.by_id.insert(id, Arc::new(listener));
        Watch {
            id,
            listeners: Arc::downgrade(&self.0),
        }
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        // Called without the lock: a listener may start or end a watch.
        let listeners: Vec<_> = lock(&self.0).by_id.values().cloned().collect();
        for listener in listeners {
            call(&*listener, notice);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.0).by_id.len()
    }
}

/// A listener that panics must not end the write that it is called after, nor keep the next listeners
/// from being called.
fn call(listener: &(dyn Fn(&Notice) + Send + Sync), notice: &Notice) {
    if catch_unwind(AssertUnwindSafe(|| listener(notice))).is_err() {
        log::error!("a listener of watch_tokens panicked");
    }
}

/// Turns `listener`, which may block, into one that does not: it is called with one notice after the
/// other on threads where blocking is allowed.
pub(crate) fn may_block(
    listener: impl Fn(&Notice) + Send + Sync + 'static,
) -> impl Fn(&Notice) + Send + Sync + 'static {
    let mailbox = Owner(Arc::new(Mailbox {
        listener: Box::new(listener),
        queue: Mutex::default(),
    }));
    move |notice| mailbox.0.post(notice)
}

/// How many notices wait for a slow listener before older ones of the same account are left out.
const WAITING: usize = 256;

struct Mailbox {
    listener: Box<dyn Fn(&Notice) + Send + Sync>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    is_delivering: bool,
}

impl Mailbox {
    fn post(self: &Arc<Self>, notice: &Notice) {
        let mut queue = lock(&self.queue);
        if queue.waiting.len() >= WAITING {
            queue
                .waiting
                .retain(|older| older.account != notice.account);
        }
        queue.waiting.push_back(notice.clone());
        if !queue.is_delivering {
            queue.is_delivering = true;
            let mailbox = self.clone();
            tauri::async_runtime::spawn_blocking(move || mailbox.deliver());
        }
    }

    fn deliver(&self) {
        while let Some(notice) = self.next() {
            call(&*self.listener, &notice);
        }
    }

    fn next(&self) -> Option<Notice> {
        let mut queue = lock(&self.queue);
        let next = queue.waiting.pop_front();
        queue.is_delivering = next.is_some();
        next
    }
}

/// Ends the deliveries when the watch ends.
struct Owner(Arc<Mailbox>);

impl Drop for Owner {
    fn drop(&mut self) {
        lock(&self.0.queue).waiting.clear();
    }
}

/// A watch that goes on until this is dropped.
#[must_use = "the watch ends when this is dropped"]
pub struct Watch {
    id: u64,
    listeners: Weak<Mutex<Listeners>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            let listener = lock(&listeners).by_id.remove(&self.id);
            // Dropped without the lock: a listener may own a watch.
            drop(listener);
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
