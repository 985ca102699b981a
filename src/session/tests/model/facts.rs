//! What the invariants are checked against: who has signed in and out, and what was acknowledged.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
};

use super::*;

/// What the last person has done, if it is known to have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    SignedIn(u64),
    SignedOut,
}

#[derive(Default)]
pub(super) struct Facts {
    /// The logins whose sign-in has returned.
    begun: RefCell<HashSet<u64>>,
    /// Those that an acknowledged sign-out has ended.
    ended: RefCell<HashSet<u64>>,
    expected: Cell<Option<Expected>>,
    /// How many processes and pages were cut off when a refresh token may have been on its way.
    cut_off: Cell<usize>,
    wrong: RefCell<Vec<String>>,
}

impl Facts {
    pub(super) fn wrong(&self, what: &str) {
        self.wrong.borrow_mut().push(what.into());
    }

    pub(super) fn into_wrong(self) -> impl Iterator<Item = String> {
        self.wrong.into_inner().into_iter()
    }

    /// Notes that somebody acts now, so that nobody knows what the session is.
    pub(super) fn act(&self) {
        self.expected.set(None);
    }

    pub(super) fn acted(&self, expected: Option<Expected>) {
        self.expected.set(expected);
    }

    pub(super) fn cut_off_one(&self) {
        self.cut_off.set(self.cut_off.get() + 1);
    }

    pub(super) fn cut_off(&self) -> usize {
        self.cut_off.get()
    }

    pub(super) fn begin(&self, login: u64) {
        self.begun.borrow_mut().insert(login);
    }

    pub(super) fn begun(&self) -> HashSet<u64> {
        self.begun.borrow().clone()
    }

    /// An acknowledged sign-out has ended `logins`.
    pub(super) fn end(&self, logins: HashSet<u64>) {
        self.ended.borrow_mut().extend(logins);
    }

    pub(super) fn ended(&self) -> HashSet<u64> {
        self.ended.borrow().clone()
    }

    /// Nothing that has ended is in memory.
    pub(super) fn check_memory(&self, session: &Session) {
        let login = session.token().map(|token| parts(&token).0);
        if login.is_some_and(|login| self.ended.borrow().contains(&login)) {
            self.wrong("P3: a login that had ended is in memory");
        }
    }

    /// The session is as the last person has left it.
    pub(super) fn check_login(&self, login: Option<u64>, snapshot: &Snapshot) {
        let as_expected = match self.expected.get() {
            None => true,
            Some(Expected::SignedOut) => login.is_none(),
            Some(Expected::SignedIn(expected)) => login == Some(expected),
        };
        if !as_expected {
            self.wrong(&format!(
                "P1: {:?} is expected, not {login:?} {:?}",
                self.expected.get(),
                snapshot.reason
            ));
        }
    }

    /// All logins but `current` are revoked.
    pub(super) fn check_revoked(&self, server: &Server, current: Option<u64>) {
        let begun = self.begun();
        let others = begun.iter().filter(|login| Some(**login) != current);
        for login in others {
            if !server.is_revoked(*login) {
                self.wrong("a login that has ended was not revoked");
            }
        }
    }
}
