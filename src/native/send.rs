//! Sends a request of a page with the bearer of a session, as `guest-js/requests/fetch.ts` does in a page.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tauri::http::{
    HeaderMap, HeaderValue, Method, StatusCode, Version,
    header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, ORIGIN},
};
use tokio::time::{timeout, timeout_at};

use super::{
    challenge::is_invalid_token,
    client::Client,
    echo::Echo,
    experience::{Experience, Fate},
    fault::failed,
    headers,
    target::Target,
    upload::{Body, Progress},
};
use crate::{
    error::{Error, ErrorCode, Result},
    record::Record,
    session::{Access, Ask, Given, Owner, Status, Want},
    sync::lock,
    token::Account,
};

/// How many redirects are followed (Fetch standard, "HTTP-redirect fetch").
const MOST_REDIRECTS: usize = 20;

/// How much of a body that nobody reads is taken, and for how long.
const DRAINED: usize = 64 * 1024;
const DRAIN: Duration = Duration::from_millis(50);

/// What a request does with a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirect {
    Follow,
    Error,
    Manual,
}

/// Whether the page may have a request sent: asked before each, redirects included.
pub(crate) type Judge = Arc<dyn Fn(&Target, &Method) -> Result<()> + Send + Sync>;

/// A request that a page wants sent.
pub(crate) struct Order {
    pub(crate) account: Account,
    /// The login of the snapshot that the page saw. That of the time of the call, if none is given.
    pub(crate) login: Option<u64>,
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) redirect: Redirect,
    /// Whether it is sent again after a 401.
    pub(crate) repeat: bool,
    pub(crate) origin: Option<HeaderValue>,
    pub(crate) judge: Judge,
}

/// The response to a request, whose head has no token in it.
pub(crate) struct Reply {
    pub(crate) url: Target,
    pub(crate) is_redirected: bool,
    /// None of a redirect that the page wants to have itself: it gets to see nothing of it.
    pub(crate) response: Option<reqwest::Response>,
    pub(crate) has_body: bool,
    pub(crate) echo: Echo,
}

impl Reply {
    fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(reqwest::Response::status)
    }

    fn is_success(&self) -> bool {
        self.status().is_some_and(|status| status.is_success())
    }

    /// The reason phrase. HTTP/2 has none.
    pub(crate) fn status_text(&self) -> &str {
        let response = self.response.as_ref();
        let response = response.filter(|response| response.version() <= Version::HTTP_11);
        let reason = response.and_then(|response| response.status().canonical_reason());
        reason.unwrap_or_default()
    }
}

/// Sends the requests of all pages.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client,
    experience: Arc<Mutex<Experience>>,
    /// Until the head of a response is there, from when the last piece of the body went out.
    deadline: Duration,
}

/// One request on its way, with what redirects have changed.
struct Hop {
    target: Target,
    method: Method,
    headers: HeaderMap,
    body: Body,
}

impl Sender {
    pub(super) fn new(client: Client, deadline: Duration) -> Self {
        Self {
            client,
            experience: Arc::default(),
            deadline,
        }
    }

