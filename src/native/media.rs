//! Images, sound and video for elements of a page, which cannot carry a header: the page gets an address with a ticket
//! that stands for one URL.
//!
//! To Tauri a document from the scheme of a plugin is a page of the app, which may call commands. So nothing that a
//! webview would show as a document with scripts comes through here.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tauri::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, RANGE, X_CONTENT_TYPE_OPTIONS,
    },
};
use tokio::sync::Semaphore;

use super::{
    download::Download,
    requests::{Opening, PageRequests},
    send::{Judge, Order, Redirect, Reply},
    target::Target,
    upload::Body,
};
use crate::{
    error::{Error, ErrorCode, Result},
    session::Owner,
    sync::lock,
    token::Account,
};

/// How long a whole response may be, in bytes: Tauri takes it in one piece.
const MAX_LEN: usize = 32 * 1024 * 1024;

/// How much of a range a response has at most, in bytes. A player asks for the rest when it comes to it (RFC 9110,
/// section 15.3.7: a server may send a part of the range).
const MAX_RANGE: u64 = 4 * 1024 * 1024;

/// How many of a page are on their way at once. The others wait.
const AT_ONCE: usize = 8;

/// How many tickets of a page are good. After that the oldest one is not.
const MOST_TICKETS: usize = 4096;

/// The first id that no page can choose.
const OWN_IDS: u64 = 1 << 53;

/// A bound for the wait for those before it.
const WAIT: Duration = Duration::from_secs(60);

/// What a ticket stands for.
pub(crate) struct Medium {
    pub(crate) account: Account,
    pub(crate) target: Target,
    pub(crate) judge: Judge,
    /// Somebody else who signs in gets nothing for it.
    pub(crate) login: u64,
}

impl Medium {
    fn is_same_as(&self, other: &Self) -> bool {
        (&self.account, &self.target, self.login) == (&other.account, &other.target, other.login)
    }
}

/// The tickets of a page.
pub(super) struct Media {
    tickets: Mutex<VecDeque<(String, Arc<Medium>)>>,
    turns: Semaphore,
    ids: AtomicU64,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            tickets: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            ids: AtomicU64::new(OWN_IDS),
        }
    }
}

impl Media {
    /// The page is gone.
    pub(super) fn end_all(&self) {
        lock(&self.tickets).clear();
    }
}

