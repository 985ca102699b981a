//! The life of each account's token while the app runs: one owner per account, above the vault.

mod ahead;
mod callbacks;
mod clock;
mod flight;
mod handle;
mod limits;
mod others;
mod outbox;
mod owner;
mod pause;
mod refresh;
mod revoke;
mod saving;
mod sessions;
mod snapshot;
mod state;
mod tokens;
mod view;

pub(crate) use self::{
    callbacks::{Refresh, Revoke},
    flight::{Ask, Lease, Reply, Want},
    limits::Limits,
    outbox::Outbox,
    owner::{Given, Owner},
    sessions::Sessions,
    view::{Message, PageId, View},
};
pub use self::{
    callbacks::{RefreshError, RevokeError},
    handle::{Session, Subscription},
    snapshot::{EndReason, Snapshot, Status},
    tokens::Tokens,
};

#[cfg(test)]
mod tests;
