//! The owner of each account's session.

pub(crate) mod outbox;
pub(crate) mod processes;
