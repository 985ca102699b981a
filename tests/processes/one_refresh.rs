//! Many requests of many windows of many processes are refused at once.

use serde_json::json;

use crate::{
    server::{Server, token},
    times,
    worker::{Home, Refresher},
};

const GENERATIONS: &str = "PROCESS_GENERATIONS";

fn refuse_everything_at_once(refreshers: [Refresher; 4]) {
    let (server, home) = (Server::start(false), Home::new());
    let family = server.begin_family();
    let mut workers = refreshers.map(|refresher| home.start(&server, refresher));
    workers[0].sign_in(family);
    for worker in &mut workers[1..] {
        assert_eq!(worker.fresh()["token"], token(family, 0));
    }
    for generation in 0..times(GENERATIONS, 20) {
        let order = json!({ "op": "refused calls", "rejected": token(family, generation) });
        for worker in &mut workers {
            worker.order(&order);
        }
        for worker in &mut workers {
            assert_eq!(worker.answer(), json!([token(family, generation + 1)]));
        }
        let state = server.state();
        assert_eq!(state.decided, generation + 1, "one refresh for everybody");
        assert!(state.uses.values().all(|&uses| uses == 1));
    }
    assert_eq!(server.ended_families(), 0);
}

#[test]
fn p8_four_processes_of_four_windows_with_fifty_refused_requests_refresh_once() {
    refuse_everything_at_once([Refresher::Page; 4]);
}

#[test]
fn p8_four_processes_that_refresh_in_rust_refresh_once() {
    refuse_everything_at_once([Refresher::Rust; 4]);
}

#[test]
fn p8_processes_that_refresh_in_rust_and_in_windows_refresh_once() {
    use Refresher::{Page, Rust};
    refuse_everything_at_once([Rust, Page, Rust, Page]);
}
