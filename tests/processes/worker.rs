//! A process of the app, as its test sees it.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::server::{Server, refresh_token, token};

pub const IDENTIFIER: &str = "app.test";

/// Set in a worker: the address of its server, the folder of its store, who refreshes, whether it logs.
pub const ADDRESS: &str = "SECURE_TOKEN_TEST_SERVER";
pub const FOLDER: &str = "SECURE_TOKEN_TEST_STORE";
pub const REFRESHER: &str = "SECURE_TOKEN_TEST_REFRESHER";
pub const LOGS: &str = "SECURE_TOKEN_TEST_LOGS";

/// Marks what a worker tells among what the test harness prints.
pub const ANSWER: &str = "answer: ";

/// Who carries refreshes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    Page,
    Rust,
}

/// The user's folders, which all processes of the app share.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The app's local data folder.
    pub fn local_data(&self) -> PathBuf {
        self.data_home().join(IDENTIFIER)
    }

    fn data_home(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn start(&self, server: &Server, refresher: Refresher) -> Worker {
        let log = self.0.path().join("log");
        let log = File::options().create(true).append(true).open(log);
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "worker", "--nocapture"])
            .env("XDG_DATA_HOME", self.data_home())
            .env(ADDRESS, server.address.to_string())
            .env(FOLDER, self.0.path().join("store"))
            .env(LOGS, "yes")
            .env(
                REFRESHER,
                match refresher {
                    Refresher::Page => "page",
                    Refresher::Rust => "rust",
                },
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        Worker {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// What all workers have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.0.path().join("log")).unwrap()
    }
}

pub struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    pub fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    pub fn answer(&mut self) -> Value {
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the worker has ended");
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return serde_json::from_str(answer).unwrap();
            }
        }
    }

    pub fn call(&mut self, order: &Value) -> Value {
        self.order(order);
        self.answer()
    }

    /// Signs in as a family of the server that has just begun.
    pub fn sign_in(&mut self, family: u32) -> Value {
        let tokens = json!({ "token": token(family, 0), "refreshToken": refresh_token(family, 0) });
        self.call(&json!({ "op": "sign in", "tokens": tokens }))
    }

    pub fn sign_out(&mut self) -> Value {
        self.call(&json!({ "op": "sign out" }))
    }

    /// What a page gets that wants a valid token.
    pub fn fresh(&mut self) -> Value {
        self.call(&json!({ "op": "lease", "args": { "fresh": true } }))
    }

    /// What a page gets whose request was refused.
    pub fn instead_of(&mut self, rejected: &str) -> Value {
        let args = json!({ "rejected": rejected, "accepted": true });
        self.call(&json!({ "op": "lease", "args": args }))
    }

    /// As [`instead_of`](Self::instead_of); the answer comes later.
    pub fn begin_instead_of(&mut self, rejected: &str) {
        let args = json!({ "rejected": rejected, "accepted": true });
        self.order(&json!({ "op": "lease later", "args": args }));
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
