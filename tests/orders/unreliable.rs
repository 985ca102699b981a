//! Stands in for a key store at its worst: slow, failing before or after the effect of a call, silent,
//! and late.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use tauri_plugin_secure_token::{
    Account, Error, ErrorCode, Result,
    store::{Exclusive, Item, Prompts, SecretStore, StoreInfo, StoreState, Zeroizing, async_trait},
};

type Items = HashMap<Item, Vec<u8>>;

struct Change {
    item: Item,
    /// `None` removes the item.
    bytes: Option<Vec<u8>>,
}

#[derive(Default)]
struct State {
    items: Items,
    /// A write whose caller has given up. It lands before the next write begins.
    late: Option<Change>,
    random: Rng,
    fails: bool,
}

pub(crate) struct Unreliable {
    state: Mutex<State>,
    turn: Arc<tokio::sync::Mutex<()>>,
    max_len: Option<usize>,
}

enum Fault {
    None,
    /// Fails and changes nothing.
    Locked,
    /// Fails; a write may have happened.
    GoneBefore,
    GoneAfter,
    /// Never answers; a write does not happen, happens, or happens later.
    Silent,
    SilentAfter,
    Late,
}

impl Unreliable {
    pub(crate) fn new(max_len: Option<usize>) -> Self {
        Self {
            state: Mutex::default(),
            turn: Arc::default(),
            max_len,
        }
    }

    /// Begins an order, in which calls fail if `fails`.
    pub(crate) fn begin(&self, random: Rng, fails: bool) {
        let mut state = self.state.lock().unwrap();
        state.random = random;
        state.fails = fails;
    }

    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().fails = false;
    }

    pub(crate) fn holds(&self, account: &Account) -> bool {
        let state = self.state.lock().unwrap();
        state.items.keys().any(|item| item.account == *account)
    }

    /// Takes its time, then says what goes wrong.
    async fn fault(&self) -> Fault {
        let (delay, fault) = {
            let state = &mut *self.state.lock().unwrap();
            let delay = state.random.u64(0..30);
            let fault = match state.random.u8(0..60) {
                0 if state.fails => Fault::Locked,
                1 if state.fails => Fault::GoneBefore,
                2 if state.fails => Fault::GoneAfter,
                3 if state.fails => Fault::Silent,
                4 if state.fails => Fault::SilentAfter,
                5 if state.fails => Fault::Late,
                _ => Fault::None,
            };
            (delay, fault)
        };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        fault
    }

    async fn read<T>(&self, look: impl Fn(&Items) -> T) -> Result<T> {
        match self.fault().await {
            Fault::Locked => Err(locked()),
            Fault::GoneBefore | Fault::GoneAfter => Err(gone()),
            Fault::Silent | Fault::SilentAfter => pending().await,
            Fault::Late => {
                // What was late can land before this or after it.
                self.land();
                Ok(look(&self.state.lock().unwrap().items))
            }
            Fault::None => Ok(look(&self.state.lock().unwrap().items)),
        }
    }

    async fn write(&self, change: Change) -> Result<()> {
        self.land();
        let fault = self.fault().await;
        match fault {
            Fault::Locked => return Err(locked()),
            Fault::GoneBefore => return Err(gone()),
            Fault::Silent => return pending().await,
            Fault::Late => {
                self.state.lock().unwrap().late = Some(change);
                return pending().await;
            }
            _ => self.apply(change),
        }
        match fault {
            Fault::GoneAfter => Err(gone()),
            Fault::SilentAfter => pending().await,
            _ => Ok(()),
        }
    }

    fn apply(&self, change: Change) {
        let items = &mut self.state.lock().unwrap().items;
        match change.bytes {
            Some(bytes) => items.insert(change.item, bytes),
            None => items.remove(&change.item),
        };
    }

    fn land(&self) {
        let late = self.state.lock().unwrap().late.take();
        if let Some(change) = late {
            self.apply(change);
        }
    }
}

fn locked() -> Error {
    Error::new(ErrorCode::Locked, "a prompt that was dismissed")
}

fn gone() -> Error {
    Error::new(ErrorCode::Unavailable, "a provider that has ended")
}

#[async_trait]
impl SecretStore for Unreliable {
    async fn get(&self, item: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.read(|items| items.get(item).cloned().map(Zeroizing::new))
            .await
    }

    async fn set(&self, item: &Item, bytes: &[u8], _: &Prompts) -> Result<()> {
        let (item, bytes) = (item.clone(), Some(bytes.to_vec()));
        self.write(Change { item, bytes }).await
    }

    async fn delete(&self, item: &Item, _: &Prompts) -> Result<()> {
        let item = item.clone();
        self.write(Change { item, bytes: None }).await
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        self.land();
        self.read(|items| items.keys().cloned().collect()).await
    }

    async fn info(&self) -> StoreInfo {
        StoreInfo::new("unreliable", StoreState::Available)
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        let turn = self.turn.clone().lock_owned().await;
        self.land();
        Ok(Exclusive::new(turn))
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn max_len(&self) -> Option<usize> {
        self.max_len
    }
}
