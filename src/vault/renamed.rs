//! Moves the records of an app whose identifier has changed.

use std::sync::Arc;

use super::{ChangedBy, Vault};
use crate::{
    error::{ErrorCode, Result},
    store::SecretStore,
    task,
    token::Account,
};

impl Vault {
    /// Writes each record that is still in `earlier` once more, which moves it: the store of this vault reads
    /// through to `earlier`. In the background; a record that cannot be moved now is read from there, and is
    /// moved by its next write or at the next start.
    pub(crate) fn move_from(&self, earlier: Arc<dyn SecretStore>) {
        let (vault, earlier) = (self.clone(), Self::new(earlier, self.0.limit, false));
        task::spawn(async move {
            if let Err(error) = vault.move_all(&earlier).await {
                log::warn!("the records under the earlier identifier are not moved yet: {error}");
            }
        });
    }

    async fn move_all(&self, earlier: &Self) -> Result<()> {
        for account in earlier.list().await? {
            match self.rewrite(&account).await {
                // Somebody else has written it, which moves it too.
                Err(error) if error.code() == ErrorCode::Conflict => {}
                moved => moved?,
            }
        }
        Ok(())
    }

    async fn rewrite(&self, account: &Account) -> Result<()> {
        if let Some(stored) = self.get_shared(account).await? {
            let same_login = ChangedBy::Rotation;
            self.set_shared(account, stored.record, Some(stored.revision), same_login)
                .await?;
        }
        Ok(())
    }
}
