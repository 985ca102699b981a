//! What a window may use: the entries in its capability file.

mod accounts;
mod entry;
#[cfg(feature = "native")]
mod requests;

use std::sync::Arc;

use tauri::{
    Runtime,
    ipc::{CommandArg, CommandItem, CommandScope, GlobalScope, InvokeError},
};

pub(crate) use self::accounts::AccountScope;
use self::entry::ScopeEntry;
#[cfg(feature = "native")]
pub(crate) use self::requests::RequestScope;
use crate::{
    error::{Error, ErrorCode, Result},
    token::Account,
};

/// Methods that no scope can allow: they echo a request, or open a tunnel. The Fetch standard forbids the same.
const NEVER_SENT: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// What the permission of a command says, joined with what is said for the whole plugin.
struct Entries {
    allow: Vec<Arc<ScopeEntry>>,
    deny: Vec<Arc<ScopeEntry>>,
}

impl Entries {
    /// Fails with `misconfigured` if any entry is not valid: a `deny` that names nothing would let everything through
    /// in silence.
    fn check(self) -> Result<Self> {
        for entry in self.allow.iter().chain(&self.deny) {
            entry.check()?;
        }
        Ok(self)
    }
}

impl<'a, R: Runtime> CommandArg<'a, R> for Entries {
    fn from_command(item: CommandItem<'a, R>) -> Result<Self, InvokeError> {
        let unreadable = |_| InvokeError::from(not_valid());
        let same = CommandItem { ..item };
        let command = CommandScope::<ScopeEntry>::from_command(same).map_err(unreadable)?;
        let global = GlobalScope::<ScopeEntry>::from_command(item).map_err(unreadable)?;
        let entries = Self {
            allow: [command.allows().as_slice(), global.allows()].concat(),
            deny: [command.denies().as_slice(), global.denies()].concat(),
        };
        entries.check().map_err(InvokeError::from)
    }
}

fn not_valid() -> Error {
    Error::new(
        ErrorCode::Misconfigured,
        "a scope entry in the capability of this window is not valid; write { \"account\": \"work-*\" }, \
         with the whole name of an account or the start of one and a single * at the end, \
         or { \"url\": \"https://api.example.com/v1/*\", \"methods\": [\"GET\"] }, or both in one entry",
    )
}

impl ScopeEntry {
    fn check(&self) -> Result<()> {
        let names_something = self.account.is_some() || self.url.is_some();
        let names_methods_of_a_url = self.methods.is_none() || self.url.is_some();
        let is_valid = names_something
            && names_methods_of_a_url
            && self.account.as_deref().is_none_or(is_name_of_accounts)
            && self.methods.as_deref().is_none_or(are_methods);
        if !is_valid {
            return Err(not_valid());
        }
        #[cfg(feature = "native")]
        self.pattern()?;
        Ok(())
    }

    fn names(&self, account: &Account) -> bool {
        let Some(name) = &self.account else {
            return true;
        };
        match name.strip_suffix('*') {
            Some(start) => account.as_str().starts_with(start),
            None => account.as_str() == name,
        }
    }
}

fn is_name_of_accounts(name: &str) -> bool {
    match name.strip_suffix('*') {
        Some("") => true,
        start => {
            let start = start.unwrap_or(name);
            !start.contains('*') && Account::new(start).is_ok()
        }
    }
}

fn are_methods(methods: &[String]) -> bool {
    let is_method = |method: &String| {
        method
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()))
            && !NEVER_SENT.contains(&method.as_str())
    };
    !methods.is_empty() && methods.iter().all(is_method)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(entry: &str) -> bool {
        serde_json::from_str::<ScopeEntry>(entry).is_ok_and(|entry| entry.check().is_ok())
    }

    #[test]
    fn p5_an_entry_that_names_no_account_is_not_valid() {
        for (account, expected) in [
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
            let account = serde_json::json!({ "account": account });
            assert_eq!(is_valid(&account.to_string()), expected, "{account}");
        }
    }

    #[test]
    fn bad_entries_are_refused() {
        for entry in [
            "{}",
            r#"{"acount":"a"}"#,
            r#"{"account":"a","x":1}"#,
            r#"{"account":1}"#,
            r#"{"account":null}"#,
            r#"{"methods":["GET"]}"#,
            r#"{"account":"a","methods":["GET"]}"#,
            r#"{"url":1}"#,
            r#"{"url":"https://a.b/*","account":""}"#,
            r#"{"url":"https://a.b/*","methods":"GET"}"#,
            r#"{"url":"https://a.b/*","methods":[]}"#,
            r#"{"url":"https://a.b/*","methods":[""]}"#,
            r#"{"url":"https://a.b/*","methods":["get"]}"#,
            r#"{"url":"https://a.b/*","methods":["GET "]}"#,
            r#"{"url":"https://a.b/*","methods":["*"]}"#,
            r#"{"url":"https://a.b/*","methods":["GET","TRACE"]}"#,
            r#"{"url":"https://a.b/*","methods":["CONNECT"]}"#,
            r#"{"url":"https://a.b/*","methods":["TRACK"]}"#,
        ] {
            assert!(!is_valid(entry), "{entry}");
        }
        for entry in [
            r#"{"url":"https://a.b/*"}"#,
            r#"{"url":"https://a.b/*","account":"a*"}"#,
            r#"{"url":"https://a.b/*","methods":["GET","M-SEARCH","PROPFIND"]}"#,
        ] {
            assert!(is_valid(entry), "{entry}");
        }
    }
}