impl PageRequests {
    /// A ticket for `medium`, which nobody can guess. It ends with the page.
    ///
    /// # Errors
    ///
    /// `forbidden`: the window may not send the request. `internal`: the system has no random numbers.
    pub(crate) fn ticket(&self, medium: Medium) -> Result<String> {
        (medium.judge)(&medium.target, &Method::GET)?;
        let mut tickets = lock(&self.media.tickets);
        // A list that shows the same picture again and again has one ticket for it.
        if let Some((ticket, _)) = tickets.iter().find(|(_, known)| known.is_same_as(&medium)) {
            return Ok(ticket.clone());
        }
        let mut random = [0; 32];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut random)
            .map_err(|_| Error::internal("the system has no random numbers"))?;
        let ticket = BASE64_URL_SAFE_NO_PAD.encode(random);
        if tickets.len() == MOST_TICKETS {
            tickets.pop_front();
        }
        tickets.push_back((ticket.clone(), Arc::new(medium)));
        Ok(ticket)
    }

    /// What `ticket` stands for, if this page has it.
    pub(crate) fn medium(&self, ticket: &str) -> Option<Arc<Medium>> {
        let tickets = lock(&self.media.tickets);
        let (_, medium) = tickets.iter().find(|(known, _)| known == ticket)?;
        Some(medium.clone())
    }

    /// The response to an element that asks for `medium`. Never a redirect, and no details of an error.
    pub(crate) async fn show(
        &self,
        owner: &Arc<Owner>,
        medium: &Medium,
        method: &Method,
        headers: &HeaderMap,
    ) -> Response<Vec<u8>> {
        if *method != Method::GET && *method != Method::HEAD {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        self.fetch_medium(owner, medium, method, headers)
            .await
            .unwrap_or_else(|error| {
                log::debug!("a medium was not shown: {error}");
                empty(match error.code() {
                    ErrorCode::Forbidden | ErrorCode::Conflict => StatusCode::FORBIDDEN,
                    ErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
                    _ => StatusCode::BAD_GATEWAY,
                })
            })
    }

    async fn fetch_medium(
        &self,
        owner: &Arc<Owner>,
        medium: &Medium,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response<Vec<u8>>> {
        let turn = tokio::time::timeout(WAIT, self.media.turns.acquire()).await;
        let late = |_| {
            Error::new(
                ErrorCode::Timeout,
                "too many media of the page are on their way",
            )
        };
        let _turn = turn.map_err(late)?;
        let id = self.media.ids.fetch_add(1, Ordering::Relaxed);
        let opening = Opening::begin(self, id, None)?;
        let mut own = HeaderMap::new();
        if let Some(range) = headers.get(RANGE).and_then(shorter) {
            own.insert(RANGE, range);
        }
        let order = Order {
            account: medium.account.clone(),
            login: Some(medium.login),
            target: medium.target.clone(),
            method: method.clone(),
            headers: own,
            body: Body::None,
            redirect: Redirect::Follow,
            repeat: true,
            origin: None,
            judge: medium.judge.clone(),
        };
        let (sender, idle) = self.sender();
        opening
            .unless_ended(async {
                let reply = sender.send(owner, order).await?;
                respond(reply, idle).await
            })
            .await
    }
}

/// The range that a response with a bounded body can have. `None`: the whole thing is asked for.
fn shorter(range: &HeaderValue) -> Option<HeaderValue> {
    let (first, last) = range
        .to_str()
        .ok()?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = if first.is_empty() {
        format!("bytes=-{}", number(last)?.min(MAX_RANGE))
    } else {
        let first = number(first)?;
        let furthest = first.checked_add(MAX_RANGE - 1)?;
        let last = if last.is_empty() {
            furthest
        } else {
            number(last)?.min(furthest)
        };
        format!("bytes={first}-{last}")
    };
    HeaderValue::try_from(range).ok()
}

async fn respond(reply: Reply, idle: Duration) -> Result<Response<Vec<u8>>> {
    let Some(response) = reply.response else {
        return Err(Error::internal("a redirect of a medium was not followed"));
    };
    let status = response.status();
    let mut headers = HeaderMap::new();
    for name in [CONTENT_TYPE, CONTENT_RANGE, ACCEPT_RANGES] {
        if let Some(value) = response.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    if status.is_redirection() {
        return Ok(empty(StatusCode::BAD_GATEWAY));
    }
    if !status.is_success() {
        return Ok(empty(status));
    }
    if !headers.get(CONTENT_TYPE).is_some_and(is_medium) {
        return Ok(empty(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let mut body = Vec::new();
    if reply.has_body {
        let mut download = Download::new(response, reply.echo, idle);
        while !download.has_ended() {
            for bytes in download.read(MAX_LEN).await? {
                body.extend_from_slice(&bytes);
            }
            if body.len() > MAX_LEN {
                return Err(Error::new(
                    ErrorCode::TooLarge,
                    format!("a medium has at most {MAX_LEN} bytes, unless its server knows ranges"),
                ));
            }
        }
        headers.insert(CONTENT_LENGTH, body.len().into());
    } else if let Some(len) = response.headers().get(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, len.clone());
    }
    let mut shown = empty(status);
    shown.headers_mut().extend(headers);
    *shown.body_mut() = body;
    Ok(shown)
}

/// Whether elements show it, and a webview that is led there runs no script in it. SVG is an image in elements; as a
/// document it is under the policy of [`empty`].
fn is_medium(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    ["image/", "audio/", "video/"]
        .iter()
        .any(|kind| essence.starts_with(kind))
        || ["application/octet-stream", "application/ogg"].contains(&&*essence)
}

/// A response without a body, with the headers that each has.
pub(crate) fn empty(status: StatusCode) -> Response<Vec<u8>> {
    const ALWAYS: [(HeaderName, HeaderValue); 3] = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
    ];
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response.headers_mut().extend(ALWAYS);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_what_a_response_can_hold() {
        for (range, expected) in [
            ("bytes=0-", Some("bytes=0-4194303")),
            ("bytes=100-199", Some("bytes=100-199")),
            ("bytes=10-99999999", Some("bytes=10-4194313")),
            ("bytes=-500", Some("bytes=-500")),
            ("bytes=-99999999", Some("bytes=-4194304")),
            ("bytes=0-1,5-6", None),
            ("bytes=18446744073709551615-", None),
            ("bytes=-", None),
            ("items=0-1", None),
        ] {
            let value = HeaderValue::from_static(range);
            let cut = shorter(&value);
            assert_eq!(
                cut.as_ref().map(|cut| cut.to_str().unwrap()),
                expected,
                "{range}"
            );
        }
    }

    #[test]
    fn p5_what_could_run_scripts_as_a_document_is_no_medium() {
        for (content_type, expected) in [
            ("image/png", true),
            ("Image/SVG+xml; charset=utf-8", true),
            ("video/mp4", true),
            ("application/octet-stream", true),
            ("text/html", false),
            ("application/xhtml+xml", false),
            ("text/javascript", false),
            ("application/pdf", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(content_type);
            assert_eq!(is_medium(&value), expected, "{content_type}");
        }
    }
}
