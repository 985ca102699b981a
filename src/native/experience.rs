//! What addresses made of the newest token: a refresh does not help where the next token was refused as well. As
//! `guest-js/requests/experience.ts` does, for all windows at once.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::token::{Account, Token};

/// What an address has made of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Accepted,
    /// It came from a refresh, and was refused all the same.
    Refused,
}

/// For how long an address that has refused a new token is believed to refuse all.
const DISBELIEF: Duration = Duration::from_secs(60);

/// A bound, since addresses may contain the ids of things.
const MOST_ADDRESSES: usize = 1000;

/// A bound, since pages choose the names of accounts.
const MOST_ACCOUNTS: usize = 64;

#[derive(Default)]
pub(super) struct Experience(HashMap<Account, OfToken>);

struct OfToken {
    token: Token,
    addresses: HashMap<String, (Fate, Instant)>,
}

impl Experience {
    pub(super) fn add(&mut self, account: &Account, address: &str, token: &Token, fate: Fate) {
        if self.0.len() >= MOST_ACCOUNTS && !self.0.contains_key(account) {
            self.0.clear();
        }
        let known = self.0.entry(account.clone()).or_insert_with(|| OfToken {
            token: token.clone(),
            addresses: HashMap::new(),
        });
        if known.token != *token || known.addresses.len() >= MOST_ADDRESSES {
            known.addresses.clear();
            known.token = token.clone();
        }
        let now = (fate, Instant::now());
        known.addresses.insert(address.into(), now);
    }

    pub(super) fn of(&self, account: &Account, address: &str, token: &Token) -> Option<Fate> {
        let known = self.0.get(account).filter(|known| known.token == *token)?;
        let (fate, since) = *known.addresses.get(address)?;
        (fate == Fate::Accepted || since.elapsed() < DISBELIEF).then_some(fate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_believed_about_the_newest_token_alone_and_not_for_ever() {
        let [one, next] = ["one", "next"].map(|text| Token::new(text).unwrap());
        let (account, other) = (Account::default(), Account::new("other").unwrap());
        let mut experience = Experience::default();
        experience.add(&account, "a", &one, Fate::Accepted);
        experience.add(&account, "b", &one, Fate::Refused);
        assert_eq!(experience.of(&account, "a", &one), Some(Fate::Accepted));
        assert_eq!(experience.of(&account, "b", &one), Some(Fate::Refused));
        assert_eq!(experience.of(&other, "a", &one), None);
        tokio::time::advance(DISBELIEF).await;
        assert_eq!(experience.of(&account, "a", &one), Some(Fate::Accepted));
        assert_eq!(experience.of(&account, "b", &one), None);
        experience.add(&account, "c", &next, Fate::Accepted);
        assert_eq!(experience.of(&account, "a", &one), None);
        for address in 0..5000 {
            experience.add(&account, &address.to_string(), &next, Fate::Accepted);
            let account = Account::new(format!("account {address}")).unwrap();
            experience.add(&account, "a", &next, Fate::Accepted);
        }
        assert!(experience.0.len() <= MOST_ACCOUNTS);
        let kept = experience.0.values().map(|known| known.addresses.len());
        assert!(kept.max() <= Some(MOST_ADDRESSES));
    }
}
