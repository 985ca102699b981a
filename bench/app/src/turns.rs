//! Two things that are measured in turn.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tauri::async_runtime::{block_on, spawn};
use tauri_plugin_secure_token::Error;

use crate::raw::Failure;

/// Pairs of milliseconds, ours first. Each goes first in every other round; the first round only warms up.
pub(crate) fn in_turn(
    rounds: usize,
    ours: impl Fn(usize) -> Result<Duration, Failure>,
    base: impl Fn(usize) -> Result<Duration, Failure>,
) -> Result<Vec<(f64, f64)>, Failure> {
    let mut pairs = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let pair = if round % 2 == 0 {
            let ours = ours(round)?;
            (ours, base(round)?)
        } else {
            let base = base(round)?;
            (ours(round)?, base)
        };
        pairs.push((milliseconds(pair.0), milliseconds(pair.1)));
    }
    Ok(pairs.split_off(1))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(crate) fn timed<E: Into<Failure>>(
    work: impl FnOnce() -> Result<(), E>,
) -> Result<Duration, Failure> {
    let started = Instant::now();
    work().map_err(Into::into)?;
    Ok(started.elapsed())
}

/// What `work` returns, and how long it takes on the threads where a command runs.
pub(crate) fn timed_in_runtime<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<(T, Duration), Failure> {
    let timed = block_on(spawn(async move {
        let started = Instant::now();
        let result = work.await?;
        Ok::<_, Error>((result, started.elapsed()))
    }));
    Ok(timed??)
}
