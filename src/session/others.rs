//! What other processes of the app have done to the account.

use super::{owner::Owner, state::ChangedBy};

impl Owner {
    /// Takes over what another process has changed since this one last looked.
    pub(super) async fn look_at_other_processes(&self) {}

    /// Who has changed the record that the store holds.
    pub(super) fn changed_by(&self) -> ChangedBy {
        ChangedBy::Login
    }
}
