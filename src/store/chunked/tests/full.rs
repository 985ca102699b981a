//! A store that has no room for a further item, as the Credential Manager of a Windows user whose
//! programs have filled it.

use super::*;

fn store_with_room(items: usize) -> MemoryStore {
    let store = MemoryStore::with_max_len(MAX_LEN);
    store.set_room(Some(items));
    store
}

fn plant(store: &MemoryStore, account: &Account, generation: u64, count: u32) {
    for index in 0..count {
        store.poke(chunk(account, generation, index), "left over");
    }
}

#[tokio::test]
async fn p2_a_write_for_which_there_is_no_room_changes_nothing() {
    let store = store_with_room(12);
    let old = vec![b'o'; 300];
    write(&store, &old).await.unwrap();
    for length in [420, 1_000, 481] {
        let error = write(&store, &vec![b'n'; length]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable, "{length} bytes");
        assert_eq!(read(&store).await.unwrap().unwrap(), old);
        assert_eq!(store.items_stored().len(), items_of(&old));
    }
    // What fits beside the old record is still written.
    for length in [300, 360, 20, 420] {
        let new = vec![b'n'; length];
        write(&store, &new).await.unwrap();
        assert_eq!(read(&store).await.unwrap().unwrap(), new);
        assert_eq!(store.items_stored().len(), items_of(&new));
    }
}

#[tokio::test]
async fn p3_a_full_store_can_be_cleared() {
    let store = store_with_room(6);
    write(&store, &[b'o'; 300]).await.unwrap();
    clear(&store).await.unwrap();
    assert!(store.items_stored().is_empty());
}

#[tokio::test]
async fn what_is_left_over_makes_room() {
    let new = vec![b'n'; 300];
    let other = Account::new("other").unwrap();
    for old in [None, Some(vec![b'o'; 20]), Some(vec![b'o'; 300])] {
        for of in [account(), other.clone()] {
            let store = store_with_room(12);
            if let Some(old) = &old {
                write(&store, old).await.unwrap();
            }
            plant(&store, &of, 9, 5);
            plant(&store, &of, u64::MAX, 3);
            write(&store, &new).await.unwrap();
            assert_eq!(read(&store).await.unwrap().unwrap(), new);
            assert_eq!(store.items_stored().len(), items_of(&new));
        }
    }
}

#[tokio::test]
async fn p2_making_room_leaves_the_records_of_other_accounts_whole() {
    let store = store_with_room(20);
    let (long, short) = (Account::new("long").unwrap(), Account::new("s").unwrap());
    let damaged = Account::new("damaged").unwrap();
    let prompts = Prompts::default();
    let theirs = vec![b't'; 300];
    set(&store, &long, &theirs, &prompts).await.unwrap();
    set(&store, &short, b"short", &prompts).await.unwrap();
    store.poke(Item::of(&damaged), "secure-token.chunks.v2.later");
    plant(&store, &damaged, 1, 1);
    for account in [&long, &short] {
        plant(&store, account, 9, 4);
    }
    assert_eq!(store.items_stored().len(), 17);

    let new = vec![b'n'; 540];
    write(&store, &new).await.unwrap();
    assert_eq!(read(&store).await.unwrap().unwrap(), new);
    let stored = get(&store, &long, &prompts).await.unwrap();
    assert_eq!(stored.unwrap().as_slice(), theirs);
    let stored = get(&store, &short, &prompts).await.unwrap();
    assert_eq!(stored.unwrap().as_slice(), b"short");
    assert!(store.peek(&chunk(&damaged, 1, 0)).is_some());
    assert_eq!(store.items_stored().len(), 6 + 1 + 2 + items_of(&new));
}

#[tokio::test]
async fn p2_a_write_that_stops_anywhere_in_a_full_store_leaves_a_whole_record() {
    for calls in 0..60 {
        let store = store_with_room(14);
        let (old, new) = (vec![b'o'; 300], vec![b'n'; 360]);
        write(&store, &old).await.unwrap();
        plant(&store, &account(), 9, 3);
        plant(&store, &Account::new("other").unwrap(), 9, 3);
        store.inject(Fault::FailsAfter(calls, ErrorCode::Unavailable));
        let acknowledged = write(&store, &new).await.is_ok();
        store.heal();
        let stored = read(&store).await.unwrap().unwrap();
        assert_eq!(stored == new, acknowledged, "stopped after {calls} calls");
        assert!(stored == new || stored == old);
        write(&store, &new).await.unwrap();
        let mut items = store.items_stored();
        items.retain(|item| item.account == account());
        assert_eq!(items.len(), items_of(&new));
    }
}

/// A store with room for few pieces, as that of Windows says.
struct FewPieces(MemoryStore);

#[async_trait::async_trait]
impl SecretStore for FewPieces {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.0.get(item, prompts).await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        self.0.set(item, bytes, prompts).await
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        self.0.delete(item, prompts).await
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        self.0.list(prompts).await
    }

    async fn info(&self) -> crate::store::StoreInfo {
        self.0.info().await
    }

    fn max_len(&self) -> Option<usize> {
        self.0.max_len()
    }

    fn max_chunks(&self) -> Option<u32> {
        Some(5)
    }
}

#[tokio::test]
async fn a_record_that_would_fill_the_store_is_too_large_and_changes_nothing() {
    let store = FewPieces(MemoryStore::with_max_len(MAX_LEN));
    let longest = vec![b'o'; 5 * MAX_LEN];
    write(&store, &longest).await.unwrap();
    let error = write(&store, &[b'n'; 5 * MAX_LEN + 1]).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooLarge);
    assert_eq!(read(&store).await.unwrap().unwrap(), longest);

    // A longer record, of a version without the limit, is still read.
    let longer = vec![b'p'; 10 * MAX_LEN];
    write(&store.0, &longer).await.unwrap();
    assert_eq!(read(&store).await.unwrap().unwrap(), longer);
}
