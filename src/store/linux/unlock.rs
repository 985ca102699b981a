//! The unlock prompt: at most one at a time, and it outlives the call that opened it.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex},
};

use futures_util::{
    FutureExt, StreamExt,
    future::{Either, Shared, select},
};

use super::{connection::Connection, fault::Fault};
use crate::{Error, ErrorCode, sync::lock};

type Pending = Shared<Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>>;

/// The prompt that is open, if any.
///
/// Calls that find the keyring locked wait for the same prompt. A call that gives up at its deadline
/// leaves the prompt open: when the person answers it later, the next call just works.
#[derive(Default)]
pub(super) struct Unlocking(Arc<Mutex<Option<Pending>>>);

impl Unlocking {
    pub(super) async fn unlock(&self, connection: &Arc<Connection>) -> Result<(), Fault> {
        let pending = {
            let mut open = lock(&self.0);
            match &*open {
                Some(pending) => pending.clone(),
                None => open.insert(self.prompt(connection.clone())).clone(),
            }
        };
        pending.await
    }

    fn prompt(&self, connection: Arc<Connection>) -> Pending {
        let open = self.0.clone();
        let task = tauri::async_runtime::spawn(async move {
            let answer = unlock(&connection).await;
            *lock(&open) = None;
            answer
        });
        // oo7 panics where the bus goes away while its prompt is open; the task ends with it.
        let open = self.0.clone();
        task.map(move |joined| {
            joined.unwrap_or_else(|_| {
                *lock(&open) = None;
                Err(Fault::provider_gone())
            })
        })
        .boxed()
        .shared()
    }
}

async fn unlock(connection: &Connection) -> Result<(), Fault> {
    // The prompt of a provider that has ended is never answered, and no client library notices.
    let mut owners = connection.owner_changes().await?;
    let collection = connection.default_collection().await?;
    let answered = pin!(collection.unlock(None));
    match select(answered, owners.next()).await {
        Either::Left((answer, _)) => answer?,
        Either::Right(_) => return Err(Fault::provider_gone()),
    }
    // Some providers report success for a prompt that was dismissed.
    let collection = connection.default_collection().await?;
    if connection.is_locked(collection.path()).await? {
        return Err(Error::new(ErrorCode::Locked, "the keyring is still locked").into());
    }
    Ok(())
}
