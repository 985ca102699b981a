//! A store that never answers.

use std::future::pending;

use async_trait::async_trait;

use super::*;

struct Silent;

#[async_trait]
impl SecretStore for Silent {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        match item.account.as_str() {
            "with a prompt" => prompts.waiting(pending()).await,
            _ => pending().await,
        }
    }

    async fn set(&self, _: &Item, _: &[u8], _: &Prompts) -> Result<()> {
        pending().await
    }

    async fn delete(&self, _: &Item, _: &Prompts) -> Result<()> {
        pending().await
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        pending().await
    }

    async fn info(&self) -> StoreInfo {
        pending().await
    }
}

#[tokio::test]
async fn p6_a_store_that_does_not_tell_its_state_is_unavailable() {
    let vault = Vault::new(Arc::new(Silent), SOON, true);
    assert_eq!(vault.info().await.unwrap().state, StoreState::Unavailable);
}

#[tokio::test]
async fn p6_a_store_that_does_not_tell_its_state_amid_a_prompt_is_locked() {
    let vault = Vault::new(Arc::new(Silent), SOON, true);
    let mut prompt = Box::pin(vault.0.prompts.waiting(pending::<()>()));
    started(&mut prompt).await;
    assert_eq!(vault.info().await.unwrap().state, StoreState::Locked);
}

#[tokio::test]
async fn p6_the_prompt_of_one_account_does_not_make_the_timeout_of_another_a_locked_store() {
    let vault = Vault::new(Arc::new(Silent), SOON, true);
    let (asking, other) = (Account::new("with a prompt").unwrap(), account());
    let (asked, timed_out) = tokio::join!(vault.get(&asking), vault.get(&other));
    assert_eq!(code(asked), ErrorCode::Locked);
    assert_eq!(code(timed_out), ErrorCode::Timeout);
}