    /// Sends `order` with the token that `owner` has, and once more with the next one if the server refuses it.
    ///
    /// # Errors
    ///
    /// - `forbidden`: the window may not send it or follow its redirect, or the server sends a token back;
    /// - `conflict`: the login has changed since the page asked;
    /// - `timeout`: no response came within the deadline;
    /// - `unavailable`: no connection, or it broke off;
    /// - those of the store, if it could not be read, and of the refresh, if one was needed and failed.
    pub(crate) async fn send(&self, owner: &Arc<Owner>, mut order: Order) -> Result<Reply> {
        judge(&order.judge, &order.target, &order.method, &order.headers)?;
        let seen = owner.ready().await;
        // Before anything was read no login had a number.
        let login = order
            .login
            .filter(|login| *login != 0)
            .unwrap_or(seen.login);
        let given = owner.give(Want::new(Ask::Fresh(Duration::ZERO), Some(login), None));
        let Access { record, snapshot } = token_of(given.await?)?;
        if snapshot.login != login && snapshot.status != Status::SignedOut {
            return Err(login_changed());
        }
        let body = std::mem::replace(&mut order.body, Body::None);
        let again = body.again();
        let first = Hop {
            target: order.target.clone(),
            method: order.method.clone(),
            headers: order.headers.clone(),
            body,
        };
        let Some(record) = record else {
            return self.follow(owner, &order, first, &[]).await;
        };
        let address = address(&order.target);
        let learn = |token, fate| {
            lock(&self.experience).add(&order.account, &address, token, fate);
        };
        let tokens = [record];
        let reply = self.follow(owner, &order, first, &tokens).await?;
        let [record] = tokens;
        if !(order.repeat && is_refused(&reply)) {
            if reply.is_success() {
                learn(&record.token, Fate::Accepted);
            }
            return Ok(reply);
        }
        let before = lock(&self.experience).of(&order.account, &address, &record.token);
        if before == Some(Fate::Refused) {
            return Ok(reply);
        }
        let instead = Ask::InsteadOf {
            rejected: record.token.clone(),
            accepted: before == Some(Fate::Accepted),
        };
        let next = token_of(owner.give(Want::new(instead, Some(login), None)).await?)?;
        let next = next.record.filter(|next| next.token != record.token);
        let (Some(body), Some(next)) = (again, next) else {
            return Ok(reply);
        };
        if owner.snapshot().login != login {
            return Ok(reply);
        }
        let status = reply.status();
        if let Some(response) = reply.response {
            drain(response).await;
        }
        let second = Hop {
            target: order.target.clone(),
            method: order.method.clone(),
            headers: order.headers.clone(),
            body,
        };
        let tokens = [next, record];
        let reply = self.follow(owner, &order, second, &tokens).await?;
        let [next, _] = tokens;
        if reply.is_success() {
            learn(&next.token, Fate::Accepted);
        }
        if reply.status() == status {
            learn(&next.token, Fate::Refused);
        }
        Ok(reply)
    }

    /// Sends `hop` with the first of `tokens`, and what its redirects ask for. No response may show any of `tokens`, nor
    /// those that `owner` has by then.
    async fn follow(
        &self,
        owner: &Arc<Owner>,
        order: &Order,
        mut hop: Hop,
        tokens: &[Arc<Record>],
    ) -> Result<Reply> {
        let bearer = tokens.first().map(|record| bearer(record)).transpose()?;
        let mut origin = order.origin.clone();
        for redirects in 0..=MOST_REDIRECTS {
            let (url, method) = (hop.target.clone(), hop.method.clone());
            let again = hop.body.again();
            let response = self.attempt(hop, bearer.as_ref(), origin.as_ref()).await?;
            let known: Vec<_> = tokens.iter().cloned().chain(owner.record()).collect();
            let echo = Echo::new(&known);
            echo.check_headers(response.headers())?;
            let location = location(&response)?;
            let Some(location) = location.filter(|_| order.redirect != Redirect::Manual) else {
                let is_opaque =
                    order.redirect == Redirect::Manual && is_redirect(response.status());
                return Ok(Reply {
                    has_body: !is_opaque && has_body(&method, response.status()),
                    response: (!is_opaque).then_some(response),
                    is_redirected: redirects > 0,
                    url,
                    echo,
                });
            };
            if order.redirect == Redirect::Error {
                return Err(forbidden(
                    "the server redirects, which this request does not allow",
                ));
            }
            let next = url.join(location)?;
            let status = response.status();
            drain(response).await;
            echo.check_text(next.url().as_str())?;
            let mut headers = order.headers.clone();
            let turns_to_get = match status {
                StatusCode::SEE_OTHER => method != Method::GET && method != Method::HEAD,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
                _ => false,
            };
            let (method, body) = if turns_to_get {
                (Method::GET, Body::None)
            } else {
                let body = again.ok_or_else(|| {
                    forbidden(
                        "the server redirects, and a body that is a stream cannot be sent again",
                    )
                })?;
                (method, body)
            };
            if matches!(body, Body::None) {
                headers::without_body(&mut headers);
            }
            judge(&order.judge, &next, &method, &headers)?;
            if !next.has_origin_of(&url) {
                // Fetch standard, "redirect-taint": no server is of the origin of the page.
                origin = origin.map(|_| HeaderValue::from_static("null"));
            }
            hop = Hop {
                target: next,
                method,
                headers,
                body,
            };
        }
        Err(forbidden("the server has redirected over 20 times"))
    }

