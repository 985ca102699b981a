//! The calls of one account in random orders, in virtual time: many tasks, a store that is slow, fails
//! and answers late, and a history that must be linearizable.
//!
//! `VAULT_ORDERS` sets how many orders are tried, `VAULT_SEED` repeats one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod history;
mod unreliable;

use std::{env, sync::Arc, time::Duration};

use fastrand::Rng;
use tauri::{
    App,
    test::{MockRuntime, mock_builder, mock_context, noop_assets},
};
use tauri_plugin_secure_token::{
    Account, Builder, ErrorCode, Record, SecureToken, SecureTokenExt, Token,
};

use self::{
    history::{History, Outcome},
    unreliable::Unreliable,
};

const TASKS: usize = 12;
const CALLS_PER_TASK: usize = 5;
const DEADLINE: Duration = Duration::from_secs(1);

/// An app over a store of its own, for many orders.
struct World {
    app: App<MockRuntime>,
    store: Arc<Unreliable>,
}

impl World {
    fn new(max_len: Option<usize>, memory_copy: bool) -> Self {
        let store = Arc::new(Unreliable::new(max_len));
        let plugin = Builder::new()
            .store(store.clone())
            .deadline(DEADLINE)
            .memory_copy(memory_copy);
        let mut context = mock_context(noop_assets());
        context.config_mut().identifier = "app.test".into();
        let app = mock_builder().plugin(plugin.build()).build(context);
        Self {
            app: app.unwrap(),
            store,
        }
    }

    fn tokens(&self) -> &SecureToken {
        self.app.secure_token()
    }
}

/// One task: reads, writes and clears, some of them based on what it read.
async fn task(world: &World, account: &Account, history: &History, name: usize, mut random: Rng) {
    let mut last_read = None;
    for call in 0..CALLS_PER_TASK {
        tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
        let condition = last_read.filter(|_| random.u8(0..3) == 0);
        let if_revision = condition.map(|(_, revision)| revision);
        match random.u8(0..10) {
            0..5 => {
                let read = history.begin_read();
                let result = world.tokens().get_token(account).await;
                last_read = history.end_read(read, result).or(last_read);
            }
            5..8 => {
                // Long enough for several chunks in a store with small items.
                let token = format!("{name}-{call}-{}", "x".repeat(random.usize(0..100)));
                let write = history.begin_write(Some(&token), condition);
                let record = Record::new(Token::new(token).unwrap());
                let result = world.tokens().set_token(account, record, if_revision).await;
                history.end_write(write, Outcome::of(result));
            }
            _ => {
                let write = history.begin_write(None, condition);
                let result = world.tokens().clear_token(account, if_revision).await;
                history.end_write(write, Outcome::of(result));
            }
        }
    }
}

/// Returns what is wrong with the history, if anything.
async fn order(world: &World, seed: u64) -> Result<(), String> {
    let mut random = Rng::with_seed(seed);
    let account = Account::new(format!("order-{seed}")).unwrap();
    let history = History::default();
    world.store.begin(random.fork(), random.bool());
    let tasks = (0..TASKS).map(|name| task(world, &account, &history, name, random.fork()));
    futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;

    world.store.heal();
    let read = history.begin_read();
    let result = world.tokens().get_token(&account).await;
    if let Err(error) = &result {
        return Err(format!("the last read failed: {error}"));
    }
    history.end_read(read, result);
    // What was written at the end must be whole for the next start of the app.
    let cleared = world.tokens().clear_token(&account, None).await;
    if cleared.is_err() || world.store.holds(&account) {
        return Err("a clear left something behind".into());
    }
    history.check()
}

/// A write whose first attempt took effect unseen, and whose second one failed and changed nothing.
const ONCE_WRONG: [u64; 2] = [49_699, 79_923];

#[test]
fn p1_p3_every_read_is_at_least_as_new_as_what_was_acknowledged_before_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    tauri::async_runtime::set(runtime.handle().clone());
    let worlds = [
        World::new(None, true),
        World::new(Some(60), true),
        World::new(None, false),
        World::new(Some(60), false),
    ];
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match number("VAULT_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("VAULT_ORDERS").unwrap_or(2_000))
            .chain(ONCE_WRONG)
            .collect(),
    };
    let mut violations = Vec::new();
    for seed in seeds {
        let kind = usize::try_from(seed).unwrap() % worlds.len();
        if let Err(violation) = runtime.block_on(order(&worlds[kind], seed)) {
            violations.push(format!("VAULT_SEED={seed}: {violation}"));
        }
    }
    assert!(
        violations.is_empty(),
        "{} orders went wrong, the first ones:\n{}",
        violations.len(),
        violations[..violations.len().min(5)].join("\n")
    );
}

#[test]
fn errors_that_leave_an_outcome_open_are_told_apart() {
    let failed = |code| Outcome::of(Err(tauri_plugin_secure_token::Error::new(code, "")));
    assert_eq!(failed(ErrorCode::Conflict), Outcome::Nothing);
    assert_eq!(failed(ErrorCode::Timeout), Outcome::Unknown);
}
