//! Where records rest: the trait that a store implements, and the stores of the platforms.

#[cfg(any(windows, test))]
mod item_name;
#[cfg(any(target_os = "macos", windows, test))]
mod keyring;
#[cfg(any(target_os = "macos", windows, test))]
mod os_status;
#[cfg(any(target_os = "macos", test))]
mod update_or_add;

#[cfg(test)]
pub(crate) mod keychain_stand_in;

#[cfg(target_os = "macos")]
mod apple;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(mobile)]
mod mobile;
#[cfg(windows)]
mod windows;

pub(crate) mod chunked;
#[cfg(any(mobile, test))]
mod failed;
pub mod memory;
#[cfg(any(desktop, test))]
pub(crate) mod renamed;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

pub use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use tauri::{Runtime, plugin::PluginApi};
pub use zeroize::Zeroizing;

#[cfg(target_os = "macos")]
pub use self::apple::MacosKeychain;
#[cfg(target_os = "ios")]
pub use self::mobile::IosAccessibility;
#[cfg(all(target_os = "android", feature = "native"))]
pub(crate) use self::mobile::trusted_roots;
use crate::{error::Result, token::Account};

/// One item of a store: what an account stores, or one chunk of it in a store with small items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Item {
    /// The account that the item belongs to.
    pub account: Account,
    /// Set for a piece of a record that is too long for one item of the store.
    pub chunk: Option<Chunk>,
}

/// Which chunk of a long record an item holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Chunk {
    /// The write that made the chunk; every write of a long record has a generation of its own.
    pub generation: u64,
    /// The position in the record, from 0.
    pub index: u32,
}

impl Chunk {
    /// The chunk at `index` of the record that the write `generation` made.
    #[must_use]
    pub fn new(generation: u64, index: u32) -> Self {
        Self { generation, index }
    }
}

impl Item {
    /// The item that `account` is read from.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self {
            account: account.clone(),
            chunk: None,
        }
    }

    /// The item that holds one chunk of what `account` stores.
    #[must_use]
    pub fn chunk_of(account: &Account, chunk: Chunk) -> Self {
        Self {
            account: account.clone(),
            chunk: Some(chunk),
        }
    }
}

/// The only thing that knows an OS: moves opaque bytes under the app's service name.
///
/// The bytes are one line of ASCII. Implementations return `None` only if the item is known to
/// be absent; a store that is locked, missing or in doubt returns an error. A read never changes
/// anything. A write is all or nothing, and is durable when it is acknowledged, or
/// [`StoreInfo::durable`] says that it is not.
///
/// A write that fails with [`Timeout`], [`Unavailable`] or [`Internal`] may have happened, or may
/// still: the caller reads again. With every other code it has changed nothing.
///
/// The future of a call is dropped at the deadline. It should have no further effect after that;
/// one that has nevertheless must take effect before the next call for the same item does.
///
/// Implement it with [`macro@async_trait`], which this module exports:
///
/// ```
/// use tauri_plugin_secure_token::{
///     ErrorCode, Error, Result,
///     store::{async_trait, Item, Prompts, SecretStore, StoreInfo, StoreState, Zeroizing},
/// };
///
/// /// A device without any store.
/// struct NoStore;
///
/// fn no_store<T>() -> Result<T> {
///     Err(Error::new(ErrorCode::Unavailable, "this device has no key store"))
/// }
///
/// #[async_trait]
/// impl SecretStore for NoStore {
///     async fn get(&self, _: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
///         no_store()
///     }
///     async fn set(&self, _: &Item, _: &[u8], _: &Prompts) -> Result<()> {
///         no_store()
///     }
///     async fn delete(&self, _: &Item, _: &Prompts) -> Result<()> {
///         no_store()
///     }
///     async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
///         no_store()
///     }
///     async fn info(&self) -> StoreInfo {
///         StoreInfo::new("none", StoreState::Unavailable)
///     }
/// }
/// ```
///
/// [`Timeout`]: crate::ErrorCode::Timeout
/// [`Unavailable`]: crate::ErrorCode::Unavailable
/// [`Internal`]: crate::ErrorCode::Internal
#[async_trait]
pub trait SecretStore: Send + Sync + 'static {
    /// What is stored under `item`, or `None` where nothing is.
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>>;

    /// Stores `bytes` under `item`, in the place of what was there.
    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()>;

    /// Removes `item`. Succeeds where there is none.
    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()>;

    /// Every item of this app, in no particular order.
    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>>;

    /// What the store is and how it is now. Never prompts.
    async fn info(&self) -> StoreInfo;

    /// Waits until no other process of the app writes, and keeps them from it until the answer is
    /// dropped. Asked only of a store with a [`max_len`](Self::max_len): there one write takes
    /// several calls. A store that only one process uses need not do anything.
    ///
    /// A call that is still under way when the answer is dropped counts as a part of it.
    async fn exclusive(&self) -> Result<Exclusive> {
        Ok(Exclusive::default())
    }

    /// Whether other processes of the app may change what the store holds. Then they agree on one refresh
    /// and hear of each other's changes, by files in the app's local data folder.
    fn is_shared(&self) -> bool {
        true
    }

    /// The most bytes that one item holds, where there is such a limit.
    fn max_len(&self) -> Option<usize> {
        None
    }

    /// The most pieces that a long record may be cut into, if the store has room for few items. A
    /// longer record is [`TooLarge`](crate::ErrorCode::TooLarge).
    fn max_chunks(&self) -> Option<u32> {
        None
    }
}

