//! What an app pays that never refreshes, or in which nobody is signed in: no task, and so no timer.

use tokio::{runtime::Handle, time::Instant};

use super::*;

/// The tasks that live once everything has run that can. No time passes.
async fn tasks() -> usize {
    let before = Instant::now();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Instant::now(), before);
    Handle::current().metrics().num_alive_tasks()
}

fn expiring(server: &Server) -> Tokens {
    let mut tokens = server.login();
    tokens.expires_in = Some(Duration::from_secs(3600));
    tokens
}

async fn pass_a_month() {
    tokio::time::sleep(Duration::from_secs(30 * 24 * 3600)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_while_nobody_is_signed_in() {
    for rust in [Rust::Nothing, Rust::Refresh, Rust::Revoke, Rust::Both] {
        let (store, server) = world();
        let session = Process::start(&store, &server, rust).session();
        assert_eq!(session.ready().await.status, Status::SignedOut);
        assert_eq!(tasks().await, 0, "{rust:?}");
        pass_a_month().await;
        assert_eq!(tasks().await, 0, "{rust:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_in_an_app_that_does_not_refresh() {
    let (store, server) = world();
    let without = Process::start(&store, &server, Rust::Revoke).session();
    without.login(expiring(&server)).await.unwrap();
    assert_eq!(tasks().await, 0);
    pass_a_month().await;
    assert_eq!(tasks().await, 0);

    let (store, server) = world();
    let without_end = Process::start(&store, &server, Rust::Refresh).session();
    without_end.login(server.login()).await.unwrap();
    assert_eq!(tasks().await, 0);
    pass_a_month().await;
    assert_eq!((tasks().await, server.refreshes()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_refresh_ends_with_the_login_at_once() {
    let (store, server) = world();
    let session = Process::start(&store, &server, Rust::Refresh).session();
    session.login(expiring(&server)).await.unwrap();
    assert_eq!(tasks().await, 1);
    session.login(expiring(&server)).await.unwrap();
    assert_eq!(tasks().await, 1);
    session.logout().await;
    assert_eq!(tasks().await, 0);
    pass_a_month().await;
    assert_eq!((tasks().await, server.refreshes()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_refresh_ends_with_its_owner() {
    let (store, server) = world();
    let app = Process::start(&store, &server, Rust::Refresh);
    app.session().login(expiring(&server)).await.unwrap();
    assert_eq!(tasks().await, 1);
    drop(app);
    assert_eq!(tasks().await, 0);
}
