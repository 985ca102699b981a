//! Finds the items of an account; where nothing has changed since the last time, all at once.

use std::{collections::HashMap, sync::Arc};

use futures_util::join;
use oo7::dbus::{Collection, Item as ServiceItem};

use super::{connection::Connection, fault::Fault};
use crate::sync::lock;

/// Attributes that providers add to an item by themselves: libsecret's schema name, and what
/// KeePassXC reads back.
const ADDED_BY_PROVIDERS: [&str; 8] = [
    "xdg:schema",
    "FDO_SECRETS_CONTENT_TYPE",
    "Title",
    "UserName",
    "URL",
    "Notes",
    "Path",
    "Uuid",
];

/// What an item of ours has.
pub(super) type Attributes<'a> = HashMap<&'a str, &'a str>;

/// What a search found in the unlocked default collection.
pub(super) struct Found {
    pub(super) collection: Arc<Collection>,
    /// The items of the account, the one that was changed last first. There is more than one only
    /// where another program has made it.
    pub(super) ours: Vec<Arc<ServiceItem>>,
    /// Whether there are items with our attributes and more.
    pub(super) others: bool,
}

impl Found {
    /// Searches the unlocked `collection`.
    pub(super) async fn search(
        connection: &Connection,
        collection: Collection,
        wanted: &Attributes<'_>,
    ) -> Result<Self, Fault> {
        let mut ours = Vec::new();
        let mut others = false;
        for item in collection.search_items(wanted).await? {
            if is_exactly(&connection.attributes(item.path()).await?, wanted) {
                ours.push(Arc::new(item));
            } else {
                others = true;
            }
        }
        if ours.len() > 1 {
            ours = newest_first(connection, ours).await?;
        }
        let collection = Arc::new(collection);
        if let ([item], false) = (&*ours, others) {
            *lock(&connection.last_found) = Some((collection.clone(), item.clone()));
        }
        Ok(Self {
            collection,
            ours,
            others,
        })
    }

    /// The item that was found last, where it is the one that is `wanted` and all that led to it is
    /// still so. Takes one round trip.
    ///
    /// `None` is no answer, whatever the reason: the search asks again and meets it.
    pub(super) async fn again(connection: &Connection, wanted: &Attributes<'_>) -> Option<Self> {
        let (collection, item) = lock(&connection.last_found).clone()?;
        let (default, locked, items, attributes) = join!(
            connection.default_collection(),
            connection.is_locked(collection.path()),
            collection.search_items(wanted),
            connection.attributes(item.path()),
        );
        let is_same = default.ok()?.path() == collection.path()
            && !locked.ok()?
            && matches!(&*items.ok()?, [only] if only.path() == item.path())
            && is_exactly(&attributes.ok()?, wanted);
        is_same.then(|| Self {
            collection,
            ours: vec![item],
            others: false,
        })
    }
}

pub(super) fn is_exactly(attributes: &HashMap<String, String>, wanted: &Attributes<'_>) -> bool {
    wanted
        .iter()
        .all(|(name, value)| attributes.get(*name).is_some_and(|has| has == value))
        && attributes.keys().all(|name| {
            wanted.contains_key(name.as_str()) || ADDED_BY_PROVIDERS.contains(&name.as_str())
        })
}

async fn newest_first(
    connection: &Connection,
    items: Vec<Arc<ServiceItem>>,
) -> Result<Vec<Arc<ServiceItem>>, Fault> {
    let mut by_change = Vec::with_capacity(items.len());
    for item in items {
        by_change.push((connection.modified(item.path()).await?, item));
    }
    by_change.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(by_change.into_iter().map(|(_, item)| item).collect())
}