    /// Sends `hop` and waits for the head of its response.
    async fn attempt(
        &self,
        hop: Hop,
        bearer: Option<&HeaderValue>,
        origin: Option<&HeaderValue>,
    ) -> Result<reqwest::Response> {
        let progress = Progress::now();
        let url = hop.target.url().clone();
        let mut headers = hop.headers;
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.clone());
        }
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        if let Some(length) = hop.body.length() {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let mut request = self
            .client
            .to(&url)?
            .request(hop.method, url)
            .headers(headers);
        if let Some(body) = hop.body.into_client(progress.clone()) {
            request = request.body(body);
        }
        let mut response = pin!(request.send());
        loop {
            let until = progress.last() + self.deadline;
            match timeout_at(until, &mut response).await {
                Ok(response) => return response.map_err(|error| failed(&error)),
                Err(_) if progress.last() + self.deadline > until => {}
                Err(_) => {
                    let message = "the server has not responded within the deadline";
                    return Err(Error::new(ErrorCode::Timeout, message));
                }
            }
        }
    }
}

/// # Errors
///
/// `forbidden`: the window may not send it, with any method that the server may take it for.
fn judge(judge: &Judge, target: &Target, method: &Method, headers: &HeaderMap) -> Result<()> {
    let methods = headers::methods(method, headers)?;
    methods.iter().try_for_each(|method| judge(target, method))
}

fn token_of(given: Given) -> Result<Access> {
    match given {
        Given::Token(access) => Ok(access),
        Given::Lease(_) => Err(Error::internal(
            "a lease was given to a call without a page",
        )),
    }
}

fn bearer(record: &Record) -> Result<HeaderValue> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", record.token.expose()))
        .map_err(|_| Error::invalid("no header can carry the token of the session"))?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

/// What [`Experience`] knows a server by.
fn address(target: &Target) -> String {
    let url = target.url();
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Whether the server has refused the token.
fn is_refused(reply: &Reply) -> bool {
    reply.response.as_ref().is_some_and(|response| {
        response.status() == StatusCode::UNAUTHORIZED && is_invalid_token(response.headers())
    })
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads to. One without a location is a response like others (Fetch standard, "location URL").
fn location(response: &reqwest::Response) -> Result<Option<&str>> {
    if !is_redirect(response.status()) {
        return Ok(None);
    }
    let mut locations = response.headers().get_all(LOCATION).iter();
    match (locations.next(), locations.next()) {
        (None, _) => Ok(None),
        (Some(location), None) => {
            let location = std::str::from_utf8(location.as_bytes());
            location
                .map(Some)
                .map_err(|_| forbidden("the server redirects to what is no URL"))
        }
        (Some(_), Some(_)) => Err(forbidden("the server redirects to two URLs at once")),
    }
}

/// Whether a response has a body (RFC 9110, section 6.4.1; Fetch standard, "null body status").
fn has_body(method: &Method, status: StatusCode) -> bool {
    method != Method::HEAD && !matches!(status.as_u16(), 101 | 103 | 204 | 205 | 304)
}

/// Ends a body that nobody will read. A short one is taken, so that its connection can be used again.
async fn drain(mut response: reqwest::Response) {
    let read = async {
        let mut drained = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            drained += chunk.len();
            if drained > DRAINED {
                break;
            }
        }
    };
    // Too slow is as too long.
    drop(timeout(DRAIN, read).await);
}

fn forbidden(message: &str) -> Error {
    Error::new(ErrorCode::Forbidden, message)
}

fn login_changed() -> Error {
    Error::new(
        ErrorCode::Conflict,
        "not sent: somebody else has signed in since the request was made",
    )
}
