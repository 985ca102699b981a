//! macOS and Windows: a store of the keyring family, on a thread of its own.
//!
//! Its calls block, on macOS for as long as a dialog is open. On a runtime's own threads that would
//! keep the app from ending; one thread also keeps the calls in order.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use keyring_core::Entry;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Exclusive, Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{
    error::{Error, ErrorCode, Result},
    sync::lock,
};

/// What differs between the platforms.
pub(super) trait Platform: Send + 'static {
    /// The most bytes that one item holds, where there is such a limit.
    const MAX_LEN: Option<usize>;

    /// The most pieces of one record, see [`SecretStore::max_chunks`].
    const MAX_CHUNKS: Option<u32> = None;

    /// The entry of `item`, whether it is there or not.
    fn entry(&self, item: &Item) -> Result<Entry, keyring_core::Error>;

    /// Every item of this app.
    fn items(&self) -> Result<Vec<Item>, keyring_core::Error>;

    /// Stores `bytes` under `item`, in the place of what was there.
    fn set(&self, item: &Item, bytes: &[u8]) -> Result<(), keyring_core::Error> {
        self.entry(item)?.set_secret(bytes)
    }

    /// The turn to write; `None` while another process has it.
    fn try_exclusive(&self) -> Result<Option<Exclusive>> {
        Ok(Some(Exclusive::default()))
    }

    /// What an error means to the caller. Called on the thread of the call that failed, before
    /// anything else is asked of the OS.
    fn error(error: &keyring_core::Error) -> Error;

    /// How the store is now, and what else a person should know. Never prompts.
    fn state(&self) -> (StoreState, String);
}

/// Until another process is asked again whether it has written.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

type Job<P> = Box<dyn FnOnce(Result<&P>) + Send>;

/// Opens the store of the platform.
type Open<P> = Arc<dyn Fn() -> Result<P> + Send + Sync>;

/// Starts a thread that does this work.
type StartThread = fn(Box<dyn FnOnce() + Send>) -> io::Result<()>;

/// A store of the keyring family.
///
/// Its thread is started and the platform's store opened by the first call. If that fails, the call
/// does, and the next one tries again: an app without a key store starts all the same.
pub(super) struct KeyringStore<P> {
    name: &'static str,
    open: Open<P>,
    start_thread: StartThread,
    jobs: Mutex<Option<mpsc::Sender<Job<P>>>>,
}

impl<P: Platform> KeyringStore<P> {
    /// A store that is called `name` to people.
    pub(super) fn new(
        name: &'static str,
        open: impl Fn() -> Result<P> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            open: Arc::new(open),
            start_thread: |work| {
                let thread = thread::Builder::new().name("secure-token".into());
                thread.spawn(work).map(drop)
            },
            jobs: Mutex::default(),
        }
    }

    fn jobs(&self) -> Result<mpsc::Sender<Job<P>>> {
        let mut jobs = lock(&self.jobs);
        if let Some(jobs) = &*jobs {
            return Ok(jobs.clone());
        }
        let (sender, queue) = mpsc::channel();
        let open = self.open.clone();
        (self.start_thread)(Box::new(move || work(queue, &open)))
            .map_err(|error| unavailable(&format!("it has no thread: {error}")))?;
        Ok(jobs.insert(sender).clone())
    }

    /// What `call` to the keyring answers.
    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&P) -> Result<T, keyring_core::Error> + Send + 'static,
    ) -> Result<T> {
        self.run(|platform| call(platform).map_err(|error| P::error(&error)))
            .await
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&P) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stopped = || Error::internal("the thread of the key store has stopped");
        let (answer, answered) = oneshot::channel();
        let job: Job<P> = Box::new(move |platform| {
            // A call whose deadline has passed while it waited must have no effect.
            if !answer.is_closed() {
                // Nobody waits for a late answer.
                drop(answer.send(platform.and_then(call)));
            }
        });
        self.jobs()?.send(job).map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn work<P>(queue: mpsc::Receiver<Job<P>>, open: &Open<P>) {
    let mut platform = None;
    for job in queue {
        // A job that panics drops its sender, which its caller notices.
        let _ = catch_unwind(AssertUnwindSafe(|| job(opened(&mut platform, open))));
    }
}

fn opened<'a, P>(platform: &'a mut Option<P>, open: &Open<P>) -> Result<&'a P> {
    match platform {
        Some(platform) => Ok(platform),
        none => Ok(none.insert(open().map_err(|error| unavailable(error.message()))?)),
    }
}

fn unavailable(reason: &str) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("the key store cannot be opened: {reason}"),
    )
}

/// Ends `turn` on the thread of the store: a call that is still under way, whose deadline has passed,
/// must not write into the turn of another process.
struct Turn<P: 'static> {
    turn: Option<Exclusive>,
    jobs: mpsc::Sender<Job<P>>,
}

impl<P> Drop for Turn<P> {
    fn drop(&mut self) {
        let turn = self.turn.take();
        // Without that thread no call is under way, and the turn ends with the job.
        drop(self.jobs.send(Box::new(move |_| drop(turn))));
    }
}

#[async_trait]
impl<P: Platform> SecretStore for KeyringStore<P> {
    async fn get(&self, item: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let item = item.clone();
        self.ask(move |platform| {
            let secret = platform.entry(&item)?.get_secret();
            present(secret.map(Zeroizing::new))
        })
        .await
    }

    async fn set(&self, item: &Item, bytes: &[u8], _: &Prompts) -> Result<()> {
        let (item, bytes) = (item.clone(), Zeroizing::new(bytes.to_vec()));
        self.ask(move |platform| platform.set(&item, &bytes)).await
    }

