//! The store over the real Credential Manager, below the vault: exact sizes, and a process that is
//! killed after each of its changes.

use std::{
    future::pending,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::*;
use crate::{
    Account, StoreInfo,
    store::{Chunk, Prompts, SecretStore, chunked},
};

/// Set in the processes that are killed: after how many changes, and what they write.
const CHANGES: &str = "SECURE_TOKEN_TEST_CHANGES";
const LENGTH: &str = "SECURE_TOKEN_TEST_LENGTH";

const KILLED: &str = "app.secure-token.tests.killed";
const MAX_LEN: usize = 2560;

/// The store of an app whose earlier runs have left nothing.
async fn empty(service: &str) -> KeyringStore<CredentialManager> {
    let store = open_with_lock_in(service, &std::env::temp_dir().join(service)).unwrap();
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
        (1024 * 1024, 410),
    ] {
        let record: Vec<_> = (b'!'..=b'~').cycle().take(length).collect();
        write(&store, &record).await;
        assert!(read(&store).await == record, "{length} bytes");
        assert_eq!(items(&store).await.len(), 1 + pieces, "{length} bytes");
    }
    let head = Item::of(&Account::default());
    let prompts = Prompts::default();
    let refused = store.set(&head, &[b'x'; MAX_LEN + 1], &prompts).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Internal);
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
}

/// Not a test but the processes that are killed: this same program, started again.
#[tokio::test]
async fn process_that_is_killed() {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let (Some(changes), Some(length)) = (number(CHANGES), number(LENGTH)) else {
        return;
    };
    let folder = std::env::temp_dir().join(KILLED);
    let store = Stops {
        store: open_with_lock_in(KILLED, &folder).unwrap(),
        changes_left: AtomicUsize::new(changes),
    };
    write(&store, &vec![b'n'; length]).await;
    tell("finished");
}

/// Has another process write a record, and kills it after so many changes; whether it finished.
fn write_and_kill(length: usize, changes: usize) -> bool {
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::process_that_is_killed");
    let mut process = Command::new(std::env::current_exe().unwrap())
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
    for (old, new) in [(6_000, 9_000), (100, 9_000), (9_000, 100)] {
        let pieces = if new > MAX_LEN {
            new.div_ceil(MAX_LEN)
        } else {
            0
        };
        let (old, new) = (vec![b'o'; old], vec![b'n'; new]);
        for changes in 0.. {
            write(&store, &old).await;
            let finished = write_and_kill(new.len(), changes);
            // The change after the last piece is the header, or the record itself.
            let expected = if changes > pieces { &new } else { &old };
            assert!(read(&store).await == *expected, "after {changes} changes");

            write(&store, b"next").await;
            assert_eq!(items(&store).await, [Item::of(&Account::default())]);
            if finished {
                assert!(changes > pieces);
                break;
            }
        }
    }
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
