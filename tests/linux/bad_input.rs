//! Answers of a provider that are wrong, cut or late, and items under our name that we did not write.

use crate::{
    DEFAULT, code,
    session::Session,
    stand_in::{Bad, Call, StandIn},
    worker::Worker,
};

#[tokio::test]
async fn p1_a_provider_that_answers_badly_is_an_error_and_the_next_call_works() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    Worker::start(&session).set(DEFAULT, "kept");
    for (call, bad) in [
        (Call::Search, Bad::Refusal),
        (Call::GetSecret, Bad::Refusal),
        (Call::GetSecret, Bad::OtherSession),
        (Call::GetSecret, Bad::HalfASecret),
        (Call::GetSecret, Bad::Garbage),
    ] {
        let mut worker = Worker::start(&session);
        for _ in 0..2 {
            provider.answers_badly(call, bad);
            let answer = worker.get(DEFAULT);
            assert_eq!(code(&answer), "internal", "{call:?} {bad:?}: {answer}");
            provider.mend();
            assert_eq!(worker.get(DEFAULT)["token"], "kept", "{call:?} {bad:?}");
            let set = worker.set(DEFAULT, "kept");
            assert!(set["revision"].is_u64(), "{call:?} {bad:?}: {set}");
        }
    }
}

#[tokio::test]
async fn p6_an_answer_that_comes_after_the_deadline_is_dropped_and_the_next_call_works() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    Worker::start(&session).set(DEFAULT, "kept");
    for call in [Call::Search, Call::GetSecret] {
        let mut worker = Worker::with_deadline(&session, 3_000);
        provider.answers_badly(call, Bad::Late);
        assert_eq!(code(&worker.get(DEFAULT)), "timeout", "{call:?}");
        provider.mend();
        assert_eq!(worker.get(DEFAULT)["token"], "kept", "{call:?}");
    }
}

#[tokio::test]
async fn p2_a_write_whose_answer_comes_late_leaves_the_old_record_or_the_new_one() {
    let session = Session::without_keyring().await;
    let provider = StandIn::start(&session).await;
    let mut worker = Worker::with_deadline(&session, 3_000);
    worker.set(DEFAULT, "old");
    provider.answers_badly(Call::SetSecret, Bad::Late);
    assert_eq!(code(&worker.set(DEFAULT, "new")), "timeout");
    provider.mend();
    let stored = worker.get(DEFAULT);
    assert!(
        stored["token"] == "old" || stored["token"] == "new",
        "{stored}"
    );

    provider.answers_badly(Call::SetSecret, Bad::Refusal);
    let before = worker.get(DEFAULT)["token"].clone();
    assert_eq!(code(&worker.set(DEFAULT, "refused")), "internal");
    assert_eq!(worker.get(DEFAULT)["token"], before);
    provider.mend();
    assert!(worker.set(DEFAULT, "next")["revision"].is_u64());
    assert_eq!(worker.get(DEFAULT)["token"], "next");
}
