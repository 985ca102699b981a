//! A request of the app that was checked when the app started.

use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    client::Client,
    document::Document,
    exchange::{self, Response},
    pointer::Pointer,
    post::{Encoding, Post, Sent},
};
use crate::{
    error::{Error, ErrorCode, Result},
    record::Record,
    token::Token,
};

/// A POST of the app, checked.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
    encoding: Encoding,
    headers: HeaderMap,
    constants: Vec<(Pointer, Value)>,
    sent: Option<(Pointer, Sent)>,
    bearer: bool,
}

impl Endpoint {
    /// # Errors
    ///
    /// `misconfigured`: `post` cannot be sent to `origin`.
    pub(super) fn new(client: &Client, origin: &Url, post: &Post) -> Result<Self> {
        let (encoding, bearer) = (post.encoding, post.bearer);
        let place = |text: &str| {
            let pointer = Pointer::parse(text)?;
            let is_deep = encoding == Encoding::Form && text.matches('/').count() > 1;
            if pointer.is_root() || is_deep {
                return Err(misconfigured(format!(
                    "\"{text}\" is not a field of the request: write \"/name\", or \"/name/name\" if it is JSON"
                )));
            }
            Ok(pointer)
        };
        let constant = |(at, value): &(String, Value)| Ok((place(at)?, value.clone()));
        let constants = post
            .constants
            .iter()
            .map(constant)
            .collect::<Result<Vec<_>>>()?;
        let sent = match &post.sent {
            Some((at, sent)) => Some((place(at)?, *sent)),
            None => None,
        };
        let mut places: Vec<_> = constants.iter().map(|(at, _)| at).collect();
        places.extend(sent.as_ref().map(|(at, _)| at));
        let is_twice = |(index, at): (usize, &&Pointer)| {
            places[..index].iter().any(|other| other.overlaps(at))
        };
        if places.iter().enumerate().any(is_twice) {
            return Err(misconfigured("two values are sent in the same place"));
        }
        let is_scalar = |value: &Value| !value.is_array() && !value.is_object() && !value.is_null();
        if encoding == Encoding::Form && !constants.iter().all(|(_, value)| is_scalar(value)) {
            return Err(misconfigured(
                "a field of a form is a text, a number, true or false",
            ));
        }
        let content_type = match encoding {
            Encoding::Json => "application/json",
            Encoding::Form => "application/x-www-form-urlencoded",
        };
        let mut headers = headers(&post.headers)?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self {
            client: client.clone(),
            url: url(origin, &post.path)?,
            encoding,
            headers,
            constants,
            sent,
            bearer,
        })
    }

    /// Whether the request has a token in it.
    pub(super) fn sends_a_token(&self) -> bool {
        self.sent.is_some() || self.bearer
    }

    /// Posts `body` with the fields that are always the same.
    ///
    /// # Errors
    ///
    /// `invalid-argument`: `body` has no room for these fields, or is no form. Those of [`exchange::post`].
    pub(super) async fn post(&self, mut body: Document) -> Result<Response> {
        for (at, value) in &self.constants {
            if !at.put(&mut body, value.clone()) {
                return Err(Error::invalid("the body must be an object"));
            }
        }
        let body = self.encode(&body)?;
        exchange::post(&self.client, &self.url, self.headers.clone(), body).await
    }

    /// Posts the tokens of `record`. `None`: the server wants a token that it does not have.
    ///
    /// # Errors
    ///
    /// `invalid-argument`: no header can carry the token. Those of [`exchange::post`].
    pub(super) async fn post_tokens(&self, record: &Record) -> Result<Option<Response>> {
        let mut body = Document::from(Value::Object(Map::new()));
        for (at, value) in &self.constants {
            at.put(&mut body, value.clone());
        }
        let token = self.sent.as_ref().and_then(|(at, sent)| {
            let token = match sent {
                Sent::RefreshToken => record.refresh_token.as_ref()?,
                Sent::EitherToken => record.refresh_token.as_ref().unwrap_or(&record.token),
            };
            Some((at, token))
        });
        match token {
            Some((at, token)) => {
                at.put(&mut body, token.expose().into());
            }
            None if self.bearer => {}
            None => return Ok(None),
        }
        let mut headers = self.headers.clone();
        if self.bearer {
            headers.insert(AUTHORIZATION, bearer(&record.token)?);
        }
        let body = self.encode(&body)?;
        exchange::post(&self.client, &self.url, headers, body)
            .await
            .map(Some)
    }

    fn encode(&self, body: &Value) -> Result<Zeroizing<Vec<u8>>> {
        match self.encoding {
            Encoding::Json => {
                let mut bytes = Zeroizing::new(Vec::with_capacity(length(body)));
                serde_json::to_writer(&mut *bytes, body)
                    .map_err(|_| Error::internal("the body of a request could not be written"))?;
                Ok(bytes)
            }
            Encoding::Form => form(body),
        }
    }
}

