//! A store that never answers: what is told of its state.

use std::future::pending;

use async_trait::async_trait;

use super::*;

struct Silent;

#[async_trait]
impl SecretStore for Silent {
    async fn get(&self, _: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        pending().await
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
