//! Several processes of one app that use the same account.

use serde_json::{Value, json};

use crate::{DEFAULT, app::App, code};

fn all_at_once(app: &App, operation: &str) {
    let mut workers: Vec<_> = (0..4).map(|_| app.worker()).collect();
    for (number, worker) in workers.iter_mut().enumerate() {
        worker.ask(&json!({ "op": operation, "writer": number, "threads": 2, "rounds": 5 }));
    }
    for worker in &mut workers {
        assert_eq!(worker.answer(), json!("ok"));
    }
}

#[test]
fn another_process_replaces_and_clears_what_one_wrote() {
    let app = App::new("two");
    let (mut one, mut other) = (app.worker(), app.worker());
    assert_eq!(one.set(DEFAULT, "of one"), json!({ "revision": 1 }));
    assert_eq!(other.get(DEFAULT)["token"], "of one");
    assert_eq!(other.set(DEFAULT, "of the other"), json!({ "revision": 1 }));
    assert_eq!(one.get(DEFAULT)["token"], "of the other");
    assert!(one.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(other.get(DEFAULT), Value::Null);
}

#[test]
fn p2_four_processes_lose_no_acknowledged_write_and_tear_none() {
    let app = App::new("four");
    all_at_once(&app, "write");
    let last = app.worker().get(DEFAULT);
    let last = last["token"].as_str().unwrap();
    assert!(last[..10].contains(".4."), "the last write of some thread");
    assert_eq!(app.names().len(), 5, "the pieces of one generation");
}

#[test]
fn p3_writes_and_clears_of_four_processes_do_not_fail_each_other() {
    let app = App::new("four-clear");
    all_at_once(&app, "write-and-clear");
    app.worker().clear(DEFAULT);
    assert!(app.names().is_empty());
}

#[test]
fn p2_a_process_that_is_killed_while_it_writes_leaves_a_whole_record() {
    let app = App::new("killed");
    let mut reader = app.worker();
    for _ in 0..5 {
        let mut writer = app.worker();
        writer.ask(&json!({ "op": "write-until-killed" }));
        // At least one write is acknowledged before the process is killed amid the next ones.
        writer.answer();
        let length = reader.get(DEFAULT)["token"].as_str().unwrap().len();
        assert!([64, 100_000].contains(&length), "while it writes");
        writer.kill();
        let length = reader.get(DEFAULT)["token"].as_str().unwrap().len();
        assert!([64, 100_000].contains(&length));
    }
    assert!(reader.set(DEFAULT, "next")["revision"].is_u64());
    assert_eq!(app.names(), [DEFAULT]);
}

#[test]
fn p6_a_write_waits_for_another_process_no_longer_than_its_deadline() {
    let app = App::new("deadline");
    let mut patient = app.worker();
    assert_eq!(patient.set(DEFAULT, "old"), json!({ "revision": 1 }));
    let other = app.lock_file();
    other.lock().unwrap();
    let mut worker = app.worker_with_deadline(1_000);
    assert_eq!(code(&worker.set(DEFAULT, "new")), "timeout");
    assert_eq!(code(&worker.clear(DEFAULT)), "timeout");
    assert_eq!(patient.get(DEFAULT)["token"], "old");
    drop(other);
    // On a busy machine one call alone may take as long.
    let mut set = worker.set(DEFAULT, "new");
    while code(&set) == "timeout" {
        set = worker.set(DEFAULT, "new");
    }
    // The two that timed out have spent a revision each.
    assert!(set["revision"].as_u64() >= Some(3));
    assert_eq!(patient.get(DEFAULT)["token"], "new");
}
