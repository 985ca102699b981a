//! How much a call asks of the bus and of the provider.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;
use zbus::fdo::DBusProxy;

use crate::{DEFAULT, code, session::Session, stand_in::StandIn, worker::Worker};

/// Only a call that takes more round trips than it should is waited for so long.
const TOO_LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_call_takes_two_round_trips_also_after_a_create() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    let mut worker = Worker::start(&session);
    worker.set(DEFAULT, "created");
    for order in [
        json!({ "op": "get", "account": DEFAULT }),
        json!({ "op": "set", "account": DEFAULT, "token": "replaced" }),
        json!({ "op": "get", "account": DEFAULT }),
        json!({ "op": "clear", "account": DEFAULT }),
    ] {
        provider.hold();
        worker.ask(&order);
        let let_through = async {
            // The default collection, the search, the lock, the attributes of the item that was found last.
            provider.let_through(4).await;
            // The secret is read or written, or the item is removed.
            provider.let_through(1).await;
        };
        let passed = timeout(TOO_LONG, let_through).await;
        assert!(passed.is_ok(), "{order} takes more round trips");
        provider.stop_holding();
        let answer = worker.answer();
        assert_eq!(code(&answer), "no error", "{order}: {answer}");
    }
}

#[tokio::test]
async fn a_process_has_one_connection_to_the_bus() {
    let session = Session::unlocked().await;
    let bus = DBusProxy::new(&session.client()).await.unwrap();
    let before = bus.list_names().await.unwrap().len();
    let mut worker = Worker::start(&session);
    for account in [DEFAULT, "other"] {
        worker.set(account, "kept");
        worker.get(account);
    }
    worker.list();
    worker.info();
    assert_eq!(bus.list_names().await.unwrap().len(), before + 1);
}