/// The turn to write, of which only one process has one at a time; it ends when this is dropped.
#[derive(Default)]
#[must_use = "the turn ends when this is dropped"]
pub struct Exclusive(
    #[expect(dead_code, reason = "kept for its drop")] Option<Box<dyn Send + Sync>>,
);

impl Exclusive {
    /// The turn that ends when `guard` is dropped.
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(guard)))
    }
}

impl std::fmt::Debug for Exclusive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Exclusive")
    }
}

/// What a store is and how it is now, as `store_info` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(mobile, derive(serde::Deserialize))]
#[non_exhaustive]
pub struct StoreInfo {
    /// The name of the store, for people.
    pub store: String,
    /// Whether records outlive the process.
    pub persistent: bool,
    /// Whether an acknowledged write is on the disk already.
    pub durable: bool,
    /// Whether the key that seals the records is kept in hardware.
    pub hardware: bool,
    /// Whether the store answers now.
    pub state: StoreState,
    /// What else a person should know, such as the remedy where the state is not available; may be
    /// empty.
    pub detail: String,
}

impl StoreInfo {
    /// A store that people know as `store`. Whether it is persistent, durable or in hardware is
    /// `false`, and the detail empty, until set.
    #[must_use]
    pub fn new(store: impl Into<String>, state: StoreState) -> Self {
        Self {
            store: store.into(),
            persistent: false,
            durable: false,
            hardware: false,
            state,
            detail: String::new(),
        }
    }
}

/// Whether a store answers now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(mobile, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreState {
    /// It reads and writes.
    Available,
    /// It waits to be unlocked; the next call may show a prompt.
    Locked,
    /// It is not there.
    Unavailable,
}

/// Counts the unlock prompts that are open.
///
/// A store that waits for a person does it inside [`waiting`](Self::waiting). That is how a deadline
/// that passes becomes `locked` (nobody answered the prompt) and not `timeout` (the store did not
/// answer).
#[derive(Debug, Default)]
pub struct Prompts {
    open: AtomicUsize,
    /// What these are a part of; it counts them too.
    whole: Option<Arc<Prompts>>,
}

impl Prompts {
    /// Waits for `response`, which depends on a person.
    pub async fn waiting<T>(&self, response: impl Future<Output = T> + Send) -> T {
        struct Open<'a>(&'a Prompts);
        impl Drop for Open<'_> {
            fn drop(&mut self) {
                self.0.each(|open| open.fetch_sub(1, Ordering::SeqCst));
            }
        }
        self.each(|open| open.fetch_add(1, Ordering::SeqCst));
        let _open = Open(self);
        response.await
    }

    /// Counts the prompts of some calls, which count among these too.
    pub(crate) fn part(self: &Arc<Self>) -> Self {
        Self {
            open: AtomicUsize::default(),
            whole: Some(self.clone()),
        }
    }

    pub(crate) fn any_open(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }

    fn each(&self, change: impl Fn(&AtomicUsize) -> usize) {
        change(&self.open);
        if let Some(whole) = &self.whole {
            change(&whole.open);
        }
    }
}

/// The options of the platform's store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    #[cfg(target_os = "macos")]
    pub(crate) keychain: MacosKeychain,
    #[cfg(mobile)]
    pub(crate) shim: mobile::Options,
}

/// The store of this platform for `service`, the identifier of the app.
///
/// A store that cannot be opened now is no error: its calls are `unavailable`, and the app starts.
///
/// # Errors
///
/// `misconfigured`: a fault of the build, such as a missing shim.
#[cfg_attr(
    desktop,
    expect(clippy::unnecessary_wraps, reason = "it can fail on mobile")
)]
#[cfg_attr(
    desktop,
    expect(unused_variables, reason = "no desktop needs all of them")
)]
pub(crate) fn open<R: Runtime, C: DeserializeOwned>(
    service: &str,
    api: &PluginApi<R, C>,
    options: &Options,
) -> Result<Arc<dyn SecretStore>> {
    #[cfg(target_os = "linux")]
    let store = linux::open(service);
    #[cfg(target_os = "macos")]
    let store = Arc::new(apple::open(service, options.keychain));
    #[cfg(windows)]
    let store = Arc::new(windows::open(service, api));
    #[cfg(mobile)]
    let store = match mobile::open(service, api, &options.shim) {
        Ok(store) => Arc::new(store),
        Err(error) => return failed::in_place_of(error),
    };
    Ok(store)
}
