//! A process with the plugin in it, told what to do over its standard input.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tauri::test::{mock_builder, mock_context, noop_assets};
use tauri_plugin_secure_token::{
    Account, Builder, Record, Result, SecureToken, SecureTokenExt, StoredRecord, Token,
};

/// Set in a worker: the deadline in milliseconds.
pub const ENV: &str = "SECURE_TOKEN_TEST_WORKER";

/// Set in a worker: the identifier of its app.
const SERVICE: &str = "SECURE_TOKEN_TEST_SERVICE";

/// Set in a worker whose app had another identifier before.
pub const EARLIER: &str = "SECURE_TOKEN_TEST_EARLIER_SERVICE";

/// Marks the answers among what the test harness prints.
const ANSWER: &str = "answer: ";

/// Of the tokens that are written at once: more than one item of Windows holds.
const LENGTH: usize = 6000;

pub struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// A worker with the app that is named `service`. `command` runs this same test program, which
    /// starts for its test `worker` alone.
    pub fn of(service: &str, mut command: Command, milliseconds: u64) -> Self {
        let mut process = command
            .args(["--exact", "worker", "--nocapture"])
            .env(ENV, milliseconds.to_string())
            .env(SERVICE, service)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    pub fn ask(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    pub fn answer(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.answers.read_line(&mut line).unwrap(),
                0,
                "the worker ended"
            );
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }

    pub fn call(&mut self, order: &Value) -> Value {
        self.ask(order);
        self.answer()
    }

    pub fn get(&mut self, account: &str) -> Value {
        self.call(&json!({ "op": "get", "account": account }))
    }

    pub fn set(&mut self, account: &str, token: &str) -> Value {
        self.call(&json!({ "op": "set", "account": account, "token": token }))
    }

    pub fn clear(&mut self, account: &str) -> Value {
        self.call(&json!({ "op": "clear", "account": account }))
    }

    pub fn list(&mut self) -> Value {
        self.call(&json!({ "op": "list" }))
    }

    pub fn info(&mut self) -> Value {
        self.call(&json!({ "op": "info" }))
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a worker process does: one order a line, one answer a line. `other` obeys the orders that only
/// one platform has.
pub fn run(other: impl Fn(&Value) -> Value) {
    let deadline = std::env::var(ENV).unwrap().parse().unwrap();
    let mut context = mock_context(noop_assets());
    context.config_mut().identifier = std::env::var(SERVICE).unwrap();
    let mut plugin = Builder::new()
        .deadline(Duration::from_millis(deadline))
        .memory_copy(false);
    if let Ok(earlier) = std::env::var(EARLIER) {
        plugin = plugin.earlier_identifier(earlier);
    }
    let app = mock_builder()
        .plugin(plugin.build())
        .build(context)
        .unwrap();
    for line in std::io::stdin().lines() {
        let order: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = tauri::async_runtime::block_on(obey(app.secure_token(), &order, &other));
        println!("{ANSWER}{}", answer.unwrap_or_else(|error| json!(error)));
    }
}

async fn obey(
    tokens: &SecureToken,
    order: &Value,
    other: &impl Fn(&Value) -> Value,
) -> Result<Value> {
    let account = || Account::new(order["account"].as_str().unwrap()).unwrap();
    let number = |name: &str| order[name].as_u64().unwrap();
    match order["op"].as_str().unwrap() {
        "get" => Ok(match tokens.get_token(&account()).await? {
            Some(stored) => json!({ "token": stored.record.token.expose() }),
            None => Value::Null,
        }),
        "set" => {
            let token = Token::new(order["token"].as_str().unwrap())?;
            let revision = tokens
                .set_token(&account(), Record::new(token), None)
                .await?;
            Ok(json!({ "revision": revision }))
        }
        "clear" => {
            let revision = tokens.clear_token(&account(), None).await?;
            Ok(json!({ "revision": revision }))
        }
        "list" => {
            let accounts = tokens.list_accounts().await?;
            Ok(accounts.iter().map(Account::as_str).collect())
        }
        "info" => Ok(json!(tokens.store_info().await?)),
        "write" => all_threads(number("threads"), |thread| {
            write(tokens, number("writer"), thread, number("rounds"))
        }),
        "write-and-clear" => all_threads(number("threads"), |thread| {
            write_and_clear(tokens, number("writer"), thread, number("rounds"))
        }),
        "write-until-killed" => write_until_killed(tokens).await,
        _ => Ok(other(order)),
    }
}

fn all_threads(threads: u64, work: impl Fn(u64) -> Result<()> + Sync) -> Result<Value> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        for thread in running {
            thread.join().unwrap()?;
        }
        Ok(json!("ok"))
    })
}

fn read(tokens: &SecureToken) -> Result<Option<StoredRecord>> {
    tauri::async_runtime::block_on(tokens.get_token(&Account::default()))
}

fn store(tokens: &SecureToken, token: String) -> Result<u64> {
    let record = Record::new(Token::new(token)?);
    tauri::async_runtime::block_on(tokens.set_token(&Account::default(), record, None))
}

/// Writes numbered tokens. No reader may see the writes of one writer run backwards.
fn write(tokens: &SecureToken, writer: u64, thread: u64, rounds: u64) -> Result<()> {
    let mut newest = std::collections::HashMap::new();
    for round in 0..rounds {
        let own = format!("{writer}-{thread}");
        store(tokens, format!("{own}.{round}.{}", "x".repeat(LENGTH)))?;
        newest.insert(own, round);
        let stored = read(tokens)?.expect("something is always stored");
        let seen: Vec<_> = stored.record.token.expose().splitn(3, '.').collect();
        assert_eq!(seen[2].len(), LENGTH, "torn");
        let round: u64 = seen[1].parse().unwrap();
        let before = newest.insert(seen[0].to_owned(), round);
        assert!(before <= Some(round), "an acknowledged write was lost");
    }
    Ok(())
}

/// Writes and clears in turn: every call succeeds, and every record that is read is whole.
fn write_and_clear(tokens: &SecureToken, writer: u64, thread: u64, rounds: u64) -> Result<()> {
    for round in 0..rounds {
        store(
            tokens,
            format!("{writer}-{thread}.{round}.{}", "x".repeat(LENGTH)),
        )?;
        read(tokens)?;
        if round % 3 == 2 {
            tauri::async_runtime::block_on(tokens.clear_token(&Account::default(), None))?;
        }
    }
    Ok(())
}

async fn write_until_killed(tokens: &SecureToken) -> Result<Value> {
    let mut told = false;
    loop {
        for length in [64, 100_000] {
            let record = Record::new(Token::new("x".repeat(length))?);
            tokens.set_token(&Account::default(), record, None).await?;
        }
        if !told {
            println!("{ANSWER}null");
            told = true;
        }
    }
}
