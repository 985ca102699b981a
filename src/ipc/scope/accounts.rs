//! Which accounts a window may use.

use tauri::{
    Runtime,
    ipc::{CommandArg, CommandItem, InvokeError},
};

use super::{Entries, ScopeEntry};
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

/// The accounts that the window that called may use with the command that it called.
///
/// Deny wins over allow, and no allow entry at all means every account of this app. Tauri does not tell
/// an empty list of entries from none. An allow entry counts by its account alone; a deny entry with a `url` denies
/// requests, and no account.
pub(crate) struct AccountScope(Entries);

impl AccountScope {
    /// Whether the window may use `account`.
    pub(crate) fn allows(&self, account: &Account) -> bool {
        let Entries { allow, deny } = &self.0;
        let denies = |entry: &ScopeEntry| entry.url.is_none() && entry.names(account);
        !deny.iter().any(|entry| denies(entry))
            && (allow.is_empty() || allow.iter().any(|entry| entry.names(account)))
    }

    /// Fails with `forbidden` if the window may not use `account`.
    pub(crate) fn check(&self, account: &Account) -> Result<()> {
        if self.allows(account) {
            Ok(())
        } else {
            Err(Error::new(
                ErrorCode::Forbidden,
                "the account is outside the scope of this window",
            ))
        }
    }
}

impl<'a, R: Runtime> CommandArg<'a, R> for AccountScope {
    fn from_command(item: CommandItem<'a, R>) -> Result<Self, InvokeError> {
        Entries::from_command(item).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn scope(allow: &[&str], deny: &[&str]) -> AccountScope {
        let entries = |accounts: &[&str]| {
            let entry = |account: &&str| {
                Arc::new(ScopeEntry {
                    account: Some((*account).into()),
                    ..ScopeEntry::default()
                })
            };
            accounts.iter().map(entry).collect()
        };
        AccountScope(Entries {
            allow: entries(allow),
            deny: entries(deny),
        })
    }

    fn of_url(account: Option<&str>) -> Arc<ScopeEntry> {
        Arc::new(ScopeEntry {
            account: account.map(Into::into),
            url: Some("https://api.example.com/*".into()),
            methods: None,
        })
    }

    fn allowed(scope: &AccountScope, account: &str) -> bool {
        scope.allows(&Account::new(account).unwrap())
    }

    #[test]
    fn p5_no_entry_means_every_account() {
        assert!(allowed(&scope(&[], &[]), "default"));
    }

    #[test]
    fn p5_an_allow_entry_is_exact_or_a_prefix() {
        let scope = scope(&["default", "work-*"], &[]);
        assert!(allowed(&scope, "default"));
        assert!(allowed(&scope, "work-"));
        assert!(allowed(&scope, "work-1"));
        assert!(!allowed(&scope, "default2"));
        assert!(!allowed(&scope, "Default"));
        assert!(!allowed(&scope, "home"));
    }

    #[test]
    fn p5_deny_wins_over_allow() {
        let scope = scope(&["*"], &["admin*"]);
        assert!(allowed(&scope, "default"));
        assert!(!allowed(&scope, "admin"));
        assert!(!allowed(&scope, "admin-2"));
    }

    #[test]
    fn p5_an_allow_entry_with_a_url_counts_by_its_account() {
        let mut scope = scope(&["home"], &[]);
        scope.0.allow.push(of_url(Some("work")));
        assert!(allowed(&scope, "home"));
        assert!(allowed(&scope, "work"));
        assert!(!allowed(&scope, "other"));
        scope.0.allow.push(of_url(None));
        assert!(allowed(&scope, "other"));
    }

    #[test]
    fn p5_a_deny_entry_with_a_url_denies_no_account() {
        let mut scope = scope(&[], &["admin"]);
        scope.0.deny.push(of_url(None));
        scope.0.deny.push(of_url(Some("work")));
        assert!(allowed(&scope, "home"));
        assert!(allowed(&scope, "work"));
        assert!(!allowed(&scope, "admin"));
    }
}
