//! Unlock prompts that a person cancels or answers: the real dialogs of KWallet and KeePassXC on a
//! screen, and gnome-keyring with a stand-in for the program that shows its prompts.

use serde_json::json;

use crate::{
    DEFAULT, assert_every_call_fails, code,
    provider::{PASSWORD, Provider},
    screen::Screen,
    session::Session,
    worker::Worker,
};

async fn locked_with_a_record(provider: Provider) -> (Session, Screen) {
    let mut session = Session::with(provider).await;
    Worker::start(&session).set(DEFAULT, "kept");
    let screen = Screen::start();
    session.show_on(&screen);
    session.restart_locked().await;
    (session, screen)
}

async fn p1_a_dialog_that_is_cancelled_is_locked(provider: Provider) {
    let (mut session, screen) = locked_with_a_record(provider).await;
    let mut worker = Worker::start(&session);
    for order in [
        json!({ "op": "get", "account": DEFAULT }),
        json!({ "op": "get", "account": "absent" }),
        json!({ "op": "set", "account": DEFAULT, "token": "never stored" }),
        json!({ "op": "clear", "account": DEFAULT }),
        json!({ "op": "list" }),
    ] {
        worker.ask(&order);
        screen.cancel(provider.unlock_dialog()).await;
        let answer = worker.answer();
        assert_eq!(code(&answer), "locked", "{order}: {answer}");
    }
    session.stop_keyring();
    session.start_unlocked().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn p1_a_dialog_of_kwallet_that_is_cancelled_is_locked() {
    p1_a_dialog_that_is_cancelled_is_locked(Provider::KWallet).await;
}

#[tokio::test]
async fn p1_a_dialog_of_keepassxc_that_is_cancelled_is_locked() {
    p1_a_dialog_that_is_cancelled_is_locked(Provider::KeePassXc).await;
}

#[tokio::test]
async fn a_dialog_of_keepassxc_that_is_answered_gives_the_record() {
    let (session, screen) = locked_with_a_record(Provider::KeePassXc).await;
    let mut worker = Worker::start(&session);
    worker.ask(&json!({ "op": "get", "account": DEFAULT }));
    let dialog = Provider::KeePassXc.unlock_dialog();
    screen.answer(dialog, PASSWORD).await;
    assert_eq!(worker.answer()["token"], "kept");
}

// The prompter answers while the test waits for the worker.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_prompt_of_gnome_keyring_that_is_cancelled_is_locked() {
    let mut session = Session::unlocked().await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "kept");
    session.restart_locked().await;
    let prompter = session.dismissing_prompter().await;
    assert_every_call_fails(&mut worker, "locked");
    assert!(prompter.prompts_seen() >= 4, "each call has asked");
    session.unlock().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}
