//! The owner of each account's session.

pub(crate) mod processes;
