//! An auth server with one-time refresh tokens, which ends a login whose refresh token comes twice
//! (RFC 9700, section 4.14.2).

use std::{collections::HashMap, sync::Mutex, time::Duration};

use crate::{
    session::{RefreshError, Tokens},
    token::Token,
};

#[derive(Default)]
pub(super) struct Server(Mutex<State>);

#[derive(Default)]
struct State {
    logins: HashMap<u64, Login>,
    next: u64,
    is_down: bool,
    /// How long its tokens live.
    lifetime: Option<Duration>,
    /// Whether a refresh token that was just used gets the same tokens again.
    has_grace: bool,
    graces: usize,
    refreshes: usize,
    reuses: usize,
    revoked: Vec<(u64, u64)>,
}

#[derive(Default)]
struct Login {
    /// The number of its newest tokens.
    newest: u64,
    is_revoked: bool,
}

pub(super) fn tokens(login: u64, number: u64, lifetime: Option<Duration>) -> Tokens {
    let mut tokens = Tokens::new(Token::new(format!("t.{login}.{number}")).unwrap());
    tokens.refresh_token = Some(Token::new(format!("r.{login}.{number}")).unwrap());
    tokens.expires_in = lifetime;
    tokens
}

/// The login that a token is of, and its number in it.
pub(super) fn parts(token: &Token) -> (u64, u64) {
    let mut parts = token.expose().split('.').skip(1);
    let mut next = || parts.next().unwrap().parse().unwrap();
    (next(), next())
}

impl Server {
    /// Somebody logs in.
    pub(super) fn login(&self) -> Tokens {
        let mut state = self.0.lock().unwrap();
        state.next += 1;
        let login = state.next;
        state.logins.insert(login, Login::default());
        tokens(login, 0, state.lifetime)
    }

    pub(super) fn set_lifetime(&self, lifetime: Option<Duration>) {
        self.0.lock().unwrap().lifetime = lifetime;
    }

    /// From now on a refresh token that was just used gets the same tokens again, as servers do for clients
    /// that did not get the response.
    pub(super) fn give_grace(&self) {
        self.0.lock().unwrap().has_grace = true;
    }

    /// How often that was needed.
    pub(super) fn graces(&self) -> usize {
        self.0.lock().unwrap().graces
    }

    pub(super) fn refresh(&self, refresh_token: &Token) -> Result<Tokens, RefreshError> {
        let mut state = self.0.lock().unwrap();
        if state.is_down {
            return Err(RefreshError::failed());
        }
        let (login, number) = parts(refresh_token);
        let lifetime = state.lifetime;
        let has_grace = state.has_grace;
        let found = state.logins.get_mut(&login).unwrap();
        if found.is_revoked {
            return Err(RefreshError::Ended);
        }
        if has_grace && found.newest == number + 1 {
            let again = tokens(login, found.newest, lifetime);
            state.graces += 1;
            return Ok(again);
        }
        if found.newest != number {
            found.is_revoked = true;
            state.reuses += 1;
            return Err(RefreshError::Ended);
        }
        found.newest += 1;
        let next = tokens(login, found.newest, lifetime);
        state.refreshes += 1;
        Ok(next)
    }

    pub(super) fn revoke(&self, refresh_token: &Token) {
        let mut state = self.0.lock().unwrap();
        let (login, number) = parts(refresh_token);
        state.logins.get_mut(&login).unwrap().is_revoked = true;
        state.revoked.push((login, number));
    }

    /// The refresh tokens that were revoked, by their login and their number in it.
    pub(super) fn revoked(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().revoked.clone()
    }

    pub(super) fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    pub(super) fn is_revoked(&self, login: u64) -> bool {
        self.0.lock().unwrap().logins[&login].is_revoked
    }

    pub(super) fn refreshes(&self) -> usize {
        self.0.lock().unwrap().refreshes
    }

    /// How often a refresh token came that was used already.
    pub(super) fn reuses(&self) -> usize {
        self.0.lock().unwrap().reuses
    }
}
