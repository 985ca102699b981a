//! The store over the real Credential Manager, below the vault: exact sizes, and a process that is
//! killed after each of its changes.

use std::{
    env,
    future::pending,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::*;
use crate::{
    store::{Chunk, Prompts, SecretStore, StoreInfo, chunked},
    token::Account,
};

/// Set in the processes that are killed: after how many changes, and what they write.
const CHANGES: &str = "SECURE_TOKEN_TEST_CHANGES";
const LENGTH: &str = "SECURE_TOKEN_TEST_LENGTH";

const KILLED: &str = "app.secure-token.tests.killed";
const MAX_LEN: usize = 2560;

/// The store of an app whose earlier runs have left nothing.
async fn empty(service: &str) -> KeyringStore<CredentialManager> {
    let store = open_with_lock_in(service, Ok(env::temp_dir().join(service)));
    for item in items(&store).await {
        store.delete(&item, &Prompts::default()).await.unwrap();
    }
    store
}

async fn items(store: &impl SecretStore) -> Vec<Item> {
    store.list(&Prompts::default()).await.unwrap()
}

async fn write(store: &impl SecretStore, bytes: &[u8]) {
    let account = Account::default();
    let written = chunked::set(store, &account, bytes, &Prompts::default()).await;
    written.unwrap();
}

async fn read(store: &impl SecretStore) -> Vec<u8> {
    let account = Account::default();
    let stored = chunked::get(store, &account, &Prompts::default()).await;
    stored.unwrap().unwrap().to_vec()
}

#[tokio::test]
async fn an_item_of_the_plugins_own_is_kept_and_listed_with_its_pieces() {
    let store = empty("app.secure-token.tests.own").await;
    let (own, prompts) = (Account::revokes(), Prompts::default());
    for length in [10, 3 * MAX_LEN] {
        let bytes = vec![b'x'; length];
        chunked::set(&store, &own, &bytes, &prompts).await.unwrap();
        let stored = chunked::get(&store, &own, &prompts).await.unwrap();
        assert_eq!(stored.unwrap().as_slice(), bytes);
    }
    assert_eq!(items(&store).await.len(), 4);
    chunked::delete(&store, &own, &prompts).await.unwrap();
    assert!(items(&store).await.is_empty());
}

#[tokio::test]
async fn an_item_holds_2560_bytes_and_longer_records_take_several() {
    let store = empty("app.secure-token.tests.sizes").await;
    for (length, pieces) in [
        (1, 0),
        (MAX_LEN - 1, 0),
        (MAX_LEN, 0),
        (MAX_LEN + 1, 2),
        (2 * MAX_LEN, 2),
        (2 * MAX_LEN + 1, 3),
        (100 * 1024, 40),
        (64 * MAX_LEN, 64),
    ] {
        let record: Vec<_> = (b'!'..=b'~').cycle().take(length).collect();
        write(&store, &record).await;
        assert!(read(&store).await == record, "{length} bytes");
        assert_eq!(items(&store).await.len(), 1 + pieces, "{length} bytes");
    }
    let account = Account::default();
    let prompts = Prompts::default();
    let refused = store
        .set(&Item::of(&account), &[b'x'; MAX_LEN + 1], &prompts)
        .await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Internal);

    let too_long = vec![b'x'; 64 * MAX_LEN + 1];
    let refused = chunked::set(&store, &account, &too_long, &prompts).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::TooLarge);
    assert_eq!(read(&store).await.len(), 64 * MAX_LEN);
    assert_eq!(items(&store).await.len(), 1 + 64);
    chunked::delete(&store, &account, &prompts).await.unwrap();
    assert!(items(&store).await.is_empty());
}

/// The library tells `ERROR_NOT_FOUND` apart itself: the number that the thread still has after it is
/// the one that the store would report for another error.
#[tokio::test]
async fn after_a_failed_call_the_thread_has_the_number_of_windows() {
    let store = empty("app.secure-token.tests.number").await;
    let item = Item::of(&Account::default());
    let numbers = store.run(move |platform| {
        let calls = [
            |entry: &Entry| entry.get_secret().map(drop),
            |entry: &Entry| entry.get_attributes().map(drop),
            |entry: &Entry| entry.delete_credential(),
        ];
        let entry = platform.entry(&item).unwrap();
        Ok(calls.map(|call| {
            let failed = call(&entry);
            let number = io::Error::last_os_error().raw_os_error();
            assert!(matches!(failed, Err(keyring_core::Error::NoEntry)));
            number
        }))
    });
    assert_eq!(numbers.await.unwrap(), [Some(1168); 3]);
}

