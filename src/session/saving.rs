//! Brings memory and store together: the first read, reads after a change elsewhere, and writes that are
//! tried again until they succeed.

use std::sync::Arc;

use super::{
    owner::Owner,
    pause,
    snapshot::Snapshot,
    state::{Basis, Saved, State, Write},
};
use crate::{
    error::{ErrorCode, Result},
    record::Record,
    task,
    vault::AtRestNow,
};

/// What to do after an attempt to write.
enum Next {
    Done,
    Again,
    Later { failures: u32 },
}

impl Owner {
    /// Reads the store for the first time.
    pub(super) async fn read_first(self: Arc<Self>) {
        let turn = self.saving.lock().await;
        let read = self.common.vault.get_shared(&self.account).await;
        let was_interrupted = match &read {
            Ok(Some(stored)) => {
                let refresh_token = stored.record.refresh_token.as_ref();
                self.was_interrupted(refresh_token).await
            }
            _ => false,
        };
        let login = self.number();
        self.change(|state| {
            // Somebody may have signed in or out meanwhile.
            match read {
                Ok(_) if state.is_read() => {}
                Ok(Some(stored)) => {
                    state.adopt(stored.into(), login);
                    if was_interrupted {
                        state.interrupted();
                    }
                }
                Ok(None) => state.adopt(AtRestNow::NOTHING, login),
                Err(error) => state.cannot_read(error),
            }
        });
        drop(turn);
        self.refresh_ahead();
        self.renew_if_interrupted();
    }

    /// Brings memory and store together now. Never fails: what went wrong is in the snapshot.
    pub(crate) async fn hydrate(self: &Arc<Self>) -> Snapshot {
        if self.look(|state| matches!(state.saved, Saved::No(_))) {
            self.save().await;
        } else {
            self.change(State::read_again);
            let turn = self.saving.lock().await;
            self.pull().await;
            drop(turn);
            self.renew_if_interrupted();
        }
        self.refresh_ahead();
        self.snapshot()
    }

    /// Takes over what the store holds. Called with the turn to save.
    pub(super) async fn pull(&self) {
        let (epoch, is_read) = self.look(|state| (state.epoch, state.is_read()));
        let found = self.common.vault.reread(&self.account).await;
        let was_interrupted = match &found {
            Ok(now) if !is_read => {
                let record = now.record.as_ref();
                let refresh_token = record.and_then(|record| record.refresh_token.as_ref());
                self.was_interrupted(refresh_token).await
            }
            _ => false,
        };
        let login = self.number();
        self.change(|state| {
            if state.epoch != epoch || matches!(state.saved, Saved::No(_)) {
                return;
            }
            match found {
                // The store is empty since it is to keep nothing of this login.
                Ok(now) if now.record.is_none() && state.is_not_kept() => {}
                Ok(now) => {
                    state.adopt(now, login);
                    if was_interrupted {
                        state.interrupted();
                    }
                }
                Err(error) => state.cannot_read(error),
            }
        });
    }

    /// Brings the store to what memory holds. Resolves when the store has been asked once; a failure
    /// that may pass is tried again in the background.
    pub(super) async fn save(self: &Arc<Self>) {
        let _turn = self.saving.lock().await;
        loop {
            let Some(write) = self.look(State::unsaved) else {
                return;
            };
            match self.write(write).await {
                Next::Done => return,
                Next::Again => {}
                Next::Later { failures } => {
                    self.save_later(failures);
                    return;
                }
            }
        }
    }

    /// Carries `write` out, if nothing has changed since.
    async fn write(self: &Arc<Self>, write: Write) -> Next {
        let Write {
            epoch,
            record,
            basis,
        } = write;
        if matches!(basis, Basis::Anything { not_read: true }) {
            self.revoke_what_is_at_rest(epoch, record.as_ref()).await;
        }
        let if_revision = match &basis {
            Basis::Anything { .. } => None,
            Basis::Record { revision, .. } => Some(*revision),
        };
        let vault = &self.common.vault;
        let result = match &record {
            Some(record) => {
                vault
                    .set_shared(
                        &self.account,
                        record.clone(),
                        if_revision,
                        basis.changed_by(),
                    )
                    .await
            }
            None => vault.clear_shared(&self.account, if_revision).await,
        };
        if let (Err(error), Basis::Record { record: before, .. }) = (&result, &basis)
            && error.code() == ErrorCode::Conflict
        {
            let found = self.common.vault.reread(&self.account).await;
            return self.settle(epoch, found, record.as_ref(), before);
        }
        self.change(|state| match state.written(epoch, result) {
            Some(failures) => Next::Later { failures },
            None if state.epoch == epoch => Next::Done,
            None => Next::Again,
        })
    }

    /// The store is at another revision than the one that a rotation builds on: after a write of this
    /// session that was reported as failed, or a change of somebody else, which is then taken over.
    fn settle(
        &self,
        epoch: u64,
        found: Result<AtRestNow>,
        ours: Option<&Arc<Record>>,
        before: &Arc<Record>,
    ) -> Next {
        let login = self.number();
        self.change(|state| {
            if state.epoch != epoch {
                return Next::Again;
            }
            match found {
                Ok(now) if now.record.as_ref() == Some(before) => {
                    state.rebase(now.revision);
                    Next::Again
                }
                Ok(now) => {
                    let bought = state.record().cloned();
                    let is_ours = now.record.as_ref() == ours;
                    state.adopt(now, login);
                    if let Some(bought) = bought.filter(|_| !is_ours) {
                        state.revoke(Record::clone(&bought));
                    }
                    Next::Done
                }
                Err(error) => match state.written(epoch, Err(error)) {
                    Some(failures) => Next::Later { failures },
                    None => Next::Done,
                },
            }
        })
    }

    /// Keeps the record that a sign-in or sign-out is about to replace, if nobody has read it yet and
    /// somebody wants to revoke it.
    async fn revoke_what_is_at_rest(self: &Arc<Self>, epoch: u64, ours: Option<&Arc<Record>>) {
        if !self.look(State::can_revoke) {
            return;
        }
        // One that cannot be read cannot be revoked either.
        let Ok(now) = self.common.vault.reread(&self.account).await else {
            return;
        };
        self.change(|state| {
            let Saved::No(unsaved) = &mut state.saved else {
                return;
            };
            if state.epoch != epoch {
                return;
            }
            unsaved.basis = Basis::Anything { not_read: false };
            let ours = ours.map(|record| &**record);
            let replaced = now
                .record
                .filter(|record| !record.shares_a_token_with(ours));
            if let Some(record) = replaced {
                state.revoke(Record::clone(&record));
            }
        });
        self.deliver_revokes();
    }

    /// Tries again after a failure that came after `failures` others, unless somebody has tried before.
    fn save_later(self: &Arc<Self>, failures: u32) {
        let owner = Arc::downgrade(self);
        let epoch = self.look(|state| state.epoch);
        task::spawn(async move {
            tokio::time::sleep(pause::after_write(failures)).await;
            if let Some(owner) = owner.upgrade()
                && owner.look(|state| state.has_failed(epoch, failures + 1))
            {
                owner.save().await;
            }
        });
    }
}
