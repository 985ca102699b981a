//! The stores of Linux against real providers on private session buses: gnome-keyring for everything,
//! KWallet and KeePassXC for what they have in common with it, the secret portal in a sandbox, and
//! no key store at all.
//!
//! Every test has a bus, a home and a keyring of its own; the plugin runs in worker processes, since
//! the session bus is a matter of the process environment.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and a worker answers on its standard output"
)]

mod bad_input;
mod changes;
mod dialogs;
mod every_provider;
mod first_call;
mod flatpak;
mod no_key_store;
mod other_program;
mod portal_stand_in;
mod prompter;
mod provider;
mod questions;
mod round_trips;
mod screen;
mod secret_portal;
mod session;
mod snap;
mod stand_in;
mod transfer;
mod worker;

use serde_json::{Value, json};

use self::{session::Session, stand_in::StandIn, worker::Worker};

const DEFAULT: &str = "default";

/// Not a test but the worker processes of the tests: this same program, started again.
#[test]
fn worker() {
    if std::env::var_os(worker::ENV).is_some() {
        worker::run();
    }
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or("no error")
}

fn assert_every_call_fails(worker: &mut Worker, expected: &str) {
    for answer in [
        worker.get(DEFAULT),
        worker.set(DEFAULT, "never stored"),
        worker.clear(DEFAULT),
        worker.list(),
    ] {
        assert_eq!(code(&answer), expected, "{answer}");
    }
}

#[tokio::test]
async fn store_info_names_the_provider_and_its_state() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    let info = worker.info();
    assert_eq!(info["store"], "Secret Service (gnome-keyring)");
    assert_eq!(
        (&info["persistent"], &info["durable"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(info["state"], "available");
    session.restart_locked().await;
    assert_eq!(worker.info()["state"], "locked");
    session.kill_keyring();
    assert_eq!(worker.info()["state"], "unavailable");
}

#[tokio::test]
async fn p1_locked_with_the_prompt_dismissed_is_locked() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "kept");
    // No program that could show a prompt is on this bus: gnome-keyring then answers as for a
    // prompt that was dismissed.
    session.restart_locked().await;
    for _ in 0..2 {
        assert_every_call_fails(&mut worker, "locked");
    }
    session.unlock().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

// The prompter counts while the test waits for the worker.
#[tokio::test(flavor = "multi_thread")]
async fn p6_a_prompt_that_is_ignored_is_locked_within_the_deadline() {
    let mut session = Session::unlocked().await;
    Worker::start(&session).set(DEFAULT, "kept");
    session.restart_locked().await;
    let prompter = session.ignoring_prompter().await;
    let mut worker = Worker::with_deadline(&session, 4_000);
    assert_eq!(code(&worker.get(DEFAULT)), "locked");
    assert_eq!(code(&worker.set(DEFAULT, "new")), "locked");
    assert_eq!(worker.info()["state"], "locked");
    assert_eq!(
        prompter.prompts_seen(),
        1,
        "one prompt, however many calls wait for it"
    );
    session.unlock().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
    assert!(worker.set(DEFAULT, "new")["revision"].is_u64());
}

#[tokio::test]
async fn p6_a_keyring_that_is_killed_during_its_prompt_is_noticed() {
    let mut session = Session::unlocked().await;
    Worker::start(&session).set(DEFAULT, "kept");
    session.restart_locked().await;
    let prompter = session.ignoring_prompter().await;
    let mut worker = Worker::start(&session);
    worker.ask(&json!({ "op": "get", "account": DEFAULT }));
    prompter.wait_for_prompt().await;
    session.kill_keyring();
    assert_eq!(code(&worker.answer()), "unavailable");
    session.start_unlocked().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn a_keyring_that_was_killed_and_restarted_between_two_calls_is_found_again() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "kept");
    for number in 0..3 {
        session.kill_keyring();
        session.start_unlocked().await;
        assert_eq!(worker.get(DEFAULT)["token"], "kept");
        session.kill_keyring();
        session.start_unlocked().await;
        assert!(worker.set("other", &format!("t{number}"))["revision"].is_u64());
        session.kill_keyring();
        session.start_unlocked().await;
        assert!(worker.clear("other")["revision"].is_u64());
    }
}

