//! Many requests at once.

use futures_util::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p6_ten_thousand_requests_at_once_are_bounded_and_leave_room_for_other_windows() {
    let open = Arc::new((Mutex::new(true), std::sync::Condvar::new()));
    let waits = open.clone();
    let server = Server::start(move |_, wire| {
        let (held, changed) = &*waits;
        drop(
            changed
                .wait_while(held.lock().unwrap(), |held| *held)
                .unwrap(),
        );
        reply(wire, 200, &[], b"ok")
    });
    let app = Arc::new(App::signed_in().await);
    let url = server.url("/v1/me");
    let ended = Arc::new(AtomicUsize::new(0));
    let start = |page: &Arc<PageRequests>| {
        let requests = (0..10_000).map(|id| {
            let (app, page, order) = (app.clone(), page.clone(), get(&url));
            let ended = ended.clone();
            tokio::spawn(async move {
                let result = app.fetch(&page, id, order, None).await;
                ended.fetch_add(1, Ordering::Relaxed);
                result
            })
        });
        requests.collect::<Vec<_>>()
    };
    let mut running = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..6 {
        let page = Arc::new(app.page());
        let before = app.requests.open();
        running.extend(start(&page));
        while app.requests.open() + ended.load(Ordering::Relaxed) < running.len() {
            tokio::task::yield_now().await;
        }
        counts.push(app.requests.open() - before);
    }
    assert_eq!(counts[..3], [64, 64, 64]);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert!(counts.iter().sum::<usize>() <= 256, "{counts:?}");
    *open.0.lock().unwrap() = false;
    open.1.notify_all();
    let (mut sent, mut refused) = (0, 0);
    for result in join_all(running).await {
        match result.unwrap() {
            Ok(whole) => {
                assert_eq!(&*whole.body, b"ok");
                sent += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Unavailable);
                assert!(error.code().is_retryable());
                refused += 1;
            }
        }
    }
    assert_eq!(sent, counts.iter().sum::<usize>());
    assert_eq!(sent + refused, 60_000);
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_names_one_request_of_its_page() {
    let server = Server::start(|_, wire| {
        start(wire, 200, &[])?;
        wire.write_all(b"content-length: 10\r\n\r\nhalf")
    });
    let app = App::signed_in().await;
    let (one, other) = (app.page(), app.page());
    let (owner, url) = (app.owner(), server.url("/v1/me"));
    let fetch = |page| PageRequests::fetch(page, 5, &owner, get(&url), None);
    assert_eq!(fetch(&one).await.unwrap().body, Rest::More);
    assert_eq!(code(fetch(&one).await), Some(ErrorCode::InvalidArgument));
    assert_eq!(code(other.read(5).await), Some(ErrorCode::InvalidArgument));
    other.abort(5);
    assert_eq!(app.requests.open(), 1);
    one.end_all();
    assert_eq!(code(fetch(&one).await), Some(ErrorCode::Conflict));
    assert_eq!(app.requests.open(), 0);
}
