//! Finds the items of an account; if nothing has changed since the last time, all at once.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use dbus::Path;
use futures_util::{future::try_join_all, join};

use super::{
    connection::{COLLECTION, Connection},
    fault::Fault,
};
use crate::{sync::lock, token::Account};

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

/// What a search found.
pub(super) enum Look {
    /// The default collection is locked. A locked one hides its items from a search, or answers with empty
    /// secrets, so that nothing is believed before it is open.
    Locked,
    Unlocked(Found),
}

/// What a search found in the unlocked default collection.
pub(super) struct Found {
    pub(super) collection: Path<'static>,
    /// The items of the account, the one that was changed last first. There is more than one only
    /// if another program has made it.
    pub(super) ours: Vec<Path<'static>>,
    /// Whether there are items with our attributes and more.
    pub(super) others: bool,
}

impl Look {
    /// Searches the default collection for the items of `account`, which have the attributes `wanted`.
    ///
    /// Takes one round trip if the item is where it was the last time and all that led to it is still so, or if
    /// there is no item. What is then done to the item takes a second one: a provider carries out every call that it
    /// receives, so a `SetSecret` or `Delete` that was sent along would also hit an item that is no longer ours.
    /// gnome-keyring (42.1) gives the number of a removed item to a new one after a restart, and any program can change
    /// an item's attributes.
    pub(super) async fn at(
        connection: &Connection,
        account: &Account,
        wanted: &Attributes<'_>,
    ) -> Result<Self, Fault> {
        let mut collection = match connection.last_found.collection() {
            Some(collection) => collection,
            None => connection.default_collection().await?,
        };
        loop {
            let last = connection.last_found.item(account);
            let last_attributes = async {
                let item = last.as_ref()?;
                connection.attributes(item).await.ok()
            };
            // The lock is asked for after the search: a collection that is locked in between does not pass for
            // one without the item.
            let (owner, default, items, is_locked, last_attributes) = join!(
                connection.check_owner(),
                connection.default_collection(),
                connection.search(&collection, wanted),
                connection.is_locked(&collection, COLLECTION),
                last_attributes,
            );
            owner?;
            let default = default?;
            if default != collection {
                collection = default;
                continue;
            }
            connection.last_found.in_collection(&collection);
            if is_locked? {
                return Ok(Self::Locked);
            }
            let items = items?;
            let is_last = items.len() == 1 && items.first() == last.as_ref();
            let found = match last_attributes {
                Some(attributes) if is_last && is_exactly(&attributes, wanted) => Found {
                    collection,
                    ours: items,
                    others: false,
                },
                _ => Found::among(connection, collection, items, wanted).await?,
            };
            if let ([item], false) = (&*found.ours, found.others) {
                connection.last_found.remember(account, item);
            }
            return Ok(Self::Unlocked(found));
        }
    }
}

impl Found {
    async fn among(
        connection: &Connection,
        collection: Path<'static>,
        items: Vec<Path<'static>>,
        wanted: &Attributes<'_>,
    ) -> Result<Self, Fault> {
        let attributes = connection.attributes_of(&items).await?;
        let count = items.len();
        let mut ours: Vec<_> = items
            .into_iter()
            .zip(&attributes)
            .filter(|(_, attributes)| is_exactly(attributes, wanted))
            .map(|(item, _)| item)
            .collect();
        let others = ours.len() < count;
        if ours.len() > 1 {
            ours = newest_first(connection, ours).await?;
        }
        Ok(Self {
            collection,
            ours,
            others,
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
    items: Vec<Path<'static>>,
) -> Result<Vec<Path<'static>>, Fault> {
    let asked: Vec<_> = items.iter().map(|item| connection.modified(item)).collect();
    let changes = try_join_all(asked).await?;
    let mut by_change: Vec<_> = changes.into_iter().zip(items).collect();
    by_change.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(by_change.into_iter().map(|(_, item)| item).collect())
}

/// Where the items of the accounts were found that were used last.
#[derive(Default)]
pub(super) struct LastFound(Mutex<Places>);

#[derive(Default)]
struct Places {
    collection: Option<Path<'static>>,
    /// The one that was used last comes last.
    items: VecDeque<(Account, Path<'static>)>,
}

impl LastFound {
    /// More accounts than an app uses at once.
    const MOST: usize = 32;

    fn collection(&self) -> Option<Path<'static>> {
        lock(&self.0).collection.clone()
    }

    fn item(&self, account: &Account) -> Option<Path<'static>> {
        let places = lock(&self.0);
        let mut items = places.items.iter();
        let place = items.find(|(of, _)| of == account);
        place.map(|(_, item)| item.clone())
    }

    /// Nothing that was found in another collection counts.
    fn in_collection(&self, collection: &Path<'static>) {
        let mut places = lock(&self.0);
        if places.collection.as_ref() != Some(collection) {
            *places = Places {
                collection: Some(collection.clone()),
                items: VecDeque::new(),
            };
        }
    }

    pub(super) fn remember(&self, account: &Account, item: &Path<'static>) {
        let mut places = lock(&self.0);
        places.items.retain(|(of, _)| of != account);
        if places.items.len() >= Self::MOST {
            places.items.pop_front();
        }
        places.items.push_back((account.clone(), item.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> Account {
        Account::new(format!("account {number}")).unwrap()
    }

    fn item(number: usize) -> Path<'static> {
        Path::from(format!("/item/{number}"))
    }

    #[test]
    fn accounts_in_turn_are_found_where_they_were_and_only_so_many_are_kept() {
        let found = LastFound::default();
        found.in_collection(&item(0));
        let most = LastFound::MOST;
        for number in 0..most {
            found.remember(&account(number), &item(number));
        }
        found.remember(&account(0), &item(most));
        assert_eq!(found.item(&account(0)), Some(item(most)));
        assert_eq!(found.item(&account(1)), Some(item(1)));
        // The one that was not used for the longest time makes room.
        found.remember(&account(most), &item(0));
        assert_eq!(found.item(&account(1)), None);
        assert_eq!(found.item(&account(2)), Some(item(2)));
    }

    #[test]
    fn p1_what_was_found_in_another_collection_does_not_count() {
        let found = LastFound::default();
        found.in_collection(&item(0));
        found.remember(&account(0), &item(1));
        found.in_collection(&item(0));
        assert_eq!(found.item(&account(0)), Some(item(1)));
        found.in_collection(&item(2));
        assert_eq!(found.item(&account(0)), None);
    }
}