#[tokio::test]
async fn p1_without_a_keyring_every_call_is_unavailable_until_there_is_one() {
    let mut session = Session::without_keyring().await;
    let mut worker = Worker::start(&session);
    assert_every_call_fails(&mut worker, "unavailable");
    assert_eq!(worker.info()["state"], "unavailable");
    session.start_unlocked().await;
    assert!(worker.set(DEFAULT, "t")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "t");
}

#[tokio::test]
async fn p1_without_a_session_bus_every_call_is_unavailable() {
    let mut session = Session::without_keyring().await;
    session.hide_bus();
    let mut worker = Worker::start(&session);
    assert_every_call_fails(&mut worker, "unavailable");
    assert_eq!(worker.info()["state"], "unavailable");
}

#[tokio::test]
async fn p1_without_a_default_collection_every_call_is_unavailable() {
    let mut session = Session::without_keyring().await;
    session.start_empty().await;
    let mut worker = Worker::start(&session);
    assert_every_call_fails(&mut worker, "unavailable");
    assert!(session.keyring_files().is_empty(), "no collection was made");
}

#[tokio::test]
async fn p1_an_entry_of_the_keyring_crate_is_found_and_kept() {
    let session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.keyring_set(DEFAULT, "written by another program");
    assert_eq!(code(&worker.get(DEFAULT)), "corrupt");
    assert_eq!(worker.keyring_get(DEFAULT), "written by another program");
    assert_eq!(worker.list(), json!([DEFAULT]));

    worker.set(DEFAULT, "ours");
    let stored = worker.keyring_get(DEFAULT);
    worker.clear(DEFAULT);
    worker.keyring_set(DEFAULT, stored.as_str().unwrap());
    assert_eq!(worker.get(DEFAULT)["token"], "ours");
}

/// Lets four processes with eight threads each carry out `op`, and fails unless every call succeeds.
///
/// A provider that ends by itself meanwhile is not a lost write: the calls have to say that it is gone, and all is
/// done once more with the next provider.
async fn four_processes_with_eight_threads(op: &str) -> (Session, Vec<Worker>) {
    const ATTEMPTS: usize = 3;
    let mut session = Session::unlocked().await;
    for _ in 0..ATTEMPTS {
        let mut workers: Vec<_> = (0..4).map(|_| Worker::start(&session)).collect();
        for (number, worker) in workers.iter_mut().enumerate() {
            worker.ask(&json!({ "op": op, "writer": number, "threads": 8, "rounds": 10 }));
        }
        let results: Vec<_> = workers.iter_mut().map(Worker::answer).collect();
        let failed = results.iter().find(|result| **result != json!("ok"));
        let Some(failed) = failed else {
            return (session, workers);
        };
        let end = session.wait_for_keyring_end().await;
        let end = end.unwrap_or_else(|| panic!("the keyring runs, and a call failed: {failed}"));
        println!("gnome-keyring ended by itself: {end}");
        for result in results.iter().filter(|result| **result != json!("ok")) {
            assert!(
                ["unavailable", "locked"].contains(&code(result)),
                "{result}"
            );
        }
        session.start_unlocked().await;
        for worker in &mut workers {
            assert!(worker.set(DEFAULT, "afterwards")["revision"].is_u64());
            assert_eq!(worker.get(DEFAULT)["token"], "afterwards");
        }
    }
    panic!("gnome-keyring ended in each of {ATTEMPTS} attempts");
}

#[tokio::test]
async fn p2_four_processes_with_eight_threads_lose_no_acknowledged_write() {
    let (_session, mut workers) = four_processes_with_eight_threads("write").await;
    let last = workers[0].get(DEFAULT);
    let last = last["token"].as_str().unwrap();
    assert!(
        last.contains(".9."),
        "the last write of some thread stands: {}",
        &last[..20]
    );
}

