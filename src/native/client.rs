//! The client that sends all requests of the app: one pool of connections, made at its first use.

use std::sync::{Arc, OnceLock};

use reqwest::{Url, redirect, retry};

use crate::error::{Error, ErrorCode, Result};

/// Sends requests. Clones share one pool.
#[derive(Clone, Default)]
pub(crate) struct Client(Arc<OnceLock<reqwest::Client>>);

impl Client {
    /// The client for a request to `url`. It follows no redirect, since the next server must not get what was
    /// meant for this one, and repeats no request, since a refresh token must not be used twice.
    ///
    /// # Errors
    ///
    /// `misconfigured`: TLS cannot be set up on this platform.
    pub(crate) fn to(&self, _url: &Url) -> Result<reqwest::Client> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // It fails only if another thread was faster.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let made = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .build()
            .map_err(|_| {
                Error::new(
                    ErrorCode::Misconfigured,
                    "the HTTP client could not be set up",
                )
            })?;
        Ok(self.0.get_or_init(|| made).clone())
    }
}
