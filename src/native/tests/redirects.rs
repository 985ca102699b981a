//! Redirects, each of which is judged.

use super::*;

/// Redirects from `/v1/start` to `to`, and says elsewhere what it has got.
fn redirects(status: u16, to: impl Into<String>) -> Server {
    let to = to.into();
    Server::start(move |seen, wire| {
        if seen.path.starts_with("/v1/start") {
            return reply(wire, status, &[("location", &to)], b"moved");
        }
        let said = format!("{} {}", seen.method, String::from_utf8_lossy(&seen.body));
        reply(wire, 200, &[], said.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_redirect_off_the_path_or_the_origin_is_not_followed() {
    let other = always(200, &[], b"");
    let app = App::signed_in().await;
    for to in [
        "/admin".to_owned(),
        "/v1/../admin".to_owned(),
        "/v1/%2e%2e/admin".to_owned(),
        other.url("/elsewhere"),
        "ftp://127.0.0.1/v1/me".to_owned(),
        "javascript:alert(1)".to_owned(),
    ] {
        let server = redirects(302, to.clone());
        let sent = app.send(get(&server.url("/v1/start"))).await;
        assert_eq!(code(sent), Some(ErrorCode::Forbidden), "{to}");
        assert_eq!(server.seen().len(), 1, "{to}");
    }
    assert!(other.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_in_scope_is_followed_with_the_token() {
    let other = always(200, &[], b"there");
    let server = redirects(302, other.url("/v1/there"));
    let app = App::signed_in().await;
    let mut order = get(&server.url("/v1/start"));
    order.origin = Some("tauri://localhost".parse().unwrap());
    let whole = app.send(order).await.unwrap();
    assert_eq!(&*whole.body, b"there");
    assert!(whole.response.is_redirected);
    assert_eq!(whole.response.url, other.url("/v1/there"));
    let [seen] = &other.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(seen.token(), Some("first-token"));
    assert_eq!(seen.header("origin"), Some("null"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_and_bodies_change_as_the_fetch_standard_says() {
    let app = App::signed_in().await;
    for (method, status, expected) in [
        (Method::POST, 301, "GET "),
        (Method::POST, 302, "GET "),
        (Method::POST, 303, "GET "),
        (Method::POST, 307, "POST body"),
        (Method::POST, 308, "POST body"),
        (Method::PATCH, 302, "PATCH body"),
        (Method::PATCH, 303, "GET "),
    ] {
        let server = redirects(status, "/v1/there");
        let mut order = order(method, &server.url("/v1/start"), Body::Whole("body".into()));
        order
            .headers
            .insert("content-type", "text/plain".parse().unwrap());
        let whole = app.send(order).await.unwrap();
        assert_eq!(String::from_utf8(whole.body).unwrap(), expected, "{status}");
        let content_type = server.seen()[1].header("content-type").map(str::to_owned);
        assert_eq!(
            content_type.is_some(),
            expected.ends_with("body"),
            "{status}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_a_redirect_is_judged_with_the_method_that_it_asks_for() {
    let app = App::signed_in().await;
    let server = redirects(307, "/v1/there");
    let mut order = post(&server.url("/v1/start"), "body");
    order.judge = Arc::new(|target: &Target, method: &Method| {
        let is_allowed = target.url().path() == "/v1/start" || method == Method::GET;
        let forbidden = || Error::new(ErrorCode::Forbidden, "outside of the scope");
        is_allowed.then_some(()).ok_or_else(forbidden)
    });
    assert_eq!(code(app.send(order).await), Some(ErrorCode::Forbidden));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_may_refuse_redirects_or_have_them_itself() {
    let app = App::signed_in().await;
    let server = redirects(302, "/v1/there");
    let mut order = get(&server.url("/v1/start"));
    order.redirect = Redirect::Error;
    assert_eq!(code(app.send(order).await), Some(ErrorCode::Forbidden));
    let mut order = get(&server.url("/v1/start"));
    order.redirect = Redirect::Manual;
    let whole = app.send(order).await.unwrap();
    assert!(whole.response.is_opaque && whole.response.headers.is_empty());
    assert_eq!(
        (whole.response.status, whole.response.body),
        (0, Rest::None)
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_without_a_location_is_a_response() {
    let server = always(302, &[], b"nowhere");
    let app = App::signed_in().await;
    let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
    assert_eq!(
        (whole.response.status, &*whole.body),
        (302, &b"nowhere"[..])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_redirects_for_ever_is_given_up() {
    let server = always(302, &[("location", "/v1/start")], b"");
    let app = App::signed_in().await;
    let sent = app.send(get(&server.url("/v1/start"))).await;
    assert_eq!(code(sent), Some(ErrorCode::Forbidden));
    assert_eq!(server.seen().len(), 21);
}