fn form(body: &Value) -> Result<Zeroizing<Vec<u8>>> {
    let Value::Object(fields) = body else {
        return Err(Error::invalid(
            "the body must be an object, since it is sent as a form",
        ));
    };
    // Of one allocation: what a buffer leaves behind when it grows is not wiped.
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(3 * length(body)));
    for (name, value) in fields {
        match value {
            Value::String(text) => form.append_pair(name, text),
            Value::Number(number) => form.append_pair(name, &number.to_string()),
            Value::Bool(flag) => form.append_pair(name, if *flag { "true" } else { "false" }),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(Error::invalid(
                    "each field of the body must be a text, a number, true or false, since it is sent as a form",
                ));
            }
        };
    }
    Ok(Zeroizing::new(form.finish().into_bytes()))
}

/// More bytes than `value` has as JSON, unless many of its characters have to be escaped.
fn length(value: &Value) -> usize {
    const OF_A_SCALAR: usize = 32;
    OF_A_SCALAR
        + match value {
            Value::String(text) => 2 * text.len(),
            Value::Array(elements) => elements.iter().map(length).sum(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| 2 * name.len() + OF_A_SCALAR + length(value))
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

fn bearer(token: &Token) -> Result<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::try_from(text.as_str())
        .map_err(|_| Error::invalid("no header can carry the token"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The address of the server: `https`, or `http` on this machine.
///
/// # Errors
///
/// `misconfigured`: `text` is no origin, or requests to it could be read on their way.
pub(super) fn origin(text: &str) -> Result<Url> {
    let refused = || {
        misconfigured(
            "Native::to takes an origin, such as \"https://api.example.com\": https, or http with localhost, \
             127.0.0.1 or [::1]; without a path, a query or a password",
        )
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_safe && is_bare {
        Ok(url)
    } else {
        Err(refused())
    }
}

fn is_loopback(host: &str) -> bool {
    let is_v4 = |host: &str| host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let v6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    host == "localhost"
        || is_v4(host)
        || v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()))
}

fn url(origin: &Url, path: &str) -> Result<Url> {
    let refused = || {
        misconfigured(
            "a path begins with one /, such as \"/auth/login\", and has neither a backslash nor a fragment",
        )
    };
    // A second slash or a backslash would begin another host.
    let is_path = path.starts_with('/')
        && !path[1..].starts_with('/')
        && !path.contains(['\\', '#'])
        && !path.contains(char::is_control);
    let url = origin.join(path).map_err(|_| refused())?;
    if is_path && url.origin() == origin.origin() {
        Ok(url)
    } else {
        Err(refused())
    }
}

fn headers(named: &[(String, String)]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        let refused = || misconfigured(format!("the header {name:?} cannot be sent"));
        let name = HeaderName::try_from(name).map_err(|_| refused())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| refused())?;
        // What the client or the kind of the body decides.
        let is_ours = [ACCEPT, CONTENT_TYPE].contains(&name)
            || matches!(
                name.as_str(),
                "connection"
                    | "content-length"
                    | "host"
                    | "te"
                    | "trailer"
                    | "transfer-encoding"
                    | "upgrade"
            );
        if is_ours {
            return Err(refused());
        }
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn misconfigured(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Misconfigured, message)
}
