//! The plugin over the real Credential Manager: of Windows, or of Wine on other machines.
//!
//! The plugin runs in worker processes, so that everything here has outlived a process at least once.
#![cfg(windows)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and a worker answers on its standard output"
)]

mod app;
mod damage;
mod processes;
#[path = "../worker/mod.rs"]
mod worker;

use serde_json::{Value, json};

use self::app::App;

const DEFAULT: &str = "default";

/// Not a test but the worker processes of the tests: this same program, started again.
#[test]
fn worker() {
    if std::env::var_os(worker::ENV).is_some() {
        worker::run(|order| panic!("unknown order {order}"));
    }
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or("no error")
}

fn long(length: usize) -> String {
    ('!'..='~').cycle().take(length).collect()
}

#[test]
fn store_info_names_the_store() {
    let info = App::new("info").worker().info();
    assert_eq!(info["store"], "Windows Credential Manager");
    assert_eq!(
        (&info["persistent"], &info["durable"], &info["hardware"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(info["state"], "available");
}

#[test]
fn a_token_outlives_the_processes_and_goes_when_cleared() {
    let app = App::new("round-trip");
    let mut worker = app.worker();
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.list(), json!([]));
    assert_eq!(worker.set(DEFAULT, "first"), json!({ "revision": 1 }));
    assert_eq!(worker.set(DEFAULT, "second"), json!({ "revision": 2 }));
    assert_eq!(worker.set("other", "third"), json!({ "revision": 1 }));
    drop(worker);

    let mut worker = app.worker();
    assert_eq!(worker.get(DEFAULT)["token"], "second");
    assert_eq!(worker.list(), json!([DEFAULT, "other"]));
    assert_eq!(worker.clear(DEFAULT), json!({ "revision": 1 }));
    assert_eq!(worker.clear(DEFAULT), json!({ "revision": 2 }));
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.list(), json!(["other"]));
    assert_eq!(app.names(), ["other"]);
}

#[test]
fn p7_a_token_moves_to_the_new_identifier_of_the_app() {
    let (before, after) = (App::new("earlier"), App::new("renamed"));
    let token = long(20_000);
    let mut old = before.worker();
    old.set(DEFAULT, &token);
    let mut worker = after.worker_renamed_from(&before);
    assert_eq!(worker.get(DEFAULT)["token"], token);
    // Not by lists: Wine's overrun their memory when another process removes something meanwhile.
    while old.get(DEFAULT) != Value::Null {}
    // Takes its turn after the move, which removes the pieces last.
    worker.set(DEFAULT, &token);
    drop(worker);
    assert_eq!(before.names(), Vec::<String>::new());
    assert_eq!(after.worker().get(DEFAULT)["token"], token);
}

#[test]
fn tokens_of_every_size_and_kind_come_back_whole_in_a_new_process() {
    let app = App::new("sizes");
    let kinds = ["{REF:P@I:1}", "line\nbreak", "\u{fc}\u{1f511}\u{80}"].map(String::from);
    // Stored as 2,559, 2,560 and 2,561 bytes.
    let around_the_limit = (1_888..=1_890).map(|length| "x".repeat(length));
    let mut reader = app.worker();
    let mut pieces = Vec::new();
    for token in kinds
        .into_iter()
        .chain(around_the_limit)
        .chain([long(100 * 1024)])
    {
        let set = app.worker().set(DEFAULT, &token);
        assert_eq!(set, json!({ "revision": 1 }), "{} bytes", token.len());
        assert_eq!(reader.get(DEFAULT)["token"], token);
        pieces.push(app.names().len() - 1);
    }
    assert_eq!(pieces, [0, 0, 0, 0, 0, 2, 55]);
    // A longer one would fill the Credential Manager, which all programs of the user share.
    assert_eq!(code(&reader.set(DEFAULT, &long(1024 * 1024))), "too-large");
    assert_eq!(reader.get(DEFAULT)["token"], long(100 * 1024));
    // It would also slow the other tests down, each of which lists the credentials of all.
    assert!(reader.clear(DEFAULT)["revision"].is_u64());
    assert!(app.names().is_empty());
}

#[test]
fn p1_a_token_stays_on_this_machine() {
    let app = App::new("persistence");
    // Under our name and for all machines of a domain, as other programs write it.
    app.credential(DEFAULT).set_secret(b"theirs").unwrap();
    assert_eq!(app.persistence(DEFAULT), "Enterprise");
    let mut worker = app.worker();
    for length in [10, 5_000] {
        assert!(worker.set(DEFAULT, &long(length))["revision"].is_u64());
        for name in app.names() {
            assert_eq!(app.persistence(&name), "Local", "{name}");
        }
    }
    assert_eq!(app.names().len(), 4);
}

#[test]
fn names_that_would_collide_are_told_apart() {
    // `a.b.SERVICE` and `a@b@SERVICE` are each made in two ways; Windows takes no notice of case.
    let service = "app.secure-token.tests.collide";
    let apps = ["", "b.", "b@"].map(|prefix| App::with_service(format!("{prefix}{service}")));
    let accounts = [
        "a",
        "A",
        "a.b",
        "a@b",
        "a%40b",
        "a/0000000000000000.0",
        "a*",
        "a\\b",
        "\u{e4}",
        "\u{c4}",
    ];
    let mut workers = apps.each_ref().map(App::worker);
    for (app, worker) in apps.iter().zip(&mut workers) {
        for account in accounts {
            let set = worker.set(account, &format!("{account} of {}", app.service()));
            assert_eq!(set, json!({ "revision": 1 }), "{account}");
        }
    }
    let mut sorted = accounts;
    sorted.sort_unstable();
    for (app, worker) in apps.iter().zip(&mut workers) {
        assert_eq!(worker.list(), json!(sorted));
        for account in accounts {
            let expected = format!("{account} of {}", app.service());
            assert_eq!(worker.get(account)["token"], expected);
        }
        for account in accounts {
            assert!(worker.clear(account)["revision"].is_u64());
        }
        assert_eq!(worker.list(), json!([]));
    }
}

#[test]
fn accounts_of_512_bytes_and_of_any_script_are_kept() {
    let app = App::new("accounts");
    let mut accounts = vec![
        "x".repeat(150),
        "J\u{fc}rgen \u{4e2d}\u{6587} \u{1f511} @ home".to_owned(),
    ];
    let longest = ["x", "X", "\u{fc}", "\u{1f511}"].map(|text| text.repeat(512 / text.len()));
    let mut worker = app.worker();
    if app::is_wine() {
        for account in &longest {
            assert_eq!(code(&worker.set(account, "t")), "internal");
            assert_eq!(worker.get(account), Value::Null);
            assert!(worker.clear(account)["revision"].is_u64());
        }
    } else {
        accounts.extend(longest);
    }
    accounts.sort_unstable();
    for account in &accounts {
        for length in [10, 5_000] {
            let set = worker.set(account, &format!("{} of {account}", long(length)));
            assert!(set["revision"].is_u64(), "{set}");
        }
    }
    let mut other = app.worker();
    assert_eq!(other.list(), json!(accounts));
    for account in &accounts {
        let expected = format!("{} of {account}", long(5_000));
        assert_eq!(other.get(account)["token"], expected);
        assert!(other.clear(account)["revision"].is_u64());
    }
    assert!(app.names().is_empty());
}

#[test]
fn p1_credentials_of_other_programs_are_left_alone() {
    let app = App::new("foreign");
    let service = app.service();
    let targets = [
        format!("default.{service}"),
        format!("Default@{service}.other"),
        format!("Work@{service}"),
        format!("a/b@{service}"),
        format!("%zz@{service}"),
        service.to_owned(),
    ];
    for target in &targets {
        app.credential_at(target).set_secret(b"theirs").unwrap();
    }
    let mut worker = app.worker();
    assert_eq!(worker.list(), json!([]));
    for length in [10, 5_000] {
        for account in [DEFAULT, "Work", "a"] {
            assert_eq!(worker.get(account), Value::Null);
            assert!(worker.set(account, &long(length))["revision"].is_u64());
        }
        assert_eq!(worker.list(), json!(["Work", "a", DEFAULT]));
        for account in [DEFAULT, "Work", "a"] {
            assert!(worker.clear(account)["revision"].is_u64());
        }
    }
    for target in &targets {
        let credential = app.credential_at(target);
        assert_eq!(credential.get_secret().unwrap(), b"theirs", "{target}");
        credential.delete_credential().unwrap();
    }
}
