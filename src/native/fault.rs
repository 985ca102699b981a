//! Turns the failures of the HTTP client into errors of the plugin. The client's own texts have the URL in them, and so
//! what is in its query: only their kind is looked at.

use std::{error::Error as StdError, io, iter};

use crate::error::{Error, ErrorCode};

/// What hyper-util says if a proxy asks for a login. The error has no type that can be looked at.
const PROXY_LOGIN: &str = "proxy authorization required";

/// Why no response came, or why its body broke off.
pub(super) fn failed(error: &reqwest::Error) -> Error {
    let causes = || causes(error);
    if let Some(own) = causes().find_map(|cause| cause.downcast_ref::<Error>()) {
        return own.clone();
    }
    if error.is_timeout() {
        return Error::new(
            ErrorCode::Timeout,
            "there was no connection to the server within the deadline",
        );
    }
    let message = if causes().any(<dyn StdError>::is::<rustls::Error>) {
        "the TLS connection failed; a certificate that this system does not trust is the usual cause"
    } else if causes().any(|cause| cause.to_string() == PROXY_LOGIN) {
        "the proxy of this system wants a login, which the plugin does not have"
    } else if error.is_connect() {
        "the server could not be reached"
    } else if error.is_body() || error.is_decode() {
        "the body of the response broke off, or is not encoded as its headers say"
    } else {
        "the connection broke off before the response had come"
    };
    Error::new(ErrorCode::Unavailable, message)
}

/// The error and what caused it. An `io::Error` leaves out the one that it is made of.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |&error| {
        let within = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match within {
            Some(within) => Some(within as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}
