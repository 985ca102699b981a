//! The time by which a call ends.

use std::{future::Future, pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

use crate::{
    error::{Error, ErrorCode, Result},
    store::Prompts,
};

/// The time by which a call ends, counted from when it was asked for.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    asked_at: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn start(limit: Duration) -> Self {
        Self {
            asked_at: Instant::now(),
            limit,
        }
    }

    /// The time that is left.
    pub(super) fn left(self) -> Duration {
        self.limit.saturating_sub(self.asked_at.elapsed())
    }

    /// The output of `call`. At the deadline `call` is dropped, and with it its late output.
    ///
    /// # Errors
    ///
    /// `locked` if the deadline has passed and one of `prompts` is open, else `timeout`.
    pub(super) async fn limit<T>(
        self,
        call: impl Future<Output = T>,
        prompts: &Prompts,
    ) -> Result<T> {
        let mut call = pin!(timeout(self.left(), call));
        match call.as_mut().await {
            Ok(output) => Ok(output),
            // `call` is not dropped yet, so that its own prompt still counts.
            Err(_) if prompts.any_open() => Err(Error::new(
                ErrorCode::Locked,
                "the unlock prompt was not answered in time",
            )),
            Err(_) => Err(Error::new(
                ErrorCode::Timeout,
                "the store did not answer within the deadline",
            )),
        }
    }
}
