//! What holds with every provider of the Secret Service.

use serde_json::{Value, json};

use crate::{
    DEFAULT, assert_every_call_fails, code,
    provider::Provider,
    session::{SERVICE, Session},
    worker::Worker,
};

async fn a_token_outlives_the_processes_and_goes_when_cleared(provider: Provider) {
    let mut session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.set(DEFAULT, "first"), json!({ "revision": 1 }));
    assert_eq!(worker.set(DEFAULT, "second"), json!({ "revision": 2 }));
    assert_eq!(
        worker.set("J\u{fc}rgen {REF}", "other"),
        json!({ "revision": 1 })
    );
    drop(worker);
    session.stop_keyring();
    session.start_unlocked().await;

    let mut worker = Worker::start(&session);
    assert_eq!(worker.get(DEFAULT)["token"], "second");
    assert_eq!(worker.list(), json!(["J\u{fc}rgen {REF}", "default"]));
    assert_eq!(worker.clear(DEFAULT), json!({ "revision": 1 }));
    assert_eq!(worker.clear(DEFAULT), json!({ "revision": 2 }));
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.list(), json!(["J\u{fc}rgen {REF}"]));
}

async fn p7_a_token_moves_to_the_new_identifier_of_the_app(provider: Provider) {
    let session = Session::with(provider).await;
    let mut before = Worker::start(&session);
    before.set(DEFAULT, "signed in");
    before.set("work", "too");

    let mut after = Worker::renamed(&session, Some(SERVICE));
    assert_eq!(after.get(DEFAULT)["token"], "signed in");
    while before.list() != json!([]) {}
    assert_eq!(after.list(), json!(["default", "work"]));
    drop(after);

    let mut later = Worker::renamed(&session, None);
    assert_eq!(later.get(DEFAULT)["token"], "signed in");
    assert_eq!(later.get("work")["token"], "too");
}

async fn another_process_replaces_and_clears_what_one_wrote(provider: Provider) {
    let session = Session::with(provider).await;
    let (mut one, mut other) = (Worker::start(&session), Worker::start(&session));
    assert_eq!(one.set(DEFAULT, "of one"), json!({ "revision": 1 }));
    assert_eq!(other.get(DEFAULT)["token"], "of one");
    assert!(other.set(DEFAULT, "of the other")["revision"].is_u64());
    assert_eq!(one.get(DEFAULT)["token"], "of the other");
    assert!(one.clear(DEFAULT)["revision"].is_u64());
    assert_eq!(other.get(DEFAULT), Value::Null);
}

async fn tokens_of_every_size_and_kind_come_back_whole(provider: Provider) {
    let session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    let long = |length| ('!'..='~').cycle().take(length).collect::<String>();
    let kinds = ["{REF:P@I:1}", "line\nbreak", "\u{fc}\u{1f511}\u{80}"];
    let sizes = [64, 2 * 1024, 100 * 1024, 1024 * 1024].map(long);
    for token in kinds.map(String::from).into_iter().chain(sizes) {
        assert!(worker.set(DEFAULT, &token)["revision"].is_u64());
        assert_eq!(worker.get(DEFAULT)["token"], token);
    }
}

async fn p1_items_of_other_programs_are_left_alone(provider: Provider) {
    let session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    let more = ["other", "program"];
    session.secret_tool_store(DEFAULT, &more, "theirs");
    assert_eq!(worker.get(DEFAULT), Value::Null);
    assert_eq!(worker.list(), json!([]));
    assert_eq!(worker.set(DEFAULT, "ours"), json!({ "revision": 1 }));
    assert_eq!(worker.get(DEFAULT)["token"], "ours");
    worker.clear(DEFAULT);
    assert_eq!(session.secret_tool_lookup(DEFAULT, &more), "theirs");
}

async fn p1_a_provider_that_went_is_unavailable_and_found_again(provider: Provider) {
    let mut session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    assert_eq!(worker.set(DEFAULT, "kept"), json!({ "revision": 1 }));
    for number in 0..3 {
        session.stop_keyring();
        assert_every_call_fails(&mut worker, "unavailable");
        session.start_unlocked().await;
        assert_eq!(worker.get(DEFAULT)["token"], "kept");
        session.stop_keyring();
        session.start_unlocked().await;
        let set = worker.set("other", &format!("t{number}"));
        assert!(set["revision"].is_u64(), "{set}");
        session.stop_keyring();
        session.start_unlocked().await;
        assert!(worker.clear("other")["revision"].is_u64());
    }
    assert_eq!(worker.list(), json!([DEFAULT]));
}

