//! The client that sends all requests of the app: one pool of connections, made at its first use.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{redirect, retry};
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier, client::WantsClientCert};
#[cfg(any(target_os = "android", test))]
use rustls::{RootCertStore, pki_types::CertificateDer};
use tauri::{AppHandle, Runtime, Url};

use super::headers;
use crate::error::{Error, ErrorCode, Result};

/// Until there is a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(30);

/// A connection of HTTP/2 that was cut without a word, as by a change of the network, is noticed after these two
/// together. Only asked while a request is under way.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_ANSWERED: Duration = Duration::from_secs(10);

/// Sends requests. Clones share one pool.
#[derive(Clone)]
pub(crate) struct Client(Arc<Clients>);

struct Clients {
    remote: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    roots: Roots,
}

/// Whom TLS trusts: in each case certificates that a company or the user has added, too.
enum Roots {
    /// Whom the platform's verifier trusts. It panics on Android in an app that has not set it up.
    #[cfg(not(target_os = "android"))]
    Platform,
    /// Certificates as DER, listed when the first request goes out.
    #[cfg(any(target_os = "android", test))]
    Listed(Box<dyn Fn() -> Result<Vec<Vec<u8>>> + Send + Sync>),
}

impl Client {
    /// The client of `app`.
    #[cfg(not(target_os = "android"))]
    pub(crate) fn of<R: Runtime>(_: &AppHandle<R>) -> Self {
        Self::with(Roots::Platform)
    }

    /// The client of `app`.
    #[cfg(target_os = "android")]
    pub(crate) fn of<R: Runtime>(app: &AppHandle<R>) -> Self {
        let app = app.clone();
        let listed = move || crate::store::trusted_roots(&app);
        Self::with(Roots::Listed(Box::new(listed)))
    }

    /// Trusts `roots` and nobody else.
    #[cfg(test)]
    pub(super) fn trusting(roots: Vec<CertificateDer<'static>>) -> Self {
        let listed = move || Ok(roots.iter().map(|root| root.to_vec()).collect());
        Self::with(Roots::Listed(Box::new(listed)))
    }

    /// Trusts whom the platform trusts.
    #[cfg(test)]
    pub(crate) fn of_platform() -> Self {
        Self::with(Roots::Platform)
    }

    fn with(roots: Roots) -> Self {
        Self(Arc::new(Clients {
            remote: OnceLock::new(),
            loopback: OnceLock::new(),
            roots,
        }))
    }

    /// The client for a request to `url`.
    ///
    /// Requests to this computer have one of their own, which knows no proxy: a proxy of the system would get
    /// the bearer in the clear, and could not reach the server anyway.
    ///
    /// # Errors
    ///
    /// `misconfigured`: TLS cannot be set up on this platform.
    pub(crate) fn to(&self, url: &Url) -> Result<reqwest::Client> {
        let is_loopback = is_loopback(url);
        let client = if is_loopback {
            &self.0.loopback
        } else {
            &self.0.remote
        };
        if let Some(client) = client.get() {
            return Ok(client.clone());
        }
        let made = self.make(is_loopback)?;
        Ok(client.get_or_init(|| made).clone())
    }

    fn make(&self, is_loopback: bool) -> Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&self.0.roots)?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .http1_max_headers(headers::MOST)
            .http2_max_header_list_size(headers::MAX_LEN)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_ANSWERED);
        let builder = if is_loopback {
            builder.no_proxy()
        } else {
            builder
        };
        builder
            .build()
            .map_err(|_| misconfigured("the HTTP client could not be set up"))
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The configuration of TLS, with its own provider of cryptography: the app may install another for itself.
fn tls(roots: &Roots) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| misconfigured("TLS has no protocol version in common with its provider"))?;
    let mut tls = match roots {
        #[cfg(not(target_os = "android"))]
        Roots::Platform => trust_platform(builder)?,
        #[cfg(any(target_os = "android", test))]
        Roots::Listed(list) => trust_only(builder, list()?),
    }
    .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

type Trusting = ConfigBuilder<ClientConfig, WantsClientCert>;

#[cfg(not(target_os = "android"))]
fn trust_platform(builder: ConfigBuilder<ClientConfig, WantsVerifier>) -> Result<Trusting> {
    rustls_platform_verifier::BuilderVerifierExt::with_platform_verifier(builder)
        .map_err(|_| misconfigured("the certificates that this system trusts could not be read"))
}

#[cfg(any(target_os = "android", test))]
fn trust_only(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    roots: Vec<Vec<u8>>,
) -> Trusting {
    let mut trusted = RootCertStore::empty();
    let roots = roots.into_iter().map(CertificateDer::from);
    // Systems keep some that no certificate can be checked with.
    let (_, refused) = trusted.add_parsable_certificates(roots);
    if refused > 0 {
        log::debug!("{refused} of the certificates that this system trusts cannot be used");
    }
    builder.with_root_certificates(trusted)
}

fn misconfigured(message: &str) -> Error {
    Error::new(ErrorCode::Misconfigured, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_this_computer_is_told_from_others_by_its_address() {
        for (url, expected) in [
            ("http://localhost:1420/", true),
            ("http://127.0.0.1/", true),
            ("https://127.9.8.7/", true),
            ("http://[::1]:8080/", true),
            ("https://localhost.example.com/", false),
            ("https://127.0.0.1.example.com/", false),
            ("https://[::2]/", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
