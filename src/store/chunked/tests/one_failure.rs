//! A store in which a single call fails, with or without its effect; what comes after it works.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

struct OneFailure {
    store: MemoryStore,
    /// How many changes succeed before the one that fails.
    changes_left: AtomicUsize,
    /// Whether the change that fails takes effect, as that of a store whose connection is lost then.
    lands: bool,
    code: ErrorCode,
}

impl OneFailure {
    /// Holds `record`; after that so many changes succeed, and one fails.
    async fn after(changes: usize, lands: bool, code: ErrorCode, record: &[u8]) -> Self {
        let store = MemoryStore::with_max_len(MAX_LEN);
        write(&store, record).await.unwrap();
        Self {
            store,
            changes_left: AtomicUsize::new(changes),
            lands,
            code,
        }
    }

    fn failed(&self) -> bool {
        self.changes_left.load(Ordering::SeqCst) == usize::MAX
    }

    async fn change(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        let before = self.changes_left.load(Ordering::SeqCst);
        if before != usize::MAX {
            let left = self.changes_left.fetch_sub(1, Ordering::SeqCst);
            if left == 0 {
                self.changes_left.store(usize::MAX, Ordering::SeqCst);
                if self.lands {
                    change.await?;
                }
                return Err(Error::new(self.code, "the one failure"));
            }
        }
        change.await
    }
}

#[async_trait::async_trait]
impl SecretStore for OneFailure {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.store.get(item, prompts).await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        self.change(self.store.set(item, bytes, prompts)).await
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        self.change(self.store.delete(item, prompts)).await
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        self.store.list(prompts).await
    }

    async fn info(&self) -> crate::store::StoreInfo {
        self.store.info().await
    }

    fn max_len(&self) -> Option<usize> {
        self.store.max_len()
    }
}

const CODES: [ErrorCode; 3] = [
    ErrorCode::Internal,
    ErrorCode::Locked,
    ErrorCode::Unavailable,
];

#[tokio::test]
async fn p2_a_write_that_fails_once_removes_its_own_pieces() {
    for (old, new) in [(300, 420), (20, 420), (300, 20)] {
        let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
        for (code, lands) in CODES
            .into_iter()
            .flat_map(|code| [(code, false), (code, true)])
        {
            for changes in 0.. {
                let store = OneFailure::after(changes, lands, code, &old).await;
                let written = write(&store, &new).await;
                let stored = read(&store).await.unwrap().unwrap();
                let point = format!("{} to {}, change {changes}", old.len(), new.len());
                match written {
                    Ok(()) => assert!(stored == new, "{point}"),
                    Err(error) => {
                        assert_eq!(error.code(), code, "{point}");
                        // A short record has no pieces of its own to look after.
                        assert!(stored == old || (lands && new.len() <= MAX_LEN), "{point}");
                        if stored == old {
                            let items = store.store.items_stored().len();
                            assert_eq!(items, items_of(&old), "{point}");
                        }
                    }
                }
                if !store.failed() {
                    break;
                }
                write(&store, b"next").await.unwrap();
                assert_eq!(store.store.items_stored(), [Item::of(&account())]);
            }
        }
    }
}

#[tokio::test]
async fn p2_a_header_that_lands_although_its_write_is_reported_as_failed_keeps_its_pieces() {
    let new = vec![b'n'; 420];
    // The change after the seven pieces.
    let store = OneFailure::after(7, true, ErrorCode::Internal, b"old").await;
    assert_eq!(write(&store, &new).await, Ok(()));
    assert_eq!(read(&store).await.unwrap().unwrap(), new);
    assert_eq!(store.store.items_stored().len(), items_of(&new));
}

#[tokio::test]
async fn p3_a_clear_that_cannot_remove_a_piece_says_so_and_the_next_one_does() {
    for piece in 1..=5 {
        let store = OneFailure::after(piece, false, ErrorCode::Denied, &[b'o'; 300]).await;
        let error = clear(&store).await.unwrap_err();
        // Not `denied`, which says that nothing has changed.
        assert_eq!(error.code(), ErrorCode::Internal);
        assert!(error.message().contains("1 of its pieces"), "{error}");
        assert_eq!(read(&store).await, Ok(None));
        assert_eq!(store.store.items_stored().len(), 1);
        assert_eq!(clear(&store).await, Ok(()));
        assert!(store.store.items_stored().is_empty());
    }
    // The first change is the account's own item: without it nothing has changed.
    let store = OneFailure::after(0, false, ErrorCode::Denied, &[b'o'; 300]).await;
    assert_eq!(clear(&store).await.unwrap_err().code(), ErrorCode::Denied);
    assert_eq!(read(&store).await.unwrap().unwrap(), [b'o'; 300]);
}

#[tokio::test]
async fn what_is_left_over_goes_before_the_new_pieces_come() {
    let old = vec![b'o'; 300];
    // The change after the three pieces that are left over.
    let store = OneFailure::after(3, false, ErrorCode::Internal, &old).await;
    for index in 0..3 {
        let left_over = chunk(&account(), 9, index);
        store.store.poke(left_over, "left over");
    }
    assert!(write(&store, &[b'n'; 300]).await.is_err());
    assert_eq!(read(&store).await.unwrap().unwrap(), old);
    assert_eq!(store.store.items_stored().len(), items_of(&old));
}