async fn p1_p6_a_locked_provider_whose_prompt_nobody_answers_is_locked(provider: Provider) {
    let mut session = Session::with(provider).await;
    Worker::start(&session).set(DEFAULT, "kept");
    session.restart_locked().await;
    let _prompter = session.ignoring_prompter().await;
    let mut worker = Worker::with_deadline(&session, 4_000);
    assert_eq!(worker.info()["state"], "locked");
    assert_eq!(code(&worker.get(DEFAULT)), "locked");
    assert_eq!(code(&worker.set(DEFAULT, "new")), "locked");
    assert_eq!(code(&worker.clear(DEFAULT)), "locked");
    session.stop_keyring();
    session.start_unlocked().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

async fn p1_an_item_under_our_name_that_we_did_not_write_is_an_error_and_kept(provider: Provider) {
    let session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    for theirs in ["theirs", "{", "{\"token\":1}", "{REF:P@I:1}"] {
        session.secret_tool_store(DEFAULT, &[], theirs);
        let answer = worker.get(DEFAULT);
        assert_eq!(code(&answer), "corrupt", "{theirs}: {answer}");
        // KeePassXC follows a reference for whoever asks, and this one leads nowhere.
        if provider != Provider::KeePassXc || !theirs.starts_with("{REF") {
            assert_eq!(session.secret_tool_lookup(DEFAULT, &[]), theirs);
        }
        assert!(worker.set(DEFAULT, "ours")["revision"].is_u64());
        assert_eq!(worker.get(DEFAULT)["token"], "ours");
        worker.clear(DEFAULT);
    }
}

/// What is acknowledged is on the disk with gnome-keyring alone; `store_info` says so. What the others
/// lose is what was written since they saved, never what they had saved before.
async fn p1_p2_a_provider_that_is_killed_before_it_saves_loses_no_more_than_it_says(
    provider: Provider,
) {
    let mut session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "saved");
    session.stop_keyring();
    session.start_unlocked().await;
    assert!(worker.set(DEFAULT, "late")["revision"].is_u64());
    assert!(worker.set("new", "late")["revision"].is_u64());
    let durable = worker.info()["durable"] == true;
    session.kill_keyring();
    session.start_unlocked().await;

    let mut worker = Worker::start(&session);
    let (replaced, new) = (worker.get(DEFAULT), worker.get("new"));
    if durable {
        assert_eq!(replaced["token"], "late");
        assert_eq!(new["token"], "late");
    } else {
        // KWallet writes attributes at once, and the empty value of an item is damage.
        let is_kept = ["saved", "late"].contains(&replaced["token"].as_str().unwrap_or_default());
        assert!(is_kept || code(&replaced) == "corrupt", "{replaced}");
        assert!(
            new.is_null() || new["token"] == "late" || code(&new) == "corrupt",
            "{new}"
        );
    }
    for account in [DEFAULT, "new"] {
        assert!(worker.set(account, "again")["revision"].is_u64());
        assert_eq!(worker.get(account)["token"], "again");
    }
}

async fn store_info_names_the_provider_and_says_whether_it_is_durable(provider: Provider) {
    let session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    let info = worker.info();
    assert_eq!(info["store"], provider.name());
    assert_eq!(info["durable"], provider == Provider::GnomeKeyring);
    assert_eq!(info["persistent"], true);
}

/// As it happens on a desktop with gnome-keyring installed, whose bus starts it when another provider
/// has ended.
async fn p1_a_provider_replaced_by_an_empty_keyring_is_unavailable(provider: Provider) {
    let mut session = Session::with(provider).await;
    let mut worker = Worker::start(&session);
    assert_eq!(worker.set(DEFAULT, "kept"), json!({ "revision": 1 }));
    session.stop_keyring();
    session.start_empty().await;
    assert_every_call_fails(&mut worker, "unavailable");
    session.kill_keyring();
    session.start_unlocked().await;
    assert_eq!(worker.get(DEFAULT)["token"], "kept");
}

#[tokio::test]
async fn p1_kwallet_replaced_by_an_empty_keyring_is_unavailable() {
    p1_a_provider_replaced_by_an_empty_keyring_is_unavailable(Provider::KWallet).await;
}

#[tokio::test]
async fn p1_keepassxc_replaced_by_an_empty_keyring_is_unavailable() {
    p1_a_provider_replaced_by_an_empty_keyring_is_unavailable(Provider::KeePassXc).await;
}

macro_rules! with_every_provider {
    ($($test:ident),* $(,)?) => {
        mod gnome_keyring {
            $(#[tokio::test] async fn $test() { super::$test(super::Provider::GnomeKeyring).await })*
        }
        mod kwallet {
            $(#[tokio::test] async fn $test() { super::$test(super::Provider::KWallet).await })*
        }
        mod keepassxc {
            $(#[tokio::test] async fn $test() { super::$test(super::Provider::KeePassXc).await })*
        }
    };
}

with_every_provider!(
    a_token_outlives_the_processes_and_goes_when_cleared,
    p7_a_token_moves_to_the_new_identifier_of_the_app,
    another_process_replaces_and_clears_what_one_wrote,
    tokens_of_every_size_and_kind_come_back_whole,
    p1_an_item_under_our_name_that_we_did_not_write_is_an_error_and_kept,
    p1_items_of_other_programs_are_left_alone,
    p1_p2_a_provider_that_is_killed_before_it_saves_loses_no_more_than_it_says,
    p1_a_provider_that_went_is_unavailable_and_found_again,
    p1_p6_a_locked_provider_whose_prompt_nobody_answers_is_locked,
    store_info_names_the_provider_and_says_whether_it_is_durable,
);