#[tokio::test]
async fn p1_without_a_folder_for_the_lock_reads_go_on_and_writes_are_unavailable() {
    let service = "app.secure-token.tests.no-folder";
    let with_folder = empty(service).await;
    write(&with_folder, b"stored").await;
    let no_folder = Error::new(ErrorCode::Unavailable, "no folder");
    let store = open_with_lock_in(service, Err(no_folder.clone()));
    assert_eq!(read(&store).await, b"stored");
    let (account, prompts) = (Account::default(), Prompts::default());
    let written = chunked::set(&store, &account, b"new", &prompts).await;
    assert_eq!(written, Err(no_folder.clone()));
    let cleared = chunked::delete(&store, &account, &prompts).await;
    assert_eq!(cleared, Err(no_folder));
    assert_eq!(read(&with_folder).await, b"stored");
}

#[tokio::test]
async fn the_state_is_asked_of_windows() {
    let store = empty("app.secure-token.tests.state").await;
    let info = store.info().await;
    assert_eq!(
        (info.state, info.detail),
        (StoreState::Available, String::new())
    );
}

/// As the Credential Manager refuses a further credential when those of all programs fill it. A
/// stand-in: Wine's has no such limit, and to fill that of a real user would lock other programs out.
struct Full {
    store: KeyringStore<CredentialManager>,
    room: usize,
}

#[async_trait]
impl SecretStore for Full {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.store.get(item, prompts).await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        let items = items(&self.store).await;
        if items.len() >= self.room && !items.contains(item) {
            let not_enough_memory = keyring_core::Error::PlatformFailure(Box::new(std::fmt::Error));
            return Err(os_status::windows(
                &not_enough_memory,
                &io::Error::from_raw_os_error(8),
            ));
        }
        self.store.set(item, bytes, prompts).await
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        self.store.delete(item, prompts).await
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        self.store.list(prompts).await
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        self.store.exclusive().await
    }

    async fn info(&self) -> StoreInfo {
        self.store.info().await
    }

    fn max_len(&self) -> Option<usize> {
        self.store.max_len()
    }

    fn max_chunks(&self) -> Option<u32> {
        self.store.max_chunks()
    }
}

#[tokio::test]
async fn p2_a_write_that_the_full_credential_manager_refuses_changes_nothing() {
    let store = Full {
        store: empty("app.secure-token.tests.full").await,
        room: 10,
    };
    let old = vec![b'o'; 4 * MAX_LEN];
    write(&store, &old).await;
    let before = items(&store).await.len();
    let (account, prompts) = (Account::default(), Prompts::default());
    for _ in 0..3 {
        let refused = chunked::set(&store, &account, &[b'n'; 6 * MAX_LEN], &prompts).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unavailable);
        assert!(
            refused.message().contains("Windows Credentials"),
            "{refused}"
        );
        assert!(read(&store).await == old);
        assert_eq!(items(&store).await.len(), before);
    }
    // What a killed process has left is in the way, of this account and of another one.
    for account in [&account, &Account::new("other").unwrap()] {
        for index in 0..2 {
            let left_over = Item {
                account: account.clone(),
                chunk: Some(Chunk {
                    generation: 9,
                    index,
                }),
            };
            store.set(&left_over, b"left over", &prompts).await.unwrap();
        }
    }
    let new = vec![b'n'; 5 * MAX_LEN];
    write(&store, &new).await;
    assert!(read(&store).await == new);
    assert_eq!(items(&store).await.len(), 1 + 5);
}

/// Says so and stops for good when it has made so many changes.
struct Stops {
    store: KeyringStore<CredentialManager>,
    changes_left: AtomicUsize,
}

