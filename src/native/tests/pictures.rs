//! Media for elements of a page.

use tauri::http::{Response as Shown, StatusCode, header::RANGE};

use super::*;
use crate::native::media::Medium;

const PNG: &[(&str, &str)] = &[
    ("content-type", "image/png"),
    ("set-cookie", "a=b"),
    ("x-a", "1"),
];

fn medium(app: &App, url: &str) -> Medium {
    let order = get(url);
    Medium {
        account: order.account,
        target: order.target,
        judge: order.judge,
        login: app.owner().snapshot().login,
    }
}

async fn show(app: &App, page: &PageRequests, ticket: &str, range: Option<&str>) -> Shown<Vec<u8>> {
    let medium = page.medium(ticket).unwrap();
    let mut headers = HeaderMap::new();
    if let Some(range) = range {
        headers.insert(RANGE, range.parse().unwrap());
    }
    page.show(&app.owner(), &medium, &Method::GET, &headers)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_shown_with_the_token_and_without_other_headers() {
    let server = always(200, PNG, b"picture");
    let app = App::signed_in().await;
    let page = app.page();
    let url = server.url("/v1/avatar");
    let ticket = page.ticket(medium(&app, &url)).unwrap();
    assert_eq!(page.ticket(medium(&app, &url)), Ok(ticket.clone()));
    let other = page.ticket(medium(&app, &server.url("/v1/other"))).unwrap();
    assert!(other != ticket && ticket.len() == 43);
    let shown = show(&app, &page, &ticket, None).await;
    assert_eq!(
        (shown.status(), &**shown.body()),
        (StatusCode::OK, &b"picture"[..])
    );
    let mut names: Vec<_> = shown.headers().keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "cache-control",
            "content-length",
            "content-security-policy",
            "content-type",
            "x-content-type-options",
        ]
    );
    assert_eq!(server.seen()[0].token(), Some("first-token"));
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_a_ticket_is_of_one_page_and_one_login_and_within_the_scope() {
    let server = always(200, PNG, b"picture");
    let app = App::signed_in().await;
    let (page, other) = (app.page(), app.page());
    let outside = page.ticket(medium(&app, &server.url("/admin")));
    assert_eq!(code(outside), Some(ErrorCode::Forbidden));
    let ticket = page
        .ticket(medium(&app, &server.url("/v1/avatar")))
        .unwrap();
    assert!(other.medium(&ticket).is_none());
    assert!(page.medium("").is_none());
    app.sign_in("other-user-token").await;
    let shown = show(&app, &page, &ticket, None).await;
    assert_eq!(shown.status(), StatusCode::FORBIDDEN);
    page.end_all();
    assert!(page.medium(&ticket).is_none());
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_reaches_the_server_and_its_part_the_element() {
    let server = Server::start(|_, wire| {
        let headers = [
            ("content-type", "video/mp4"),
            ("content-range", "bytes 5-7/100"),
        ];
        reply(wire, 206, &headers, b"abc")
    });
    let app = App::signed_in().await;
    let page = app.page();
    let ticket = page.ticket(medium(&app, &server.url("/v1/film"))).unwrap();
    let shown = show(&app, &page, &ticket, Some("bytes=5-")).await;
    assert_eq!(shown.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(shown.headers()["content-range"], "bytes 5-7/100");
    assert_eq!(server.seen()[0].header("range"), Some("bytes=5-4194308"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_no_redirect_document_token_or_endless_body_reaches_an_element() {
    let app = App::signed_in().await;
    let endless = Server::start(|_, wire| {
        start(wire, 200, &[("content-type", "image/png")])?;
        wire.write_all(b"\r\n")?;
        loop {
            wire.write_all(&[b'x'; 4096])?;
        }
    });
    for (server, expected) in [
        (always(302, &[("location", "/admin")], b""), 403),
        (always(302, &[("content-type", "image/png")], b""), 502),
        (
            always(200, &[("content-type", "text/html")], b"<script>"),
            415,
        ),
        (always(200, &[], b"<script>"), 415),
        (always(200, PNG, b"first-token"), 403),
        (always(404, PNG, b"details"), 404),
        (endless, 502),
    ] {
        let page = app.page();
        let ticket = page.ticket(medium(&app, &server.url("/v1/it"))).unwrap();
        let shown = show(&app, &page, &ticket, None).await;
        assert_eq!((shown.status().as_u16(), shown.body().len()), (expected, 0));
    }
    let page = app.page();
    let ticket = page
        .ticket(medium(&app, "http://127.0.0.1:1/v1/it"))
        .unwrap();
    let medium = page.medium(&ticket).unwrap();
    let owner = app.owner();
    let headers = HeaderMap::new();
    let posted = page.show(&owner, &medium, &Method::POST, &headers).await;
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_do_not_grow_without_a_bound() {
    let app = App::signed_in().await;
    let page = app.page();
    let ticket = |number: u32| {
        let url = format!("http://127.0.0.1:1/v1/{number}");
        page.ticket(medium(&app, &url)).unwrap()
    };
    let tickets: Vec<_> = (0..4200).map(ticket).collect();
    let good = tickets
        .iter()
        .filter(|ticket| page.medium(ticket).is_some());
    assert_eq!(good.count(), 4096);
    assert!(page.medium(&tickets[4199]).is_some());
}
