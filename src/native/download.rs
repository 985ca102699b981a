//! The body of a response: read when the page asks for more, so that a slow page slows the server down.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use tauri::http::header::CONTENT_TYPE;
use tokio::time::timeout;

use super::{echo::Echo, fault::failed};
use crate::error::{Error, ErrorCode, Result};

/// The body of a response, without what the echo filter holds back.
pub(crate) struct Download {
    response: Option<reqwest::Response>,
    echo: Echo,
    ready: VecDeque<Bytes>,
    ready_len: usize,
    idle: Option<Duration>,
}

impl Download {
    /// The body of `response`. Of a server that sends nothing for `idle` it is believed that it hangs.
    ///
    /// Not of one that sends events: it may have nothing to tell for hours, and the page knows best how often it should
    /// hear. Such a body ends with its page, or by an abort.
    pub(super) fn new(response: reqwest::Response, echo: Echo, idle: Duration) -> Self {
        let content_type = response.headers().get(CONTENT_TYPE);
        let is_events = content_type.is_some_and(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            value.trim_ascii_start().starts_with(b"text/event-stream")
        });
        Self {
            response: Some(response),
            echo,
            ready: VecDeque::new(),
            ready_len: 0,
            idle: (!is_events).then_some(idle),
        }
    }

    /// Whether everything has been taken.
    pub(crate) fn has_ended(&self) -> bool {
        self.response.is_none() && self.ready.is_empty()
    }

    /// How many bytes the server has said that there are, unless they are compressed.
    pub(super) fn announced(&self) -> Option<u64> {
        self.response
            .as_ref()
            .and_then(reqwest::Response::content_length)
    }

    /// Reads until there are `max` bytes, or the body ends, or nothing comes for `patience`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(super) async fn read_ahead(&mut self, max: usize, patience: Duration) -> Result<()> {
        let all = async {
            while self.ready_len < max && self.response.is_some() {
                self.wait().await?;
            }
            Ok(())
        };
        timeout(patience, all).await.unwrap_or(Ok(()))
    }

    /// Resolves with the next bytes, at most `max`: as many as are there, and at least one unless the body has ended.
    ///
    /// # Errors
    ///
    /// - `forbidden`: there is a token of the session in the body;
    /// - `timeout`: the server has sent nothing for too long;
    /// - `unavailable`: the body broke off.
    pub(crate) async fn read(&mut self, max: usize) -> Result<Vec<Bytes>> {
        while self.ready.is_empty() && self.response.is_some() {
            self.wait().await?;
        }
        self.take_what_is_there(max)?;
        Ok(self.take(max))
    }

    /// Reads what has arrived, without waiting for more.
    pub(super) fn take_what_is_there(&mut self, max: usize) -> Result<()> {
        while self.ready_len < max
            && let Some(response) = &mut self.response
        {
            match response.chunk().now_or_never() {
                Some(chunk) => self.took(chunk)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Takes at most `max` bytes of what was read.
    pub(super) fn take(&mut self, max: usize) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let mut left = max;
        while left > 0
            && let Some(mut chunk) = self.ready.pop_front()
        {
            if chunk.len() > left {
                self.ready.push_front(chunk.split_off(left));
            }
            left -= chunk.len();
            self.ready_len -= chunk.len();
            taken.push(chunk);
        }
        taken
    }

    async fn wait(&mut self) -> Result<()> {
        let Some(response) = &mut self.response else {
            return Ok(());
        };
        let chunk = match self.idle {
            Some(idle) => timeout(idle, response.chunk()).await.map_err(|_| {
                Error::new(
                    ErrorCode::Timeout,
                    "the server has stopped in the middle of the body",
                )
            })?,
            None => response.chunk().await,
        };
        self.took(chunk)
    }

    fn took(&mut self, chunk: reqwest::Result<Option<Bytes>>) -> Result<()> {
        let chunk = chunk.map_err(|error| failed(&error))?;
        let passed = if let Some(chunk) = chunk {
            self.echo.pass(chunk)?
        } else {
            self.response = None;
            self.echo.end()
        };
        if !passed.is_empty() {
            self.ready_len += passed.len();
            self.ready.push_back(passed);
        }
        Ok(())
    }
}
