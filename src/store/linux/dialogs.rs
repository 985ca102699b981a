//! The dialogs of the provider: at most one at a time, and each outlives the call that opened it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use dbus::{Path, arg::Variant};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use super::{
    bus::Wanted,
    connection::{BUS_NAME, COLLECTION, Connection, ITEM, NO_OBJECT},
    fault::Fault,
};
use crate::{
    error::{Error, ErrorCode},
    sync::lock,
};

/// How a person answers a dialog.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// With the object that it was about, if the provider names one.
    Agreed(Option<Path<'static>>),
    /// The person closed it, or there is no program to show it.
    Dismissed,
}

type Outcome = Result<Answer, Fault>;

type Pending = Shared<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

/// What a dialog is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// Opening the default collection.
    UnlockCollection,
    /// Letting this app use the item.
    UnlockItem(Path<'static>),
    /// Removing the item.
    Delete(Path<'static>),
    /// Adding an item.
    Create,
}

/// The dialog that is open, if any.
///
/// Calls that need the same dialog wait for the one that is open; calls that need another one let it be answered
/// first. A call that gives up at its deadline leaves the dialog open: when the person answers it later, the
/// next call just works.
#[derive(Default)]
pub(super) struct Dialogs(Arc<Mutex<Option<Open>>>);

struct Open {
    subject: Subject,
    outcome: Pending,
}

impl Dialogs {
    /// Has the person unlock the default collection.
    pub(super) async fn unlock_collection(
        &self,
        connection: &Arc<Connection>,
    ) -> Result<(), Fault> {
        let connection = connection.clone();
        let unlocked = async move {
            let collection = connection.default_collection().await?;
            if let Answer::Dismissed = unlock(&connection, &collection).await? {
                return Ok(Answer::Dismissed);
            }
            // Some providers report success for a prompt that was dismissed.
            let collection = connection.default_collection().await?;
            still_unlocked(connection.is_locked(&collection, COLLECTION).await?)
        };
        agreed(self.show(Subject::UnlockCollection, unlocked).await)
    }

    /// Has the person let this app use the item: KeePassXC asks so for each item that an app has not made since
    /// it was started, unless it is told not to.
    pub(super) async fn unlock_item(
        &self,
        connection: &Arc<Connection>,
        item: &Path<'static>,
    ) -> Result<(), Fault> {
        let (subject, item) = (Subject::UnlockItem(item.clone()), item.clone());
        let connection = connection.clone();
        let unlocked = async move {
            if let Answer::Dismissed = unlock(&connection, &item).await? {
                return Ok(Answer::Dismissed);
            }
            still_unlocked(connection.is_locked(&item, ITEM).await?)
        };
        agreed(self.show(subject, unlocked).await)
    }

    /// Shows the `prompt` that a provider has returned instead of doing something.
    pub(super) async fn confirm(
        &self,
        connection: &Arc<Connection>,
        subject: Subject,
        prompt: Path<'static>,
    ) -> Outcome {
        let connection = connection.clone();
        let confirmed = async move { answered(&connection, &prompt).await };
        self.show(subject, confirmed).await
    }

    /// Waits for the dialog about `subject`, if that is the one that is open.
    pub(super) async fn settled(&self, subject: &Subject) -> Option<Outcome> {
        let open = lock(&self.0)
            .as_ref()
            .filter(|open| open.subject == *subject)
            .map(|open| open.outcome.clone())?;
        Some(open.await)
    }

    async fn show(
        &self,
        subject: Subject,
        dialog: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        let mut dialog = Some(dialog.boxed());
        loop {
            let (outcome, is_ours) = {
                let mut slot = lock(&self.0);
                match (&*slot, dialog.take()) {
                    (None, Some(dialog)) => {
                        let outcome = self.open(dialog);
                        let subject = subject.clone();
                        (slot.insert(Open { subject, outcome }).outcome.clone(), true)
                    }
                    (Some(open), unopened) => {
                        dialog = unopened;
                        let is_ours = open.subject == subject && subject != Subject::Create;
                        (open.outcome.clone(), is_ours)
                    }
                    // The dialog is only taken to be opened.
                    (None, None) => return Err(Fault::provider_gone()),
                }
            };
            let outcome = outcome.await;
            if is_ours {
                return outcome;
            }
        }
    }

    fn open(&self, dialog: BoxFuture<'static, Outcome>) -> Pending {
        struct Closing(Arc<Mutex<Option<Open>>>);
        impl Drop for Closing {
            fn drop(&mut self) {
                *lock(&self.0) = None;
            }
        }
        let closing = Closing(self.0.clone());
        let task = tauri::async_runtime::spawn(async move {
            let _closing = closing;
            dialog.await
        });
        // The task ends early only with the runtime.
        task.map(|joined| joined.unwrap_or_else(|_| Err(Fault::provider_gone())))
            .boxed()
            .shared()
    }
}

fn still_unlocked(is_locked: bool) -> Outcome {
    if is_locked {
        Err(Error::new(ErrorCode::Locked, "the keyring is still locked").into())
    } else {
        Ok(Answer::Agreed(None))
    }
}

fn agreed(outcome: Outcome) -> Result<(), Fault> {
    match outcome? {
        Answer::Agreed(_) => Ok(()),
        Answer::Dismissed => Err(Fault::dismissed()),
    }
}

async fn unlock(connection: &Connection, object: &Path<'static>) -> Outcome {
    let objects = vec![object.clone()];
    let unlock = connection.call_service("Unlock", (objects,));
    let (_unlocked, prompt): (Vec<Path<'static>>, Path<'static>) = unlock.read().await?;
    if &*prompt == NO_OBJECT {
        Ok(Answer::Agreed(None))
    } else {
        answered(connection, &prompt).await
    }
}

/// Shows a prompt and waits for the person.
async fn answered(connection: &Connection, prompt: &Path<'static>) -> Outcome {
    const PROMPT: &str = "org.freedesktop.Secret.Prompt";
    /// No window to show the dialog over.
    const NO_WINDOW: &str = "";
    let completed = Wanted::of(connection.owner.clone(), prompt, PROMPT, "Completed");
    // The prompt of a provider that has ended is never answered.
    let ended = Wanted::new_owner_of(BUS_NAME);
    let mut signals = connection.bus.signals([completed, ended]).await?;
    let shown = connection.call(prompt, PROMPT, "Prompt", (NO_WINDOW,));
    let () = shown.read().await?;
    let signal = signals.next().await.ok_or_else(Fault::provider_gone)?;
    if signal.path().as_ref() != Some(prompt) {
        return Err(Fault::provider_gone());
    }
    Ok(match signal.get2() {
        (Some(true), _) => Answer::Dismissed,
        (_, object) => {
            Answer::Agreed(object.map(|object: Variant<Path<'_>>| object.0.into_static()))
        }
    })
}
