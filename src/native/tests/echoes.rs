//! Servers that send the token back.

use flate2::{Compression, write::GzEncoder};

use super::*;

/// A body that comes in `chunks`.
fn chunked(headers: &'static [(&'static str, &'static str)], chunks: Vec<Vec<u8>>) -> Server {
    Server::start(move |_, wire| {
        start(wire, 200, headers)?;
        wire.write_all(b"transfer-encoding: chunked\r\n\r\n")?;
        chunks.iter().try_for_each(|bytes| chunk(wire, bytes))?;
        chunk(wire, b"")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_response_with_a_token_in_its_headers_is_refused() {
    let app = App::signed_in().await;
    for header in [
        ("x-echo", "Bearer first-token"),
        ("x-echo", "refresh-token"),
        ("location", "/v1/?t=first-token"),
        ("x-first-token", "1"),
    ] {
        let server = Server::start(move |_, wire| reply(wire, 302, &[header], b""));
        for redirect in [Redirect::Follow, Redirect::Manual] {
            let mut order = get(&server.url("/v1/me"));
            order.redirect = redirect;
            let error = app.send(order).await.err().unwrap();
            assert_eq!(error.code(), ErrorCode::Forbidden);
            assert!(!error.message().contains("-token"), "{error}");
        }
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_response_with_a_token_in_its_body_is_refused_across_chunks_and_compression() {
    let app = App::signed_in().await;
    let text = b"{\"headers\":{\"authorization\":\"Bearer first-token\"}}";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&[&vec![b'x'; 60_000], &text[..]].concat())
        .unwrap();
    let gzip = gzip.finish().unwrap();
    for server in [
        chunked(&[], vec![text.to_vec()]),
        chunked(&[], text.chunks(1).map(<[u8]>::to_vec).collect()),
        chunked(&[], text.chunks(7).map(<[u8]>::to_vec).collect()),
        chunked(
            &[],
            vec![vec![b'x'; 65_000], b"refresh-".to_vec(), b"token".to_vec()],
        ),
        chunked(&[("content-encoding", "gzip")], vec![gzip.clone()]),
        chunked(
            &[("content-encoding", "gzip")],
            gzip.chunks(11).map(<[u8]>::to_vec).collect(),
        ),
    ] {
        let page = app.page();
        let sent = app.fetch(&page, 1, get(&server.url("/v1/me")), None).await;
        assert_eq!(code(sent), Some(ErrorCode::Forbidden));
        assert_eq!(code(page.read(1).await), Some(ErrorCode::InvalidArgument));
    }
    assert_eq!(app.requests.open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_the_token_before_a_refresh_and_the_one_after_are_both_refused() {
    for echoed in ["first-token", "fresh-token-1"] {
        let server = Server::start(move |seen, wire| {
            if seen.token() == Some("first-token") {
                return reply(wire, 401, &[], b"");
            }
            reply(wire, 200, &[], echoed.as_bytes())
        });
        let app = App::signed_in().await;
        let sent = app.send(get(&server.url("/v1/me"))).await;
        assert_eq!(code(sent), Some(ErrorCode::Forbidden), "{echoed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_body_arrives_as_it_was() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(b"hello, first-toke").unwrap();
    let gzip = gzip.finish().unwrap();
    let server =
        Server::start(move |_, wire| reply(wire, 200, &[("content-encoding", "gzip")], &gzip));
    let app = App::signed_in().await;
    let whole = app.send(get(&server.url("/v1/me"))).await.unwrap();
    assert_eq!(&*whole.body, b"hello, first-toke");
    assert_eq!(whole.header("content-encoding"), None);
    assert_eq!(whole.header("content-length"), None);
}
