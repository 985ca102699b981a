//! The store of an app whose identifier has changed: what rests under the earlier identifier is read until
//! it has been moved.
//!
//! An item under today's identifier hides the one under the earlier. A write goes to today's and, once it has
//! been read back, removes the earlier item. A removal begins with the earlier item, so that one which fails
//! half way brings nothing back.

use std::{collections::HashSet, sync::Arc};

use zeroize::Zeroizing;

use super::{Exclusive, Item, Prompts, SecretStore, StoreInfo, async_trait};
use crate::error::{Error, ErrorCode, Result};

pub(crate) struct Renamed {
    now: Arc<dyn SecretStore>,
    earlier: Arc<dyn SecretStore>,
}

impl Renamed {
    pub(crate) fn new(now: Arc<dyn SecretStore>, earlier: Arc<dyn SecretStore>) -> Self {
        Self { now, earlier }
    }

    /// Removes what rests under the earlier identifier, once `bytes` can be read under that of now.
    async fn remove_earlier(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        if self.earlier.get(item, prompts).await?.is_none() {
            return Ok(());
        }
        let stored = self.now.get(item, prompts).await?;
        if stored.is_none_or(|stored| *stored != bytes) {
            return Err(Error::internal(
                "the store does not return what was just written",
            ));
        }
        self.earlier.delete(item, prompts).await
    }
}

#[async_trait]
impl SecretStore for Renamed {
    async fn get(&self, item: &Item, prompts: &Prompts) -> Result<Option<Zeroizing<Vec<u8>>>> {
        match self.now.get(item, prompts).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.earlier.get(item, prompts).await,
        }
    }

    async fn set(&self, item: &Item, bytes: &[u8], prompts: &Prompts) -> Result<()> {
        self.now.set(item, bytes, prompts).await?;
        // Stored, whatever follows: an earlier item that stays is hidden.
        if let Err(error) = self.remove_earlier(item, bytes, prompts).await {
            log::warn!("an item under the earlier identifier is still there: {error}");
        }
        Ok(())
    }

    async fn delete(&self, item: &Item, prompts: &Prompts) -> Result<()> {
        let was_there = self.earlier.get(item, prompts).await?.is_some();
        if was_there {
            self.earlier.delete(item, prompts).await?;
        }
        let removed = self.now.delete(item, prompts).await;
        removed.map_err(|error| {
            if was_there {
                // The caller takes other codes for "nothing has changed".
                Error::new(ErrorCode::Unavailable, error.message().to_owned())
            } else {
                error
            }
        })
    }

    async fn list(&self, prompts: &Prompts) -> Result<Vec<Item>> {
        let now = self.now.list(prompts).await?;
        let earlier = self.earlier.list(prompts).await?;
        let all: HashSet<Item> = now.into_iter().chain(earlier).collect();
        Ok(all.into_iter().collect())
    }

    async fn info(&self) -> StoreInfo {
        self.now.info().await
    }

    async fn exclusive(&self) -> Result<Exclusive> {
        self.now.exclusive().await
    }

    fn is_shared(&self) -> bool {
        self.now.is_shared()
    }

    fn max_len(&self) -> Option<usize> {
        self.now.max_len()
    }

    fn max_chunks(&self) -> Option<u32> {
        self.now.max_chunks()
    }
}
