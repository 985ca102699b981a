//! Writes of which nobody knows whether they happened.

use super::*;

over_each_store! {
    p2_a_read_before_a_write_lands_late_is_not_kept,
    p2_an_unanswered_prompt_leaves_open_what_the_record_is,
    p2_a_write_that_timed_out_spends_a_revision_and_is_told,
    p3_a_clear_that_failed_halfway_is_not_undone_by_memory,
    p2_a_write_that_never_got_its_turn_changes_nothing,
}

fn land_late(store: &TestStore, token: &str) {
    let bytes = envelope::encode(&record(token)).unwrap();
    store.poke(Item::of(&account()), bytes.to_vec());
}

async fn p2_a_read_before_a_write_lands_late_is_not_kept(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Hangs);
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    store.heal();
    assert!(vault.get(&account()).await.is_ok());
    land_late(&store, "late");
    assert_eq!(token(vault.get(&account()).await).unwrap(), "late");
    // The next write that the store acknowledges ends the doubt.
    vault.set(&account(), record("next"), None).await.unwrap();
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "next");
}

async fn p2_an_unanswered_prompt_leaves_open_what_the_record_is(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Prompts);
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), store.unanswered_prompt());
    store.heal();
    // A keychain carries out what its dialog has asked for before this read.
    assert!(vault.get(&account()).await.is_ok());
    land_late(&store, "late");
    assert_eq!(token(vault.get(&account()).await).unwrap(), "late");
}

async fn p2_a_write_that_timed_out_spends_a_revision_and_is_told(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    let revision = vault.set(&account(), record("old"), None).await.unwrap();
    let notices = Arc::new(Mutex::new(Vec::new()));
    let _watch = vault.watch({
        let notices = notices.clone();
        move |notice| lock(&notices).push((notice.revision, notice.present))
    });
    store.inject(Fault::Hangs);
    let clear = vault.clear(&account(), None).await;
    assert_eq!(code(clear), ErrorCode::Timeout);
    assert_eq!(*lock(&notices), [(revision + 1, true)]);
    store.heal();
    let late = vault.set(&account(), record("new"), Some(revision)).await;
    assert_eq!(code(late), ErrorCode::Conflict);
}

async fn p3_a_clear_that_failed_halfway_is_not_undone_by_memory(kind: Kind) {
    let (vault, store) = vault(kind, LATE);
    let codes = [ErrorCode::Internal, ErrorCode::Locked, ErrorCode::Denied];
    for (calls, code) in (0..6).flat_map(|calls| codes.map(|code| (calls, code))) {
        vault.set(&account(), record("t"), None).await.unwrap();
        store.inject(Fault::FailsAfter(calls, code));
        let cleared = vault.clear(&account(), None).await.is_ok();
        store.heal();
        let at_rest = store.vault(LATE).get(&account()).await;
        let is_gone = token(at_rest).is_none();
        assert!(is_gone || !cleared);
        assert_eq!(token(vault.get(&account()).await).is_none(), is_gone);
    }
}

async fn p2_a_write_that_never_got_its_turn_changes_nothing(kind: Kind) {
    let (vault, store) = vault(kind, SOON);
    let revision = vault.set(&account(), record("old"), None).await.unwrap();
    let slot = vault.slot(&account());
    let turn = slot.order.lock().await;
    assert_eq!(
        code(vault.clear(&account(), None).await),
        ErrorCode::Timeout
    );
    drop(turn);
    store.inject(Fault::Fails(ErrorCode::Locked));
    let stored = vault.get(&account()).await.unwrap().unwrap();
    assert_eq!((stored.record, stored.revision), (record("old"), revision));
}