impl Stops {
    async fn change(&self) {
        if self.changes_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            tell("stopped");
            pending::<()>().await;
        }
    }
}

#[expect(clippy::print_stdout, reason = "how a process tells the test")]
fn tell(state: &str) {
    println!("\nstate: {state}");
}

#[async_trait]
impl SecretStore for Stops {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.store.get(item, prompts).await
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        self.change().await;
        self.store.set(item, bytes, prompts).await
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        self.change().await;
        self.store.delete(item, prompts).await
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        self.store.list(prompts).await
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        self.store.exclusive().await
    }

    async fn info(&self) -> StoreInfo {
        self.store.info().await
    }

    fn max_len(&self) -> Option<usize> {
        self.store.max_len()
    }

    fn max_chunks(&self) -> Option<u32> {
        self.store.max_chunks()
    }
}

/// Not a test but the processes that are killed: this same program, started again.
#[tokio::test]
async fn process_that_is_killed() {
    let number = |name| env::var(name).ok()?.parse().ok();
    let (Some(changes), Some(length)) = (number(CHANGES), number(LENGTH)) else {
        return;
    };
    let folder = env::temp_dir().join(KILLED);
    let store = Stops {
        store: open_with_lock_in(KILLED, Ok(folder)),
        changes_left: AtomicUsize::new(changes),
    };
    write(&store, &vec![b'n'; length]).await;
    tell("finished");
}

/// Has another process write a record, and kills it after so many changes; whether it finished.
fn write_and_kill(length: usize, changes: usize) -> bool {
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::process_that_is_killed");
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(CHANGES, changes.to_string())
        .env(LENGTH, length.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let state = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("state: ").map(str::to_owned))
        .expect("the process says how far it came");
    process.kill().unwrap();
    process.wait().unwrap();
    state == "finished"
}

#[tokio::test]
async fn p2_a_process_killed_after_any_change_leaves_the_old_record_or_the_new_one() {
    let store = empty(KILLED).await;
    let mut left_over = 0;
    for (old, new) in [(6_000, 9_000), (100, 9_000), (9_000, 100)] {
        let pieces = |length: usize| match length {
            0..=MAX_LEN => 0,
            longer => longer.div_ceil(MAX_LEN),
        };
        let (old_pieces, new_pieces) = (pieces(old), pieces(new));
        let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
        for changes in 0.. {
            write(&store, &old).await;
            let finished = write_and_kill(new.len(), changes);
            // The change after the last piece is the header, or the record itself.
            let (expected, needed) = if changes > new_pieces {
                (&new, new_pieces)
            } else {
                (&old, old_pieces)
            };
            assert!(read(&store).await == *expected, "after {changes} changes");
            left_over += items(&store).await.len() - 1 - needed;

            if changes % 2 == 0 {
                write(&store, b"next").await;
                assert_eq!(items(&store).await, [Item::of(&Account::default())]);
            } else {
                let account = Account::default();
                let cleared = chunked::delete(&store, &account, &Prompts::default()).await;
                cleared.unwrap();
                assert!(items(&store).await.is_empty());
            }
            if finished {
                assert!(changes > new_pieces);
                break;
            }
        }
    }
    // Pieces 1 to 4 of a new record that has no header yet, twice; old pieces 3 to 1, and 4 to 1.
    assert_eq!(
        left_over,
        2 * (1 + 2 + 3 + 4) + (3 + 2 + 1) + (4 + 3 + 2 + 1)
    );
}

#[tokio::test]
async fn p1_a_list_has_the_items_of_this_service_only() {
    let service = "app.secure-token.tests.list";
    let (ours, theirs) = (empty(service).await, empty(&format!("x@{service}")).await);
    let account = |name: &str| Account::new(name).unwrap();
    let piece = Item {
        account: account("J\u{fc}rgen @ home"),
        chunk: Some(Chunk {
            generation: 7,
            index: 1,
        }),
    };
    for (store, item) in [(&ours, &piece), (&theirs, &Item::of(&account("a")))] {
        store.set(item, b"x", &Prompts::default()).await.unwrap();
        assert_eq!(items(store).await, std::slice::from_ref(item));
    }
}
