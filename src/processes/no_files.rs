//! Mobile: an app has one process, so there is nothing to agree on and no value of these types.

use std::time::Duration;

use super::Mark;
use crate::{
    error::Result,
    token::{Account, Token},
};

#[derive(Clone)]
pub(super) enum AccountFiles {}

impl AccountFiles {
    pub(super) fn of_refreshes(&self) -> Self {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as on desktop")]
    pub(super) async fn lock(&self, _: &Account, _: Duration) -> Result<HeldFiles> {
        match *self {}
    }

    pub(super) fn mark(&self, _: &Account) -> Option<Mark> {
        match *self {}
    }
}

pub(super) enum HeldFiles {}

impl HeldFiles {
    pub(super) fn mark(&self) -> &Mark {
        match *self {}
    }

    pub(super) fn committed(&mut self, _: bool) -> Result<()> {
        match *self {}
    }

    pub(super) fn begin_use(&mut self, _: &Token) -> Result<()> {
        match *self {}
    }

    pub(super) fn end_use(&mut self) -> Result<()> {
        match *self {}
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenHash {}

impl TokenHash {
    pub(super) fn is_of(&self, _: &Token) -> bool {
        match *self {}
    }
}
