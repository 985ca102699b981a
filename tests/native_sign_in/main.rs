//! Signing in, refreshing and signing out by requests that Rust sends: through Tauri's IPC, with mocks of the
//! windows, and a real HTTP server on loopback.
#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod app;
mod hostile;
mod logs;
#[path = "../page/mod.rs"]
mod page;
mod races;
mod refreshes;
mod revokes;
mod server;
mod set_up;
mod sign_in;
