//! What only the keychains of macOS do: a call that cannot be called off, one that panics, and an app
//! that is not signed for its keychain.

use super::{
    stores::{Kind, TestStore},
    *,
};

/// Over one open keychain: a vault that gives up soon, and one that waits.
fn vaults(store: &TestStore) -> (Vault, Vault) {
    let keychain = store.open();
    (
        Vault::new(keychain.clone(), SOON, true),
        Vault::new(keychain, LATE, true),
    )
}

#[tokio::test]
async fn p2_a_write_whose_dialog_is_answered_late_is_what_the_next_read_finds() {
    let store = TestStore::new(Kind::LoginKeychain);
    let (vault, patient) = vaults(&store);
    vault.set(&account(), record("old"), None).await.unwrap();
    store.inject(Fault::Prompts);
    let set = vault.set(&account(), record("new"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    store.heal();
    assert_eq!(token(patient.get(&account()).await).unwrap(), "new");
    assert_eq!(token(vault.get(&account()).await).unwrap(), "new");
}

#[tokio::test]
async fn p3_a_write_whose_dialog_is_answered_late_does_not_survive_a_clear() {
    let store = TestStore::new(Kind::LoginKeychain);
    let (impatient, patient) = vaults(&store);
    store.inject(Fault::Prompts);
    let set = impatient.set(&account(), record("late"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    let account = account();
    let mut clear = Box::pin(patient.clear(&account, None));
    started(&mut clear).await;
    store.heal();
    clear.await.unwrap();
    assert!(store.items_stored().is_empty());
}

#[tokio::test]
async fn p6_what_waits_behind_a_dialog_and_is_given_up_has_no_effect() {
    let store = TestStore::new(Kind::LoginKeychain);
    let (impatient, patient) = vaults(&store);
    store.inject(Fault::Prompts);
    let other = Account::new("other").unwrap();
    let mut dialog = Box::pin(patient.get(&other));
    started(&mut dialog).await;
    until(|| store.hanging() == 1).await;
    let set = impatient.set(&account(), record("t"), None).await;
    assert_eq!(code(set), ErrorCode::Timeout);
    store.heal();
    assert_eq!(dialog.await, Ok(None));
    assert_eq!(patient.get(&account()).await, Ok(None));
}

#[tokio::test]
async fn p1_an_app_that_is_not_signed_for_its_keychain_is_told_so_by_every_call() {
    let store = TestStore::new(Kind::DataProtectionKeychain);
    store
        .vault(LATE)
        .set(&account(), record("of a signed build"), None)
        .await
        .unwrap();
    store.inject(Fault::Fails(ErrorCode::Misconfigured));
    let vault = store.vault(LATE);
    let set = vault.set(&account(), record("t"), None).await;
    for code in [
        code(vault.get(&account()).await),
        code(set),
        code(vault.clear(&account(), None).await),
        code(vault.list().await),
    ] {
        assert_eq!(code, ErrorCode::Misconfigured);
    }
    let info = vault.info().await.unwrap();
    assert_eq!(info.state, StoreState::Unavailable);
    assert!(info.detail.contains("-34018") && info.detail.contains("sign the app"));
    store.heal();
    let stored = token(vault.get(&account()).await).unwrap();
    assert_eq!(stored, "of a signed build");
}

#[tokio::test]
async fn p6_a_call_that_panics_fails_alone() {
    let store = TestStore::new(Kind::LoginKeychain);
    let vault = store.vault(LATE);
    store.panic();
    assert_eq!(code(vault.get(&account()).await), ErrorCode::Internal);
    assert_eq!(code(vault.list().await), ErrorCode::Internal);
    store.heal();
    assert_eq!(vault.get(&account()).await, Ok(None));
}