    async fn delete(&self, item: &Item, _: &Prompts) -> Result<()> {
        let item = item.clone();
        self.ask(move |platform| {
            let deleted = platform.entry(&item)?.delete_credential();
            present(deleted).map(|_| ())
        })
        .await
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        self.ask(P::items).await
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        loop {
            if let Some(turn) = self.run(P::try_exclusive).await? {
                return Ok(Exclusive::new(Turn {
                    turn: Some(turn),
                    jobs: self.jobs()?,
                }));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }

    async fn info(&self) -> StoreInfo {
        let asked = self.run(|platform| Ok(platform.state())).await;
        let (state, detail) =
            asked.unwrap_or_else(|error| (StoreState::Unavailable, error.message().into()));
        StoreInfo {
            store: self.name.into(),
            persistent: true,
            durable: true,
            hardware: false,
            state,
            detail,
        }
    }

    fn max_len(&self) -> Option<usize> {
        P::MAX_LEN
    }

    fn max_chunks(&self) -> Option<u32> {
        P::MAX_CHUNKS
    }
}

fn present<T>(result: Result<T, keyring_core::Error>) -> Result<Option<T>, keyring_core::Error> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(keyring_core::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;
    use crate::{
        error::ErrorCode, lock_file::LockFile, store::keychain_stand_in::StandIn, token::Account,
    };

    /// A keyring whose calls end when they are told to.
    struct Stuck {
        started: mpsc::Sender<()>,
        go_on: mpsc::Receiver<()>,
        lock: LockFile,
    }

    impl Platform for Stuck {
        const MAX_LEN: Option<usize> = Some(2560);

        fn entry(&self, _: &Item) -> Result<Entry, keyring_core::Error> {
            self.started.send(()).unwrap();
            self.go_on.recv().unwrap();
            Err(keyring_core::Error::NoEntry)
        }

        fn items(&self) -> Result<Vec<Item>, keyring_core::Error> {
            Ok(Vec::new())
        }

        fn try_exclusive(&self) -> Result<Option<Exclusive>> {
            Ok(self.lock.try_lock()?.map(Exclusive::new))
        }

        fn error(_: &keyring_core::Error) -> Error {
            Error::new(ErrorCode::Internal, "a call that was told to end")
        }

        fn state(&self) -> (StoreState, String) {
            unreachable!("no test asks")
        }
    }

    #[tokio::test]
    async fn p2_the_turn_ends_after_a_call_whose_deadline_has_passed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.lock");
        let (started, call_started) = mpsc::channel();
        let (tell, go_on) = mpsc::channel();
        let stuck = Stuck {
            started,
            go_on,
            lock: LockFile::at(path.clone()),
        };
        let stuck = Mutex::new(Some(stuck));
        let store = KeyringStore::new("of a test", move || Ok(lock(&stuck).take().unwrap()));
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());

        let turn = store.exclusive().await.unwrap();
        let mut call = store.set(&item, b"late", &prompts);
        assert!(poll!(&mut call).is_pending());
        call_started.recv().unwrap();
        drop(call);
        drop(turn);
        let other = LockFile::at(path);
        assert!(other.try_lock().unwrap().is_none());
        tell.send(()).unwrap();
        while other.try_lock().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// Every call of `store` fails with `unavailable` and `reason`.
    async fn assert_unavailable(store: &KeyringStore<StandIn>, reason: &str) {
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());
        for result in [
            store.get(&item, &prompts).await.map(drop),
            store.set(&item, b"x", &prompts).await,
            store.delete(&item, &prompts).await,
            store.list(&prompts).await.map(drop),
            store.exclusive().await.map(drop),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unavailable);
            assert!(error.message().contains(reason), "{error}");
        }
        let info = store.info().await;
        assert_eq!(info.state, StoreState::Unavailable);
        assert!(info.detail.contains(reason), "{}", info.detail);
    }

    async fn assert_works(store: &KeyringStore<StandIn>) {
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());
        store.set(&item, b"x", &prompts).await.unwrap();
        let stored = store.get(&item, &prompts).await.unwrap();
        assert_eq!(stored.unwrap().as_slice(), b"x");
        assert_eq!(store.info().await.state, StoreState::Available);
    }

    #[tokio::test]
    async fn p1_a_store_that_cannot_be_opened_is_unavailable_until_it_can() {
        let keychain = Arc::new(Mutex::new(None));
        let opened = keychain.clone();
        let store = KeyringStore::new("of a test", move || {
            let keychain = lock(&opened).clone();
            keychain.ok_or_else(|| Error::internal("no home"))
        });
        assert_unavailable(&store, "no home").await;
        *lock(&keychain) = Some(StandIn::default());
        assert_works(&store).await;
    }

    #[tokio::test]
    async fn p1_a_store_whose_opening_panics_fails_call_by_call() {
        let panics = Arc::new(Mutex::new(true));
        let now = panics.clone();
        let store = KeyringStore::new("of a test", move || {
            assert!(!*lock(&now), "an open that panics");
            Ok(StandIn::default())
        });
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());
        let error = store.get(&item, &prompts).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal);
        *lock(&panics) = false;
        assert_works(&store).await;
    }

    #[tokio::test]
    async fn p1_a_store_whose_thread_cannot_be_started_is_unavailable_until_it_can() {
        let mut store = KeyringStore::new("of a test", || Ok(StandIn::default()));
        let start_thread = store.start_thread;
        store.start_thread = |_| Err(io::Error::from(io::ErrorKind::WouldBlock));
        assert_unavailable(&store, "it has no thread").await;
        store.start_thread = start_thread;
        assert_works(&store).await;
    }
}
