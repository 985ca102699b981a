//! Bodies of responses, and servers that do not do what they say.

use super::*;

/// Blocks until the other side has closed the connection.
fn until_closed(wire: &mut dyn Write) -> io::Result<()> {
    loop {
        wire.write_all(&[b'x'; 4096])?;
        wire.flush()?;
    }
}

/// Keeps a connection open without a word, for as long as the test process lives.
fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

fn impatient() -> Limits {
    Limits {
        idle: Duration::from_millis(200),
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_body_comes_in_pieces_of_at_most_a_mebibyte() {
    let body: Vec<u8> = (0..5_000_000_u32)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    let sent = body.clone();
    let server = Server::start(move |_, wire| reply(wire, 200, &[], &sent));
    let (app, page) = (App::signed_in().await, App::new().page());
    let response = page
        .fetch(1, &app.owner(), get(&server.url("/v1/me")), None)
        .await
        .unwrap();
    assert_eq!(response.body, Rest::More);
    let mut got = response.first.concat();
    loop {
        let (bytes, is_end) = page.read(1).await.unwrap();
        let bytes = bytes.concat();
        assert!(bytes.len() <= 1024 * 1024);
        got.extend(bytes);
        if is_end {
            break;
        }
    }
    assert!(got == body);
    assert_eq!(code(page.read(1).await), Some(ErrorCode::InvalidArgument));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_without_a_body_says_so() {
    let app = App::signed_in().await;
    for status in [204, 205, 304] {
        let server = Server::start(move |_, wire| {
            start(wire, status, &[])?;
            wire.write_all(b"\r\n")
        });
        let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
        assert_eq!(
            (whole.response.status, whole.response.body),
            (status, Rest::None)
        );
    }
    let server = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"content-length: 5\r\n\r\n")
    });
    let head = order(Method::HEAD, &server.url("/v1/me"), Body::None);
    let whole = app.send(head).await.unwrap();
    assert_eq!(whole.response.body, Rest::None);
    assert_eq!(whole.header("content-length"), Some("5"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_when_they_are_sent_and_may_be_far_apart() {
    let (send, events) = std::sync::mpsc::channel::<&'static [u8]>();
    let events = Mutex::new(events);
    let server = Server::start(move |_, wire| {
        start(
            wire,
            200,
            &[("content-type", "Text/Event-Stream; charset=utf-8")],
        )?;
        wire.write_all(b"transfer-encoding: chunked\r\n\r\n")?;
        wire.flush()?;
        for event in events.lock().unwrap().iter() {
            chunk(wire, event)?;
        }
        chunk(wire, b"")
    });
    let app = App::with(Client::of_platform(), impatient());
    app.sign_in("first-token").await;
    let page = app.page();
    let response = page
        .fetch(1, &app.owner(), get(&server.url("/v1/me")), None)
        .await
        .unwrap();
    assert_eq!(
        (response.body, response.first.concat().len()),
        (Rest::More, 0)
    );
    for event in [&b"data: 1\n\n"[..], b"data: 2\n\n"] {
        // Longer than a body that is none of events may rest.
        let silence = tokio::time::timeout(impatient().idle * 2, page.read(1)).await;
        assert!(silence.is_err());
        send.send(event).unwrap();
        let (bytes, is_end) = page.read(1).await.unwrap();
        assert_eq!((&*bytes.concat(), is_end), (event, false));
    }
    drop(send);
    let (bytes, is_end) = page.read(1).await.unwrap();
    assert_eq!((bytes.concat().len(), is_end), (0, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_server_that_hangs_before_or_after_the_head_is_a_timeout() {
    let hurried = Limits {
        head: Duration::from_millis(200),
        ..Limits::default()
    };
    let silent = Server::start(|_, _| hang());
    let sent = App::with(Client::of_platform(), hurried)
        .send(get(&silent.url("/v1/me")))
        .await;
    assert_eq!(code(sent), Some(ErrorCode::Timeout));
    let app = App::with(Client::of_platform(), impatient());
    app.sign_in("first-token").await;
    let stops = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"content-length: 10\r\n\r\nhal")?;
        wire.flush()?;
        hang()
    });
    let page = app.page();
    let response = page
        .fetch(1, &app.owner(), get(&stops.url("/v1/me")), None)
        .await
        .unwrap();
    assert_eq!(
        (response.body, &*response.first.concat()),
        (Rest::More, &b"hal"[..])
    );
    assert_eq!(code(page.read(1).await), Some(ErrorCode::Timeout));
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_shorter_than_announced_is_an_error() {
    let server = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"content-length: 10\r\n\r\nhalf")?;
        Err(io::Error::other("enough"))
    });
    let app = App::signed_in().await;
    let sent = app.send(get(&server.url("/v1/me"))).await;
    assert_eq!(code(sent), Some(ErrorCode::Unavailable));
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_longer_than_announced_does_not_become_the_next_response() {
    let server = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(
            b"content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        )
    });
    let app = App::signed_in().await;
    for _ in 0..5 {
        let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
        assert_eq!(&*whole.body, b"ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_a_body_that_never_ends_waits_for_the_page_and_ends_with_it() {
    let server = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"\r\n")?;
        until_closed(wire)
    });
    let app = App::signed_in().await;
    for abort in [true, false] {
        let closed = server.closed();
        let page = app.page();
        let response = page
            .fetch(7, &app.owner(), get(&server.url("/v1/me")), None)
            .await
            .unwrap();
        assert_eq!(response.body, Rest::More);
        for _ in 0..3 {
            page.read(7).await.unwrap();
        }
        if abort {
            page.abort(7);
        } else {
            page.end_all();
        }
        assert_eq!(code(page.read(7).await), Some(ErrorCode::InvalidArgument));
        assert_eq!(app.requests.open(), 0);
        server.wait_until(|server| server.closed() > closed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_what_waits_for_the_head_and_for_the_body() {
    let server = Server::start(|seen, wire| {
        if seen.path == "/v1/body" {
            start(wire, 200, &[])?;
            wire.write_all(b"content-length: 10\r\n\r\n")?;
            wire.flush()?;
        }
        hang()
    });
    let app = Arc::new(App::signed_in().await);
    let page = Arc::new(app.page());
    let wait = |url: String| {
        let (app, page) = (app.clone(), page.clone());
        tokio::spawn(async move { code(app.fetch(&page, 1, get(&url), None).await) })
    };
    for (path, count) in [("/v1/head", 1), ("/v1/body", 2)] {
        let waiting = wait(server.url(path));
        server.wait_until(|server| server.seen().len() == count);
        tokio::task::yield_now().await;
        page.abort(1);
        assert_eq!(waiting.await.unwrap(), Some(ErrorCode::Conflict), "{path}");
        assert_eq!(app.requests.open(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_long_is_an_error() {
    let app = App::signed_in().await;
    for (count, len) in [(300, 1), (3, 30_000)] {
        let server = Server::start(move |_, wire| {
            start(wire, 200, &[])?;
            for number in 0..count {
                write!(wire, "x-{number}: {}\r\n", "x".repeat(len))?;
            }
            wire.write_all(b"content-length: 0\r\n\r\n")
        });
        let sent = app.send(get(&server.url("/v1/me"))).await;
        assert_eq!(code(sent), Some(ErrorCode::Unavailable), "{count} of {len}");
    }
}
