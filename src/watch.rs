//! Who is told when an account changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use serde::Serialize;

use crate::{Account, sync::lock};

/// Tells that an account has changed; never what to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The account that changed.
    pub account: Account,
    /// Its revision now. A notice with a revision that is not newer than a known one says nothing.
    pub revision: u64,
    /// Whether the account holds a record now.
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

/// Everybody who is told.
#[derive(Default)]
pub(crate) struct Watchers(Arc<Mutex<Listeners>>);

impl Watchers {
    /// Tells `listener` about every change from now on, until the answer is dropped.
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
            listener(notice);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.0).by_id.len()
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
