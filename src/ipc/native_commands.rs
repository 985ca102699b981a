//! The commands of requests that Rust sends: read the frame, check the scope, hand the request over.

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::{
    Runtime, State, Url, Webview, command,
    http::{HeaderValue, Method},
    ipc::{Request, Response},
};

use crate::{
    error::{Error, Result},
    handle::SecureToken,
    ipc::{args::Args, frame::Frame, media, pages::Pages, scope::RequestScope},
    native::{
        AT_ONCE, Body, Medium, Order, PageRequests, Redirect, Requests, headers_of_page,
        target::Target, upload,
    },
};

#[command]
pub(crate) async fn native_fetch<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: RequestScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
    requests: State<'_, Requests>,
) -> Result<Response> {
    let frame = Frame::of(&request)?;
    let known = [
        "id", "account", "method", "url", "headers", "redirect", "body", "length", "repeat",
        "login",
    ];
    let args = frame.args(&known)?;
    let (id, account) = (id(&args)?, args.account()?);
    let target = Target::parse(args.required("url")?)?;
    let method = args.required("method")?.as_bytes();
    let method =
        Method::from_bytes(method).map_err(|_| Error::invalid("method is none of HTTP"))?;
    scope.check(&account, &target, &method)?;
    let headers = args.list("headers")?.iter().map(pair);
    let headers = headers_of_page(headers)?;
    let length = args.number("length")?;
    let (body, uploader) = match args.required("body")? {
        "none" => (Body::None, None),
        "whole" => (Body::Whole(frame.body.clone()), None),
        "stream" => {
            let (uploader, body) = upload(length);
            (Body::Stream(body), Some(uploader))
        }
        _ => return Err(Error::invalid("body must be none, whole or stream")),
    };
    let has_body = !matches!(body, Body::None);
    if has_body && matches!(method, Method::GET | Method::HEAD) {
        return Err(Error::invalid("a GET or HEAD has no body"));
    }
    let redirect = match args.required("redirect")? {
        "follow" => Redirect::Follow,
        "error" => Redirect::Error,
        "manual" => Redirect::Manual,
        _ => return Err(Error::invalid("redirect must be follow, error or manual")),
    };
    let page = pages.requests(&webview, &requests);
    let judged = account.clone();
    let order = Order {
        login: args.number("login")?,
        repeat: args.flag("repeat", true)?,
        origin: origin(&webview, &page),
        judge: Arc::new(move |target, method| scope.check(&judged, target, method)),
        account,
        target,
        method,
        headers,
        body,
        redirect,
    };
    let owner = tokens.sessions.of(&order.account);
    let response = page.fetch(id, &owner, order, uploader).await?;
    let head = json!({
        "status": response.status,
        "statusText": response.status_text,
        "headers": response.headers,
        "url": response.url,
        "redirected": response.is_redirected,
        "type": if response.is_opaque { "opaqueredirect" } else { "default" },
        "body": response.body.as_str(),
    });
    frame.respond(&head, &response.first)
}

#[command]
pub(crate) async fn native_read<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    pages: State<'_, Pages>,
    requests: State<'_, Requests>,
) -> Result<Response> {
    let frame = Frame::of(&request)?;
    let id = id(&frame.args(&["id"])?)?;
    let (bytes, end) = pages.requests(&webview, &requests).read(id).await?;
    frame.respond(&json!({ "end": end }), &bytes)
}

#[command]
pub(crate) async fn native_write<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    pages: State<'_, Pages>,
    requests: State<'_, Requests>,
) -> Result<Response> {
    let frame = Frame::of(&request)?;
    let args = frame.args(&["id", "end"])?;
    let (id, is_end) = (id(&args)?, args.flag("end", false)?);
    if frame.body.len() > AT_ONCE {
        return Err(Error::invalid(format!(
            "a piece of a body has at most {AT_ONCE} bytes"
        )));
    }
    let page = pages.requests(&webview, &requests);
    page.write(id, frame.body.clone(), is_end).await?;
    frame.respond(&json!({}), &[])
}

#[command]
pub(crate) async fn native_abort<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    pages: State<'_, Pages>,
    requests: State<'_, Requests>,
) -> Result<()> {
    let id = id(&Args::of(&request, &["id"])?)?;
    pages.requests(&webview, &requests).abort(id);
    Ok(())
}

#[command]
pub(crate) async fn native_media<R: Runtime>(
    webview: Webview<R>,
    request: Request<'_>,
    scope: RequestScope,
    tokens: State<'_, SecureToken>,
    pages: State<'_, Pages>,
    requests: State<'_, Requests>,
) -> Result<String> {
    let args = Args::of(&request, &["account", "url"])?;
    let (account, target) = (args.account()?, Target::parse(args.required("url")?)?);
    let owner = tokens.sessions.of(&account);
    let page = pages.requests(&webview, &requests);
    origin(&webview, &page);
    let judged = account.clone();
    let ticket = page.ticket(Medium {
        judge: Arc::new(move |target, method| scope.check(&judged, target, method)),
        login: owner.snapshot().login,
        account,
        target,
    })?;
    Ok(media::address(&page, &ticket))
}

/// The number by which the page knows the request: one that JavaScript holds exactly.
fn id(args: &Args<'_>) -> Result<u64> {
    let id = args.number("id")?.filter(|id| *id < 1 << 53);
    id.ok_or_else(|| Error::invalid("id must be a whole number below 2^53"))
}

fn pair(value: &Value) -> Option<(&str, &str)> {
    match value.as_array()?.as_slice() {
        [name, value] => Some((name.as_str()?, value.as_str()?)),
        _ => None,
    }
}

/// What the page's own fetch would say in `Origin`.
fn origin<R: Runtime>(webview: &Webview<R>, page: &PageRequests) -> Option<HeaderValue> {
    let ask = || HeaderValue::from_str(&origin_of(&webview.url().ok()?)?).ok();
    page.origin.get_or_init(ask).clone()
}

/// The schemes of apps have an origin for their webviews, which is none by the URL standard.
fn origin_of(url: &Url) -> Option<String> {
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    Some(format!("{}://{}", url.scheme(), url.host_str()?))
}
