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
use tauri::Url;

use super::headers;
use crate::error::{Error, ErrorCode, Result};

/// Until there is a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(30);

/// A connection of HTTP/2 that was cut without a word, as by a change of the network, is noticed after these two
/// together. Only asked while a request is under way.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_ANSWERED: Duration = Duration::from_secs(10);

/// Sends requests. Clones share one pool.
#[derive(Clone, Default)]
pub(crate) struct Client(Arc<Clients>);

#[derive(Default)]
struct Clients {
    remote: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    roots: Roots,
}

/// Whom TLS trusts.
#[derive(Default)]
enum Roots {
    #[default]
    Platform,
    #[cfg(test)]
    Only(Vec<CertificateDer<'static>>),
}

impl Client {
    /// Trusts `roots` and nobody else.
    #[cfg(test)]
    pub(super) fn trusting(roots: Vec<CertificateDer<'static>>) -> Self {
        Self(Arc::new(Clients {
            roots: Roots::Only(roots),
            ..Clients::default()
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
        Roots::Platform => trust_platform(builder)?,
        #[cfg(test)]
        Roots::Only(roots) => trust_only(builder, roots.clone()),
    }
    .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

type Trusting = ConfigBuilder<ClientConfig, WantsClientCert>;

/// Trusts whom the platform trusts, certificates that a company or the user has added included.
#[cfg(not(target_os = "android"))]
fn trust_platform(builder: ConfigBuilder<ClientConfig, WantsVerifier>) -> Result<Trusting> {
    rustls_platform_verifier::BuilderVerifierExt::with_platform_verifier(builder)
        .map_err(|_| misconfigured("the certificates that this system trusts could not be read"))
}

/// As above. The platform's verifier panics on Android in an app that has not set it up, so its certificates are
/// asked for instead.
#[cfg(target_os = "android")]
fn trust_platform(builder: ConfigBuilder<ClientConfig, WantsVerifier>) -> Result<Trusting> {
    Ok(trust_only(builder, roots()?))
}

/// The certificates that Android trusts, those of the user included.
#[cfg(target_os = "android")]
fn roots() -> Result<Vec<CertificateDer<'static>>> {
    Err(misconfigured(
        "the certificates that this system trusts could not be read",
    ))
}

#[cfg(any(target_os = "android", test))]
fn trust_only(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    roots: Vec<CertificateDer<'static>>,
) -> Trusting {
    let mut trusted = RootCertStore::empty();
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
