//! What a page that asks for ever new accounts costs.

use super::*;
use crate::store::memory::MemoryStore;

fn named(number: usize) -> Account {
    Account::new(format!("account-{number}")).unwrap()
}

#[tokio::test]
async fn reads_of_ever_new_accounts_do_not_grow_the_vault() {
    let vault = Vault::new(Arc::new(MemoryStore::default()), LATE, true);
    for number in 0..5_000 {
        assert_eq!(vault.get(&named(number)).await, Ok(None));
    }
    assert!(vault.0.slots.len() <= 1_024);
}

#[tokio::test]
async fn p3_a_revision_never_comes_twice_although_an_account_was_forgotten() {
    let vault = Vault::new(Arc::new(MemoryStore::default()), LATE, true);
    let old = vault.set(&account(), record("t"), None).await.unwrap();
    vault.clear(&account(), None).await.unwrap();
    for number in 0..2_000 {
        assert_eq!(vault.get(&named(number)).await, Ok(None));
    }
    let late = vault.set(&account(), record("late"), Some(old)).await;
    assert_eq!(code(late), ErrorCode::Conflict);
    assert!(vault.clear(&account(), None).await.unwrap() > old + 1);
}

#[tokio::test]
async fn a_record_in_memory_is_kept_when_other_accounts_are_forgotten() {
    let store = Arc::new(MemoryStore::default());
    let vault = Vault::new(store.clone(), LATE, true);
    vault.set(&account(), record("t"), None).await.unwrap();
    for number in 0..5_000 {
        assert_eq!(vault.get(&named(number)).await, Ok(None));
    }
    store.inject(Fault::Fails(ErrorCode::Locked));
    assert_eq!(token(vault.get(&account()).await).unwrap(), "t");
}
