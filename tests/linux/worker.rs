//! The workers of the private sessions, and what the keyring crate sees there.

#[path = "../worker/mod.rs"]
mod shared;

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use self::shared::EARLIER;
pub use self::shared::{ENV, Worker};
use crate::session::{SERVICE, Session};

impl Worker {
    pub fn start(session: &Session) -> Self {
        Self::with_deadline(session, 60_000)
    }

    pub fn with_deadline(session: &Session, milliseconds: u64) -> Self {
        let program = std::env::current_exe().unwrap();
        Self::spawn(&program, session.env(), milliseconds)
    }

    /// A worker of the same app under a new identifier.
    pub fn renamed(session: &Session, earlier: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env_clear().envs(session.env());
        command.envs(earlier.map(|earlier| (EARLIER, earlier)));
        Self::of("app.renamed", command, 60_000)
    }

    /// `program` is this one, in the place that it was put.
    pub fn spawn(
        program: &Path,
        env: impl IntoIterator<Item = (&'static str, String)>,
        milliseconds: u64,
    ) -> Self {
        Self::run(Command::new(program), env, milliseconds)
    }

    /// `command` is a program with arguments that runs this one.
    pub fn run(
        mut command: Command,
        env: impl IntoIterator<Item = (&'static str, String)>,
        milliseconds: u64,
    ) -> Self {
        command.env_clear().envs(env);
        Self::of(SERVICE, command, milliseconds)
    }

    pub fn keyring_set(&mut self, account: &str, password: &str) {
        self.call(&json!({ "op": "keyring-set", "account": account, "password": password }));
    }

    pub fn keyring_get(&mut self, account: &str) -> Value {
        self.call(&json!({ "op": "keyring-get", "account": account }))
    }
}

pub fn run() {
    shared::run(|order| {
        let account = order["account"].as_str().unwrap();
        let entry = keyring::Entry::new(SERVICE, account).unwrap();
        match order["op"].as_str().unwrap() {
            "keyring-set" => {
                let password = order["password"].as_str().unwrap();
                entry.set_password(password).unwrap();
                Value::Null
            }
            "keyring-get" => json!(entry.get_password().unwrap()),
            other => panic!("unknown order {other}"),
        }
    });
}
