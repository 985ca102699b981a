//! macOS and Windows: a store of the keyring family, on a thread of its own.
//!
//! Its calls block, on macOS for as long as a dialog is open. On a runtime's own threads that would
//! keep the app from ending; one thread also keeps the calls in order.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use async_trait::async_trait;
use keyring_core::Entry;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Exclusive, Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::{Error, Result};

/// What differs between the platforms.
pub(super) trait Platform: Send + 'static {
    /// The most bytes that one item holds, where there is such a limit.
    const MAX_LEN: Option<usize>;

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

    /// What an error means to the caller.
    fn error(error: &keyring_core::Error) -> Error;

    /// How the store is now, and what else a person should know. Never prompts.
    fn state(&self) -> (StoreState, String);
}

/// Until another process is asked again whether it has written.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

type Job<P> = Box<dyn FnOnce(&P) + Send>;

/// A store of the keyring family.
pub(super) struct KeyringStore<P> {
    name: &'static str,
    jobs: mpsc::Sender<Job<P>>,
}

impl<P: Platform> KeyringStore<P> {
    /// A store that is called `name` to people.
    pub(super) fn new(name: &'static str, platform: P) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job<P>>();
        thread::Builder::new()
            .name("secure-token".into())
            .spawn(move || {
                for job in queue {
                    // A job that panics drops its answer, which its caller notices.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&platform)));
                }
            })
            .map_err(|error| Error::internal(format!("no thread for the key store: {error}")))?;
        Ok(Self { name, jobs })
    }

    /// What `call` to the keyring answers.
    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&P) -> Result<T, keyring_core::Error> + Send + 'static,
    ) -> Result<T> {
        self.run(|platform| call(platform).map_err(|error| P::error(&error)))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&P) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stopped = || Error::internal("the thread of the key store has stopped");
        let (answer, answered) = oneshot::channel();
        let job: Job<P> = Box::new(move |platform| {
            // A call whose deadline has passed while it waited must have no effect.
            if !answer.is_closed() {
                // Nobody waits for a late answer.
                drop(answer.send(call(platform)));
            }
        });
        self.jobs.send(job).map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
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
                    jobs: self.jobs.clone(),
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
    use crate::{Account, ErrorCode, store::lock_file::LockFile};

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
            self.lock.try_lock()
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
        let (started, call_started) = mpsc::channel();
        let (tell, go_on) = mpsc::channel();
        let lock = LockFile::in_folder(folder.path());
        let stuck = Stuck {
            started,
            go_on,
            lock,
        };
        let store = KeyringStore::new("of a test", stuck).unwrap();
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());

        let turn = store.exclusive().await.unwrap();
        let mut call = store.set(&item, b"late", &prompts);
        assert!(poll!(&mut call).is_pending());
        call_started.recv().unwrap();
        drop(call);
        drop(turn);
        let other = LockFile::in_folder(folder.path());
        assert!(other.try_lock().unwrap().is_none());
        tell.send(()).unwrap();
        while other.try_lock().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }
}
