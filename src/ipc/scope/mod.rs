//! Which accounts a window may use.

mod entry;
#[cfg(feature = "native")]
mod requests;

use std::sync::Arc;

use tauri::{
    Runtime,
    ipc::{CommandArg, CommandItem, CommandScope, GlobalScope, InvokeError},
};

use self::entry::ScopeEntry;
#[cfg(feature = "native")]
pub(crate) use self::requests::RequestScope;
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

/// The accounts that the window that called may use with the command that it called.
///
/// Deny wins over allow, and no allow entry at all means every account of this app. Tauri does not tell
/// an empty list of entries from none.
pub(crate) struct AccountScope {
    allow: Vec<Arc<ScopeEntry>>,
    deny: Vec<Arc<ScopeEntry>>,
}

impl AccountScope {
    /// Whether the window may use `account`.
    pub(crate) fn allows(&self, account: &Account) -> bool {
        let names = |entries: &[Arc<ScopeEntry>]| entries.iter().any(|entry| entry.names(account));
        !names(&self.deny) && (self.allow.is_empty() || names(&self.allow))
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
    /// Joins what the permission of the command says with what is said for the whole plugin.
    fn from_command(item: CommandItem<'a, R>) -> Result<Self, InvokeError> {
        let same = CommandItem { ..item };
        let command = CommandScope::<ScopeEntry>::from_command(same).map_err(|_| unreadable())?;
        let global = GlobalScope::<ScopeEntry>::from_command(item).map_err(|_| unreadable())?;
        let scope = Self {
            allow: [command.allows().as_slice(), global.allows()].concat(),
            deny: [command.denies().as_slice(), global.denies()].concat(),
        };
        // A `deny` that names nothing would let everything through in silence.
        if scope
            .allow
            .iter()
            .chain(&scope.deny)
            .all(|entry| entry.is_valid())
        {
            Ok(scope)
        } else {
            Err(unreadable())
        }
    }
}

fn unreadable() -> InvokeError {
    InvokeError::from(Error::new(
        ErrorCode::Misconfigured,
        "a scope entry in the capability of this window is not valid; write { \"account\": \"work-*\" }, \
         with the whole name of an account or the start of one and a single * at the end",
    ))
}

impl ScopeEntry {
    fn is_valid(&self) -> bool {
        match self.account.strip_suffix('*') {
            Some("") => true,
            start => {
                let name = start.unwrap_or(&self.account);
                !name.contains('*') && Account::new(name).is_ok()
            }
        }
    }

    fn names(&self, account: &Account) -> bool {
        match self.account.strip_suffix('*') {
            Some(start) => account.as_str().starts_with(start),
            None => account.as_str() == self.account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(allow: &[&str], deny: &[&str]) -> AccountScope {
        let entries = |accounts: &[&str]| {
            let entry = |account: &&str| {
                Arc::new(ScopeEntry {
                    account: (*account).into(),
                })
            };
            accounts.iter().map(entry).collect()
        };
        AccountScope {
            allow: entries(allow),
            deny: entries(deny),
        }
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
    fn p5_an_entry_that_names_no_account_is_not_valid() {
        for (account, is_valid) in [
            ("default", true),
            ("*", true),
            ("work-*", true),
            ("*-admin", false),
            ("a*b", false),
            ("work/**", false),
            ("**", false),
            ("", false),
            ("line\nbreak", false),
        ] {
            let account = account.into();
            assert_eq!(ScopeEntry { account }.is_valid(), is_valid);
        }
    }

    #[test]
    fn bad_entries_are_refused() {
        for entry in [
            "{}",
            r#"{"acount":"a"}"#,
            r#"{"account":"a","x":1}"#,
            r#"{"account":1}"#,
        ] {
            assert!(
                serde_json::from_str::<ScopeEntry>(entry).is_err(),
                "{entry}"
            );
        }
    }
}
