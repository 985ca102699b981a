//! One request to the server and its response, of which not more than so much is read.

use std::{error::Error as _, time::Duration};

use bytes::Bytes;
use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER},
};
use zeroize::Zeroizing;

use super::{client::Client, document::Document};
use crate::error::{Error, ErrorCode, Result};

/// The longest body that is read of a response, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

/// What is set aside for a body whose length is not said.
const USUAL_BODY: usize = 16 * 1024;

/// What the server sent.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) is_html: bool,
    /// How long the server asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// `None`: it is too long.
    body: Option<Zeroizing<Vec<u8>>>,
}

impl Response {
    pub(super) fn is_too_long(&self) -> bool {
        self.body.is_none()
    }

    /// The body as JSON, if it is that.
    pub(super) fn json(&self) -> Option<Document> {
        let body = self.body.as_ref()?;
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(value.into())
    }

    /// The body as text, in which what is no UTF-8 is replaced.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let body = self.body.as_ref().map_or(&[][..], |body| body);
        Zeroizing::new(String::from_utf8_lossy(body).into_owned())
    }
}

/// Posts `body` to `url`. It follows no redirect, and has no deadline of its own.
///
/// # Errors
///
/// `misconfigured`: there is no TLS on this platform. `unavailable`: the server cannot be reached, or the connection broke off.
pub(super) async fn post(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
) -> Result<Response> {
    // The buffer is wiped when the last part of it has been sent.
    let body = Bytes::from_owner(body);
    let request = client
        .to(url)?
        .post(url.clone())
        .headers(headers)
        .body(body);
    let mut response = request.send().await.map_err(|error| unavailable(&error))?;
    let headers = response.headers();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_html =
        text(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
    let retry_after = text(RETRY_AFTER).and_then(|value| retry_after(value, text(DATE)));
    Ok(Response {
        status: response.status(),
        is_html,
        retry_after,
        body: read(&mut response).await?,
    })
}

async fn read(response: &mut reqwest::Response) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let length = response
        .content_length()
        .and_then(|length| length.try_into().ok());
    let length: usize = length.unwrap_or(USUAL_BODY);
    if length > LONGEST_BODY {
        return Ok(None);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(length));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unavailable(&error))?
    {
        let length = body.len() + chunk.len();
        if length > LONGEST_BODY {
            return Ok(None);
        }
        if length > body.capacity() {
            // Not by the vector itself, which would leave what it had behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * length));
            larger.extend_from_slice(&body);
            body = larger;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// What `Retry-After` says (RFC 9110, section 10.2.3). A date is that of the server's clock, so it counts from
/// the server's now.
fn retry_after(value: &str, now: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = now.and_then(|now| httpdate::parse_http_date(now).ok());
    until
        .duration_since(now.unwrap_or_else(std::time::SystemTime::now))
        .ok()
}

/// Without the address, which may have a key in its query.
fn unavailable(error: &reqwest::Error) -> Error {
    let mut message = String::from("the server could not be reached, or the connection broke off");
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Error::new(ErrorCode::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_that_a_server_asks_for_is_read_in_both_forms() {
        let now = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:30:00 GMT", Some(120)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:30:00 GMT", None), None);
    }
}
