//! The token on a request, and what follows a 401.

use super::*;

/// Refuses all tokens but `accepted`, with this challenge.
fn takes(accepted: &'static str, challenge: &'static str) -> Server {
    Server::start(move |seen, wire| {
        if seen.token() == Some(accepted) {
            return reply(wire, 200, &[], &seen.body);
        }
        reply(wire, 401, &[("www-authenticate", challenge)], b"refused")
    })
}

fn some(tokens: &[&str]) -> Vec<Option<String>> {
    tokens
        .iter()
        .map(|token| Some((*token).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_carries_the_token_of_the_session_and_the_headers_of_the_page() {
    let server = always(200, &[("x-a", "1"), ("set-cookie", "a=b")], b"hello");
    let app = App::signed_in().await;
    let mut order = post(&server.url("/v1/me?q=1#part"), "body");
    order.headers.insert("x-b", "2".parse().unwrap());
    order.origin = Some("tauri://localhost".parse().unwrap());
    let whole = app.send(order).await.unwrap();
    assert_eq!((whole.response.status, &*whole.body), (200, &b"hello"[..]));
    assert_eq!(whole.response.body, Rest::Whole);
    assert_eq!(whole.response.url, server.url("/v1/me?q=1"));
    assert!(!whole.response.is_redirected && !whole.response.is_opaque);
    assert_eq!(
        (whole.header("x-a"), whole.header("set-cookie")),
        (Some("1"), None)
    );
    let [seen] = &server.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(
        (&*seen.method, &*seen.path, &*seen.body),
        ("POST", "/v1/me?q=1", &b"body"[..])
    );
    assert_eq!(seen.token(), Some("first-token"));
    assert_eq!(seen.header("x-b"), Some("2"));
    assert_eq!(seen.header("origin"), Some("tauri://localhost"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip,br"));
    assert_eq!(seen.header("cookie"), None);
    assert_eq!(seen.header("referer"), None);
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_what_the_window_may_not_send_is_not_sent() {
    let server = always(200, &[], b"");
    let app = App::signed_in().await;
    let mut overridden = post(&server.url("/v1/me"), "");
    overridden
        .headers
        .insert("x-http-method-override", "PUT".parse().unwrap());
    for order in [
        get(&server.url("/admin")),
        order(Method::PUT, &server.url("/v1/me"), Body::None),
        overridden,
    ] {
        assert_eq!(code(app.send(order).await), Some(ErrorCode::Forbidden));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_nobody_goes_out_without_a_token() {
    let server = takes("first-token", "Bearer");
    let app = App::new();
    let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
    assert_eq!(whole.response.status, 401);
    assert_eq!(server.tokens(), [None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_no_request_goes_out_while_the_store_cannot_be_read() {
    let server = always(200, &[], b"");
    let app = App::new();
    app.store.inject(Fault::Fails(ErrorCode::Locked));
    let sent = app.send(get(&server.url("/v1/me"))).await;
    assert_eq!(code(sent), Some(ErrorCode::Locked));
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_replaced_once_and_the_request_sent_again() {
    let server = takes("fresh-token-1", "Bearer error=\"invalid_token\"");
    let app = App::signed_in().await;
    let whole = app.send(post(&server.url("/v1/me"), "body")).await.unwrap();
    assert_eq!((whole.response.status, &*whole.body), (200, &b"body"[..]));
    assert_eq!(server.tokens(), some(&["first-token", "fresh-token-1"]));
    assert_eq!((app.refreshes(), server.connections()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_401_is_returned_and_an_address_that_refuses_all_costs_no_more_refreshes() {
    let server = takes("none", "Bearer");
    let app = App::signed_in().await;
    for _ in 0..5 {
        let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
        assert_eq!(
            (whole.response.status, &*whole.body),
            (401, &b"refused"[..])
        );
    }
    assert_eq!((app.refreshes(), server.seen().len()), (1, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_401_about_something_else_costs_no_refresh() {
    for challenge in [
        "Basic realm=\"x\"",
        "Bearer error=\"insufficient_user_authentication\"",
    ] {
        let server = takes("none", challenge);
        let app = App::signed_in().await;
        let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
        assert_eq!(whole.response.status, 401);
        assert_eq!((app.refreshes(), server.seen().len()), (0, 1));
    }
    let server = takes("none", "Bearer");
    let app = App::signed_in().await;
    let mut order = get(&server.url("/v1/me"));
    order.repeat = false;
    assert_eq!(app.send(order).await.unwrap().response.status, 401);
    assert_eq!((app.refreshes(), server.seen().len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_request_of_an_earlier_login_is_not_sent() {
    let server = always(200, &[], b"");
    let app = App::signed_in().await;
    let login = app.owner().snapshot().login;
    app.sign_in("other-user-token").await;
    let mut order = get(&server.url("/v1/me"));
    order.login = Some(login);
    assert_eq!(code(app.send(order).await), Some(ErrorCode::Conflict));
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_late_401_under_another_login_is_returned_and_not_repeated() {
    let app = Arc::new(App::signed_in().await);
    let runtime = tokio::runtime::Handle::current();
    let other = app.clone();
    let server = Server::start(move |_, wire| {
        runtime.block_on(other.sign_in("other-user-token"));
        reply(wire, 401, &[("www-authenticate", "Bearer")], b"late")
    });
    let sent = {
        let (app, url) = (app.clone(), server.url("/v1/me"));
        tokio::spawn(async move { app.send(get(&url)).await.unwrap() })
    };
    let whole = sent.await.unwrap();
    assert_eq!((whole.response.status, &*whole.body), (401, &b"late"[..]));
    assert_eq!(server.tokens(), some(&["first-token"]));
    assert_eq!(app.refreshes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_an_error_shows_neither_the_query_nor_the_token() {
    let app = App::signed_in().await;
    let server = Server::start(|_, _| Err(io::Error::other("no response")));
    let error = app
        .send(get(&server.url("/v1/me?q=SECRET")))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/v1/me?q=SECRET", listener.local_addr().unwrap())
    };
    let unreachable = app.send(get(&gone)).await.err().unwrap();
    assert_eq!(unreachable.code(), ErrorCode::Unavailable);
    for error in [error, unreachable] {
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("SECRET") && !text.contains("first-token"),
            "{text}"
        );
    }
}