#[tokio::test]
async fn p2_writes_and_clears_of_four_processes_do_not_fail_each_other() {
    four_processes_with_eight_threads("write-and-clear").await;
}

#[tokio::test]
async fn p1_p2_a_keyring_that_ends_amid_the_writes_of_four_processes_leaves_a_whole_record() {
    let mut session = Session::unlocked().await;
    let mut workers: Vec<_> = (0..4).map(|_| Worker::start(&session)).collect();
    for worker in &mut workers {
        worker.ask(&json!({ "op": "write-until-killed" }));
        // At least one write of each is acknowledged.
        assert_eq!(worker.answer(), Value::Null);
    }
    session.kill_keyring();
    for worker in &mut workers {
        let failed = worker.answer();
        assert_eq!(code(&failed), "unavailable", "{failed}");
    }
    session.start_locked().await;
    for worker in &mut workers {
        assert_every_call_fails(worker, "locked");
    }
    session.unlock().await;
    for worker in &mut workers {
        let length = worker.get(DEFAULT)["token"].as_str().unwrap().len();
        assert!([64, 100_000].contains(&length));
    }
    for worker in &mut workers {
        assert!(worker.set(DEFAULT, "afterwards")["revision"].is_u64());
        assert_eq!(worker.get(DEFAULT)["token"], "afterwards");
    }
}

#[tokio::test]
async fn p1_a_keyring_that_the_bus_starts_in_the_place_of_one_that_ended_is_locked() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "kept");
    session.let_the_bus_start_it().await;
    session.kill_keyring();
    assert_every_call_fails(&mut worker, "locked");
    session.unlock().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
    assert!(worker.set(DEFAULT, "next")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "next");
}

#[tokio::test]
async fn p2_a_process_that_is_killed_while_it_writes_leaves_a_whole_record() {
    let session = Session::unlocked().await;
    let mut reader = Worker::start(&session);
    for _ in 0..5 {
        let mut writer = Worker::start(&session);
        writer.ask(&json!({ "op": "write-until-killed" }));
        // At least one write is acknowledged before the process is killed amid the next ones.
        writer.answer();
        writer.kill();
        let length = reader.get(DEFAULT)["token"].as_str().unwrap().len();
        assert!([64, 100_000].contains(&length));
    }
}

#[tokio::test]
async fn p2_a_write_through_a_session_whose_keys_differ_is_written_again() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    provider.garble_next_sessions(2);
    let token = "x".repeat(100);
    assert_eq!(
        Worker::start(&session).set(DEFAULT, &token),
        json!({ "revision": 1 })
    );
    assert_eq!(Worker::start(&session).get(DEFAULT)["token"], token);
    provider.garble_next_sessions(2);
    let token = "y".repeat(100);
    assert!(Worker::start(&session).set(DEFAULT, &token)["revision"].is_u64());
    assert_eq!(Worker::start(&session).get(DEFAULT)["token"], token);
}

#[tokio::test]
async fn p1_a_read_through_a_session_whose_keys_differ_is_read_again() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    let token = "x".repeat(100);
    Worker::start(&session).set(DEFAULT, &token);
    provider.garble_next_sessions(1);
    assert_eq!(Worker::start(&session).get(DEFAULT)["token"], token);
}

#[tokio::test]
async fn p2_a_session_whose_key_the_provider_gets_wrong_is_not_used() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    let token = "x".repeat(100);
    for _ in 0..2 {
        provider.misunderstand_next_sessions(3);
        let before = provider.sessions_opened();
        let mut worker = Worker::start(&session);
        assert!(worker.set(DEFAULT, &token)["revision"].is_u64());
        assert_eq!(provider.sessions_opened(), before + 4);
        assert_eq!(Worker::start(&session).get(DEFAULT)["token"], token);
    }
}
