//! The app is killed while a refresh token is on its way.

use std::{thread::sleep, time::Duration};

use serde_json::Value;

use crate::{
    server::{Hold, Server, refresh_token, token},
    times,
    worker::{Home, Refresher, Worker},
};

const KILLS: &str = "PROCESS_KILLS";

/// Kills `worker` amid a refresh.
fn kill_amid_a_refresh(mut worker: Worker, server: &Server, rejected: &str, round: u32) {
    let (arrived, decided) = server.counts();
    // In turn: a request that the server has not looked at, a response that is under way, a response that
    // has just been sent, and any moment.
    match round % 4 {
        0 => {
            server.hold(Hold::Request);
            worker.begin_instead_of(rejected);
            server.wait_until("a request", |state| state.arrived > arrived);
        }
        1 => {
            server.hold(Hold::Response);
            worker.begin_instead_of(rejected);
            server.wait_until("a decision", |state| state.decided > decided);
        }
        2 => {
            worker.begin_instead_of(rejected);
            server.wait_until("a decision", |state| state.decided > decided);
            sleep(Duration::from_micros(fastrand::u64(0..3_000)));
        }
        _ => {
            worker.begin_instead_of(rejected);
            sleep(Duration::from_micros(fastrand::u64(0..15_000)));
        }
    }
    worker.kill();
    server.forget();
}

/// What the process has that comes after a kill.
fn restart(home: &Home, server: &Server, round: u32) -> (Worker, Value) {
    let refresher = if (round / 4).is_multiple_of(2) {
        Refresher::Page
    } else {
        Refresher::Rust
    };
    let mut worker = home.start(server, refresher);
    let given = worker.fresh();
    (worker, given)
}

#[test]
fn p8_a_session_survives_a_kill_at_any_moment_of_a_refresh_within_the_grace() {
    let (server, home) = (Server::start(true), Home::new());
    let family = server.begin_family();
    let mut worker = home.start(&server, Refresher::Page);
    worker.sign_in(family);
    for round in 0..times(KILLS, 30) {
        let rejected = token(family, server.newest(family));
        kill_amid_a_refresh(worker, &server, &rejected, round);
        let (next, given) = restart(&home, &server, round);
        worker = next;
        let newest = token(family, server.newest(family));
        assert_eq!(given["token"], newest, "round {round}: {given}");
        assert_eq!(given["snapshot"]["status"], "signedIn");
    }
    assert_eq!(server.ended_families(), 0);
}

#[test]
fn p8_without_a_grace_a_token_in_use_is_sent_once_more_and_the_end_says_why() {
    let (server, home) = (Server::start(false), Home::new());
    let mut family = server.begin_family();
    let mut worker = home.start(&server, Refresher::Page);
    worker.sign_in(family);
    let mut interrupted = 0;
    for round in 0..times(KILLS, 30) {
        let number = server.newest(family);
        kill_amid_a_refresh(worker, &server, &token(family, number), round);
        let (next, given) = restart(&home, &server, round);
        worker = next;
        let has_ended = server.state().families[&family].has_ended;
        let used = server
            .state()
            .uses
            .get(&refresh_token(family, number))
            .copied();
        assert!(used.unwrap_or(0) <= 2, "round {round}");
        if has_ended {
            interrupted += 1;
            assert_eq!(given["snapshot"]["status"], "signedOut", "{given}");
            assert_eq!(given["snapshot"]["reason"], "interrupted", "{given}");
            family = server.begin_family();
            worker.sign_in(family);
        } else {
            let newest = token(family, server.newest(family));
            assert_eq!(given["token"], newest, "round {round}: {given}");
        }
    }
    assert!(
        interrupted > 0,
        "some kills came after the server's decision"
    );
}
