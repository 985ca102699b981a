//! TLS on this computer.

use std::net::TcpStream;

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use super::*;

/// A server with a certificate for `localhost` that only who is told of it trusts.
fn server() -> (Server, CertificateDer<'static>) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let wrap = move |stream: TcpStream| -> Box<dyn http::Wire> {
        let connection = ServerConnection::new(config.clone()).unwrap();
        Box::new(StreamOwned::new(connection, stream))
    };
    let server = Server::wrapped(wrap, |_, wire| reply(wire, 200, &[], b"ok"));
    (server, certificate)
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}/v1/me?q=SECRET", server.port)
}

#[tokio::test]
async fn a_hundred_requests_are_one_handshake() {
    let (server, certificate) = server();
    let app = App::with(Client::trusting(vec![certificate]), Limits::default());
    app.sign_in("first-token").await;
    for _ in 0..100 {
        let whole = app.send(get(&url(&server))).await.unwrap();
        assert_eq!(&*whole.body, b"ok");
        // The connection goes back to the pool in a task of its own: over the IPC there is always time for that.
        tokio::task::yield_now().await;
    }
    assert_eq!((server.seen().len(), server.connections()), (100, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_server_that_this_system_does_not_trust_gets_no_request() {
    let (server, _) = server();
    let app = App::signed_in().await;
    let error = app.send(get(&url(&server))).await.err().unwrap();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.message().contains("TLS"), "{error}");
    assert!(!error.message().contains("SECRET"), "{error}");
    assert!(server.seen().is_empty());
}
