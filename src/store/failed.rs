//! In the place of a store that could not be opened: the app starts, and each call tells why it fails.

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{Item, Prompts, SecretStore, StoreInfo, StoreState};
use crate::error::{Error, ErrorCode, Result};

/// Answers every call with the same error.
struct FailedStore(Error);

/// A store whose calls are all `unavailable` because of `error`.
///
/// # Errors
///
/// `misconfigured`: a fault of the build, with which the app should not start.
pub(super) fn in_place_of(error: Error) -> Result<Arc<dyn SecretStore>> {
    if error.code() == ErrorCode::Misconfigured {
        return Err(error);
    }
    log::error!("the key store could not be opened: {error}");
    let message = format!("the key store could not be opened: {}", error.message());
    Ok(Arc::new(FailedStore(Error::new(
        ErrorCode::Unavailable,
        message,
    ))))
}

impl FailedStore {
    fn fail<T>(&self) -> Result<T> {
        Err(self.0.clone())
    }
}

#[async_trait]
impl SecretStore for FailedStore {
    async fn get(&self, _: &Item, _: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.fail()
    }

    async fn set(&self, _: &Item, _: &[u8], _: &Prompts) -> Result<()> {
        self.fail()
    }

    async fn delete(&self, _: &Item, _: &Prompts) -> Result<()> {
        self.fail()
    }

    async fn list(&self, _: &Prompts) -> Result<Vec<Item>> {
        self.fail()
    }

    async fn info(&self) -> StoreInfo {
        StoreInfo {
            store: "unknown".into(),
            persistent: false,
            durable: false,
            hardware: false,
            state: StoreState::Unavailable,
            detail: self.0.message().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Account;

    #[tokio::test]
    async fn p1_each_call_of_a_store_that_could_not_be_opened_is_unavailable() {
        let store = in_place_of(Error::internal("no home")).unwrap();
        let (item, prompts) = (Item::of(&Account::default()), Prompts::default());
        for result in [
            store.get(&item, &prompts).await.map(drop),
            store.set(&item, b"x", &prompts).await,
            store.delete(&item, &prompts).await,
            store.list(&prompts).await.map(drop),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unavailable);
            assert!(error.message().contains("no home"), "{error}");
        }
        let info = store.info().await;
        assert_eq!(info.state, StoreState::Unavailable);
        assert!(info.detail.contains("no home"));
    }

    #[test]
    fn a_fault_of_the_build_keeps_the_app_from_starting() {
        let error = Error::new(ErrorCode::Misconfigured, "the shim is missing");
        assert_eq!(in_place_of(error.clone()).err(), Some(error));
    }
}
