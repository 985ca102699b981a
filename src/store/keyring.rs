//! macOS and Windows: a store of the keyring family, on a thread of its own.
//!
//! Its calls block, on macOS for as long as a dialog is open. On a runtime's own threads that would
//! keep the app from ending; one thread also keeps the calls in order.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
};

use async_trait::async_trait;
use keyring_core::Entry;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Item, Prompts, SecretStore, StoreInfo, StoreState};
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

    /// What an error means to the caller.
    fn error(error: &keyring_core::Error) -> Error;

    /// How the store is now, and what else a person should know. Never prompts.
    fn state(&self) -> (StoreState, String);
}

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

    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&P) -> Result<T, keyring_core::Error> + Send + 'static,
    ) -> Result<T> {
        let stopped = || Error::internal("the thread of the key store has stopped");
        let (answer, answered) = oneshot::channel();
        let job: Job<P> = Box::new(move |platform| {
            // A call whose deadline has passed while it waited must have no effect.
            if !answer.is_closed() {
                let result = call(platform).map_err(|error| P::error(&error));
                // Nobody waits for a late answer.
                drop(answer.send(result));
            }
        });
        self.jobs.send(job).map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

#[async_trait]
impl<P: Platform> SecretStore for KeyringStore<P> {
    async fn get(&self, item: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let item = item.clone();
        self.run(move |platform| {
            let secret = platform.entry(&item)?.get_secret();
            present(secret.map(Zeroizing::new))
        })
        .await
    }

    async fn set(&self, item: &Item, bytes: &[u8], _: &Prompts) -> Result<()> {
        let (item, bytes) = (item.clone(), Zeroizing::new(bytes.to_vec()));
        self.run(move |platform| platform.set(&item, &bytes)).await
    }

    async fn delete(&self, item: &Item, _: &Prompts) -> Result<()> {
        let item = item.clone();
        self.run(move |platform| {
            let deleted = platform.entry(&item)?.delete_credential();
            present(deleted).map(|_| ())
        })
        .await
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        self.run(P::items).await
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
