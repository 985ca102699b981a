//! An app with a new identifier, over the store of the old one.

use std::sync::Arc;

use super::{LATE, account, record, token, until};
use crate::{
    error::ErrorCode,
    store::{
        memory::{Fault, MemoryStore},
        renamed::Renamed,
    },
    vault::Vault,
};

/// The stores under both identifiers, with a record under the earlier.
struct Stores {
    now: Arc<MemoryStore>,
    earlier: Arc<MemoryStore>,
}

impl Stores {
    /// `max_len`: how many bytes an item holds; a record takes more than one if it is small.
    async fn with_record(max_len: Option<usize>) -> Self {
        let store = || {
            Arc::new(match max_len {
                Some(max_len) => MemoryStore::with_max_len(max_len),
                None => MemoryStore::default(),
            })
        };
        let stores = Self {
            now: store(),
            earlier: store(),
        };
        let before = Vault::new(stores.earlier.clone(), LATE, true);
        before.set(&account(), record("t"), None).await.unwrap();
        stores
    }

    fn vault(&self) -> Vault {
        let store = Arc::new(Renamed::new(self.now.clone(), self.earlier.clone()));
        Vault::new(store, LATE, true)
    }

    fn items(store: &MemoryStore) -> usize {
        store.items_stored().len()
    }
}

#[tokio::test]
async fn p7_a_record_under_the_earlier_identifier_is_read_and_moved() {
    for max_len in [None, Some(100)] {
        let stores = Stores::with_record(max_len).await;
        let items = Stores::items(&stores.earlier);
        let vault = stores.vault();
        assert_eq!(token(vault.get(&account()).await).as_deref(), Some("t"));
        assert_eq!(vault.list().await.unwrap(), [account()]);

        vault.move_from(stores.earlier.clone());
        until(|| Stores::items(&stores.earlier) == 0).await;
        assert_eq!(Stores::items(&stores.now), items);
        let after = Vault::new(stores.now.clone(), LATE, true);
        assert_eq!(token(after.get(&account()).await).as_deref(), Some("t"));
    }
}

#[tokio::test]
async fn p2_the_earlier_record_stays_until_the_new_one_can_be_read() {
    let stores = Stores::with_record(None).await;
    stores.now.inject(Fault::Fails(ErrorCode::Locked));
    let vault = stores.vault();
    vault.move_from(stores.earlier.clone());
    let failed = vault.get(&account()).await.unwrap_err();
    assert_eq!(failed.code(), ErrorCode::Locked);
    assert_eq!(Stores::items(&stores.earlier), 1);

    stores.now.heal();
    assert_eq!(token(vault.get(&account()).await).as_deref(), Some("t"));
    vault.set(&account(), record("u"), None).await.unwrap();
    assert_eq!(Stores::items(&stores.earlier), 0);
}

#[tokio::test]
async fn p3_a_cleared_record_does_not_come_back_from_the_earlier_identifier() {
    for max_len in [None, Some(100)] {
        let stores = Stores::with_record(max_len).await;
        let vault = stores.vault();
        vault.clear(&account(), None).await.unwrap();
        assert_eq!(Stores::items(&stores.earlier), 0);
        assert_eq!(stores.vault().get(&account()).await, Ok(None));
    }
}

#[tokio::test]
async fn p3_a_write_that_leaves_the_earlier_record_behind_hides_it_also_from_a_clear() {
    let stores = Stores::with_record(None).await;
    let vault = stores.vault();
    // The look for the earlier record succeeds, its removal does not.
    stores
        .earlier
        .inject(Fault::FailsAfter(1, ErrorCode::Locked));
    vault.set(&account(), record("u"), None).await.unwrap();
    stores.earlier.heal();
    assert_eq!(Stores::items(&stores.earlier), 1);
    assert_eq!(
        token(stores.vault().get(&account()).await).as_deref(),
        Some("u")
    );

    stores.earlier.inject(Fault::Fails(ErrorCode::Locked));
    let failed = vault.clear(&account(), None).await.unwrap_err();
    assert_eq!(failed.code(), ErrorCode::Locked);
    stores.earlier.heal();
    assert_eq!(
        token(stores.vault().get(&account()).await).as_deref(),
        Some("u"),
        "a failed clear changes nothing"
    );
    vault.clear(&account(), None).await.unwrap();
    assert_eq!(stores.vault().get(&account()).await, Ok(None));
}
