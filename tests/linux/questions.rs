//! KeePassXC with its default settings: a person lets each program use each entry that it has not made since it was
//! started, and confirms each removal.

use serde_json::{Value, json};

use crate::{DEFAULT, code, provider::Provider, screen::Screen, session::Session, worker::Worker};

const ACCESS: &str = "KeePassXC - +Access Request";
const REMOVAL: &str = "Delete entry.*";

/// The button that agrees has the focus.
const ALLOW: &[&str] = &["Return"];
/// The button beside it has.
const DELETE: &[&str] = &["Left", "Return"];

/// A record of an app that was started anew.
async fn with_a_record() -> (Session, Screen) {
    let mut session = Session::with(Provider::KeePassXcThatAsks).await;
    Worker::start(&session).set(DEFAULT, "kept");
    let screen = Screen::start();
    session.show_on(&screen);
    session.stop_keyring();
    session.start_unlocked().await;
    (session, screen)
}

fn get() -> Value {
    json!({ "op": "get", "account": DEFAULT })
}

fn set(token: &str) -> Value {
    json!({ "op": "set", "account": DEFAULT, "token": token })
}

fn clear() -> Value {
    json!({ "op": "clear", "account": DEFAULT })
}

#[tokio::test]
async fn keepassxc_asks_before_a_read_and_gives_the_record() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::start(&session);
    let info = worker.info();
    assert_eq!(info["state"], "locked", "{info}");
    assert!(info["detail"].as_str().unwrap().contains("asks"), "{info}");
    assert_eq!(worker.list(), json!([DEFAULT]));
    assert_eq!(screen.count(ACCESS), 0, "neither of them asks");

    worker.ask(&get());
    screen.agree(ACCESS, ALLOW).await;
    assert_eq!(worker.answer()["token"], "kept");
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
    assert!(worker.set(DEFAULT, "second")["revision"].is_u64());
    assert_eq!(worker.info()["state"], "available");
}

#[tokio::test]
async fn keepassxc_asks_before_a_write_and_stores_the_record() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::start(&session);
    worker.ask(&set("second"));
    screen.agree(ACCESS, ALLOW).await;
    assert!(worker.answer()["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "second");
}

#[tokio::test]
async fn p1_a_question_of_keepassxc_that_is_cancelled_is_locked() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::start(&session);
    for order in [get(), set("never stored")] {
        worker.ask(&order);
        screen.cancel(ACCESS).await;
        let answer = worker.answer();
        assert_eq!(code(&answer), "locked", "{order}: {answer}");
    }
    worker.ask(&get());
    screen.agree(ACCESS, ALLOW).await;
    assert_eq!(worker.answer()["token"], "kept");
}

#[tokio::test]
async fn p1_p6_a_question_of_keepassxc_that_nobody_answers_is_locked_and_stays_one() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::with_deadline(&session, 1_500);
    for order in [get(), set("never stored"), get()] {
        let answer = worker.call(&order);
        assert_eq!(code(&answer), "locked", "{order}: {answer}");
        assert_eq!(screen.count(ACCESS), 1, "{order}");
    }
    screen.agree(ACCESS, ALLOW).await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn p3_keepassxc_asks_before_a_removal() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::start(&session);
    worker.ask(&clear());
    screen.agree(REMOVAL, DELETE).await;
    let answer = worker.answer();
    assert!(answer["revision"].is_u64(), "{answer}");
    assert_eq!(worker.get(DEFAULT), Value::Null);
}

#[tokio::test]
async fn p3_a_removal_that_is_refused_in_keepassxc_is_denied() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::start(&session);
    worker.ask(&clear());
    screen.cancel(REMOVAL).await;
    let answer = worker.answer();
    assert_eq!(code(&answer), "denied", "{answer}");
    assert_eq!(worker.list(), json!([DEFAULT]));
}

#[tokio::test]
async fn p3_p6_a_removal_that_nobody_confirms_in_keepassxc_is_locked_and_asked_once() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::with_deadline(&session, 1_500);
    for _ in 0..3 {
        let answer = worker.call(&clear());
        assert_eq!(code(&answer), "locked", "{answer}");
        assert_eq!(screen.count(REMOVAL), 1);
    }
    screen.agree(REMOVAL, DELETE).await;
    assert!(worker.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT), Value::Null);
}

/// Else the removal that a logout has asked for would take the record of the login after it.
#[tokio::test]
async fn p2_a_write_waits_for_the_removal_that_nobody_has_confirmed_in_keepassxc() {
    let (session, screen) = with_a_record().await;
    let mut worker = Worker::with_deadline(&session, 1_500);
    worker.ask(&get());
    screen.agree(ACCESS, ALLOW).await;
    // The person may have been too slow for this one.
    worker.answer();
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
    assert_eq!(code(&worker.call(&clear())), "locked");
    assert_eq!(code(&worker.call(&set("second"))), "locked");
    worker.ask(&set("second"));
    screen.agree(REMOVAL, DELETE).await;
    assert!(worker.answer()["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "second");
}
