//! Several processes of one app, each a real one with four windows, over one store and one server.
//!
//! `PROCESS_GENERATIONS` and `PROCESS_KILLS` set how often the long ones are repeated.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may panic, and a worker answers on its standard output"
)]

mod app;
mod bad_files;
mod changes;
mod killed;
mod one_refresh;
#[path = "../page/mod.rs"]
mod page;
mod server;
mod store;
mod worker;

use std::env;

/// How often a test repeats itself: as the variable `name` says.
fn times(name: &str, otherwise: u32) -> u32 {
    env::var(name).map_or(otherwise, |times| times.parse().unwrap())
}

/// Not a test but the worker processes of the tests.
#[test]
fn worker() {
    if let Ok(address) = env::var(worker::ADDRESS) {
        app::run(&address);
    }
}
