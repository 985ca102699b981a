//! Bodies that a page sends.

use super::*;
use crate::native::upload::upload;

/// A server that says how long the bodies were.
fn counts() -> Server {
    Server::start(|seen, wire| reply(wire, 200, &[], seen.body.len().to_string().as_bytes()))
}

fn stream(url: &str, length: Option<u64>) -> (Order, Option<Uploader>) {
    let (uploader, body) = upload(length);
    (order(Method::POST, url, Body::Stream(body)), Some(uploader))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_goes_out_piece_by_piece_also_when_it_overtakes_its_request() {
    let server = counts();
    let app = Arc::new(App::signed_in().await);
    for (id, length) in [(1, None), (2, Some(3_000_000))] {
        let page = Arc::new(app.page());
        let writer = page.clone();
        let written = tokio::spawn(async move {
            for _ in 0..3 {
                writer
                    .write(id, vec![b'x'; 1_000_000].into(), false)
                    .await?;
            }
            writer.write(id, "".into(), true).await
        });
        tokio::task::yield_now().await;
        let (order, uploader) = stream(&server.url("/v1/me"), length);
        let whole = app.fetch(&page, id, order, uploader).await.unwrap();
        assert_eq!(&*whole.body, b"3000000");
        assert_eq!(written.await.unwrap(), Ok(()));
        let seen = server.seen();
        let announced = seen[seen.len() - 1].header("content-length");
        assert_eq!(announced.is_some(), length.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_as_long_as_the_page_says_is_refused() {
    let server = counts();
    let app = Arc::new(App::signed_in().await);
    for (piece, is_end) in [("too long", false), ("too long", true), ("x", true)] {
        let page = Arc::new(app.page());
        let (order, uploader) = stream(&server.url("/v1/me"), Some(4));
        let fetch = {
            let (app, page) = (app.clone(), page.clone());
            tokio::spawn(async move { code(app.fetch(&page, 1, order, uploader).await) })
        };
        let written = page.write(1, piece.into(), is_end).await;
        assert_eq!(code(written), Some(ErrorCode::InvalidArgument));
        assert_eq!(fetch.await.unwrap(), Some(ErrorCode::InvalidArgument));
    }
    assert!(server.seen().is_empty());
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_ends_amid_a_body_leaves_no_request_that_looks_whole() {
    let server = counts();
    let app = Arc::new(App::signed_in().await);
    let page = Arc::new(app.page());
    let (order, uploader) = stream(&server.url("/v1/me"), None);
    let fetch = {
        let (app, page) = (app.clone(), page.clone());
        tokio::spawn(async move { code(app.fetch(&page, 1, order, uploader).await) })
    };
    for _ in 0..3 {
        page.write(1, "piece".into(), false).await.unwrap();
    }
    page.end_all();
    assert_eq!(fetch.await.unwrap(), Some(ErrorCode::Conflict));
    server.wait_until(|server| server.closed() == 1);
    assert!(server.seen().is_empty());
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_not_sent_twice_but_its_401_renews_the_token() {
    let server = always(401, &[], b"refused");
    let app = Arc::new(App::signed_in().await);
    let page = Arc::new(app.page());
    let (order, uploader) = stream(&server.url("/v1/me"), Some(4));
    let fetch = {
        let (app, page) = (app.clone(), page.clone());
        tokio::spawn(async move { app.fetch(&page, 1, order, uploader).await })
    };
    page.write(1, "body".into(), true).await.unwrap();
    assert_eq!(fetch.await.unwrap().unwrap().response.status, 401);
    assert_eq!((app.refreshes(), server.seen().len()), (1, 1));
    let moved = always(307, &[("location", "/v1/there")], b"");
    let (order, uploader) = stream(&moved.url("/v1/me"), Some(4));
    let fetch = {
        let (app, page) = (app.clone(), page.clone());
        tokio::spawn(async move { code(app.fetch(&page, 2, order, uploader).await) })
    };
    page.write(2, "body".into(), true).await.unwrap();
    assert_eq!(fetch.await.unwrap(), Some(ErrorCode::Forbidden));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_for_no_request_is_refused() {
    let limits = Limits {
        arrival: Duration::from_millis(50),
        ..Limits::default()
    };
    let app = App::with(Client::of_platform(), limits);
    let page = app.page();
    let written = page.write(1, "x".into(), true).await;
    assert_eq!(code(written), Some(ErrorCode::InvalidArgument));
    assert_eq!(code(page.read(1).await), Some(ErrorCode::InvalidArgument));
    page.abort(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_whole_body_goes_out_and_is_sent_again() {
    let server = Server::start(|seen, wire| {
        let status = if seen.token() == Some("first-token") {
            401
        } else {
            200
        };
        reply(wire, status, &[], seen.body.len().to_string().as_bytes())
    });
    let app = App::signed_in().await;
    let body = Body::Whole(vec![b'x'; 1_000_000].into());
    let whole = app
        .send(order(Method::POST, &server.url("/v1/me"), body))
        .await
        .unwrap();
    assert_eq!(
        (whole.response.status, &*whole.body),
        (200, &b"1000000"[..])
    );
    assert_eq!(server.seen()[1].header("content-length"), Some("1000000"));
}
