//! Which requests a window may let Rust send.

use std::sync::Arc;

use tauri::{
    Runtime,
    http::Method,
    ipc::{CommandArg, CommandItem, InvokeError},
};

use super::{Entries, NEVER_SENT, ScopeEntry};
use crate::{
    error::{Error, ErrorCode, Result},
    native::{pattern::Pattern, target::Target},
    token::Account,
};

/// The methods of an allow entry that names none.
const USUAL: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The requests that the window that called may let Rust send.
///
/// Deny wins over allow, and nothing is allowed without an allow entry that has a `url`. A deny entry without a `url`
/// denies every request of its account.
#[derive(Debug, Clone)]
pub(crate) struct RequestScope {
    allow: Arc<[Rule]>,
    deny: Arc<[Rule]>,
}

#[derive(Debug)]
struct Rule {
    entry: Arc<ScopeEntry>,
    pattern: Option<Pattern>,
}

impl RequestScope {
    fn new(entries: &Entries) -> Result<Self> {
        let rules = |entries: &[Arc<ScopeEntry>]| {
            let rule = |entry: &Arc<ScopeEntry>| {
                Ok(Rule {
                    entry: Arc::clone(entry),
                    pattern: entry.pattern()?,
                })
            };
            entries.iter().map(rule).collect::<Result<Arc<[_]>>>()
        };
        Ok(Self {
            allow: rules(&entries.allow)?,
            deny: rules(&entries.deny)?,
        })
    }

    /// Fails with `forbidden` if the window may not let this request be sent. To be asked again before each redirect is
    /// followed.
    pub(crate) fn check(&self, account: &Account, target: &Target, method: &Method) -> Result<()> {
        if NEVER_SENT.contains(&method.as_str()) {
            return Err(forbidden("CONNECT, TRACE and TRACK are never sent"));
        }
        if self
            .deny
            .iter()
            .any(|rule| rule.denies(account, target, method))
        {
            return Err(forbidden(
                "a deny entry in the capability of this window refuses the request",
            ));
        }
        if self
            .allow
            .iter()
            .any(|rule| rule.allows(account, target, method))
        {
            return Ok(());
        }
        Err(forbidden(
            "the request is outside the scope of this window; allow its account, URL and method in the capability, \
             as in { \"url\": \"https://api.example.com/v1/*\", \"methods\": [\"GET\"] }",
        ))
    }
}

impl<'a, R: Runtime> CommandArg<'a, R> for RequestScope {
    fn from_command(item: CommandItem<'a, R>) -> Result<Self, InvokeError> {
        let entries = Entries::from_command(item)?;
        Self::new(&entries).map_err(InvokeError::from)
    }
}

impl Rule {
    fn allows(&self, account: &Account, target: &Target, method: &Method) -> bool {
        let names_method = match &self.entry.methods {
            Some(methods) => methods.iter().any(|name| name == method.as_str()),
            None => USUAL.contains(method),
        };
        let names_url = |pattern: &Pattern| pattern.allows(target);
        names_method && self.entry.names(account) && self.pattern.as_ref().is_some_and(names_url)
    }

    fn denies(&self, account: &Account, target: &Target, method: &Method) -> bool {
        let names_method = match &self.entry.methods {
            Some(methods) => methods.iter().any(|name| name == method.as_str()),
            None => true,
        };
        let names_url = |pattern: &Pattern| pattern.denies(target);
        names_method && self.entry.names(account) && self.pattern.as_ref().is_none_or(names_url)
    }
}

impl ScopeEntry {
    pub(super) fn pattern(&self) -> Result<Option<Pattern>> {
        self.url.as_deref().map(Pattern::parse).transpose()
    }
}

fn forbidden(message: &str) -> Error {
    Error::new(ErrorCode::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        env,
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{super::not_valid, *};

    fn scope(allow: &Value, deny: &Value) -> Result<RequestScope> {
        let entries = |entries: &Value| -> Result<_> {
            let entries = Vec::<ScopeEntry>::deserialize(entries).map_err(|_| not_valid())?;
            Ok(entries.into_iter().map(Arc::new).collect())
        };
        let entries = Entries {
            allow: entries(allow)?,
            deny: entries(deny)?,
        };
        RequestScope::new(&entries.check()?)
    }

    fn check(scope: &RequestScope, account: &str, url: &str, method: &str) -> Result<()> {
        let account = Account::new(account)?;
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        scope.check(&account, &Target::parse(url)?, &method)
    }

    fn verdict(result: Result<()>) -> &'static str {
        result.map_or_else(|error| error.code().as_str(), |()| "allowed")
    }

    fn is_allowed(scope: &RequestScope, account: &str, method: &str) -> bool {
        let result = check(scope, account, "https://api.example.com/v1/me", method);
        match verdict(result) {
            "allowed" => true,
            "forbidden" => false,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn p5_nothing_is_allowed_without_an_allow_entry_with_a_url() {
        for allow in [
            json!([]),
            json!([{ "account": "default" }, { "account": "*" }]),
        ] {
            let scope = scope(&allow, &json!([])).unwrap();
            assert!(!is_allowed(&scope, "default", "GET"));
        }
    }

    #[test]
    fn p5_an_entry_is_for_its_account_and_its_methods() {
        let api = "https://api.example.com/v1/*";
        let scope = scope(
            &json!([
                { "account": "work-*", "url": api, "methods": ["GET"] },
                { "account": "home", "url": api },
                { "account": "other" },
            ]),
            &json!([]),
        )
        .unwrap();
        assert!(is_allowed(&scope, "work-1", "GET"));
        assert!(!is_allowed(&scope, "work-1", "POST"));
        assert!(!is_allowed(&scope, "other", "GET"));
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert!(is_allowed(&scope, "home", method), "{method}");
        }
        for method in [
            "get", "Post", "PROPFIND", "TRACE", "CONNECT", "TRACK", "trace",
        ] {
            assert!(!is_allowed(&scope, "home", method), "{method}");
        }
    }

    #[test]
    fn p5_a_deny_entry_wins_and_is_for_all_that_it_does_not_narrow() {
        let allow =
            json!([{ "url": "https://api.example.com/*", "methods": ["GET", "POST", "PROPFIND"] }]);
        for (deny, account, method, expected) in [
            (json!({ "account": "work" }), "work", "GET", false),
            (json!({ "account": "work" }), "home", "GET", true),
            (
                json!({ "url": "https://api.example.com/V1/*" }),
                "work",
                "PROPFIND",
                false,
            ),
            (
                json!({ "url": "https://api.example.com/v2/*" }),
                "work",
                "GET",
                true,
            ),
            (
                json!({ "url": "https://api.example.com/v1/*", "methods": ["POST"] }),
                "work",
                "POST",
                false,
            ),
            (
                json!({ "url": "https://api.example.com/v1/*", "methods": ["POST"] }),
                "work",
                "GET",
                true,
            ),
            (
                json!({ "url": "https://api.example.com/v1/*", "account": "home*" }),
                "work",
                "GET",
                true,
            ),
            (
                json!({ "url": "https://api.example.com/v1/*", "account": "home*" }),
                "home",
                "GET",
                false,
            ),
        ] {
            let scope = scope(&allow, &json!([deny])).unwrap();
            assert_eq!(
                is_allowed(&scope, account, method),
                expected,
                "{deny} {account} {method}"
            );
        }
    }

    #[test]
    fn p5_one_entry_that_is_not_valid_makes_the_whole_scope_so() {
        let api = json!({ "url": "https://api.example.com/*" });
        for entry in [
            json!({ "url": "https://api.example.com" }),
            json!({ "url": "https://*.example.com/*" }),
            json!({ "url": "https://api.example.com/*", "methods": ["TRACE"] }),
            json!({ "account": "a*b", "url": "https://api.example.com/*" }),
        ] {
            for (allow, deny) in [
                (json!([api, entry]), json!([])),
                (json!([api]), json!([entry])),
            ] {
                let error = scope(&allow, &deny).unwrap_err();
                assert_eq!(error.code(), ErrorCode::Misconfigured, "{entry}");
            }
        }
    }

    #[test]
    fn p5_a_refusal_does_not_repeat_the_query() {
        let scope = scope(&json!([]), &json!([])).unwrap();
        let error = check(
            &scope,
            "default",
            "https://api.example.com/?key=canary",
            "GET",
        )
        .unwrap_err();
        assert!(!error.to_string().contains("canary"));
    }

    /// The origin of the fixture's requests, for its deny entries.
    const ALL: &str = "https://api.example.com/*";

    fn fixture() -> Vec<Value> {
        serde_json::from_str(include_str!("../../../tests/fixtures/native-requests.json")).unwrap()
    }

    fn entry_of(case: &Value, pattern: &Value) -> Value {
        match &case["methods"] {
            Value::Null => json!({ "url": pattern }),
            methods => json!({ "url": pattern, "methods": methods }),
        }
    }

    #[test]
    fn p5_the_fixture_is_judged_as_it_says() {
        for case in fixture() {
            let scope = match (&case["allow"], &case["deny"]) {
                (pattern, Value::Null) => scope(&json!([entry_of(&case, pattern)]), &json!([])),
                (_, pattern) => {
                    let allow = json!([{ "url": ALL, "methods": ["GET", "DELETE", "PROPFIND"] }]);
                    scope(&allow, &json!([entry_of(&case, pattern)]))
                }
            };
            let (method, url) = case["request"].as_str().unwrap().split_once(' ').unwrap();
            let result = scope.and_then(|scope| check(&scope, "default", url, method));
            assert_eq!(case["expected"], verdict(result), "{case}");
        }
    }

    /// Fails with the table to paste.
    #[test]
    fn the_table_of_the_documentation_is_the_fixture() {
        let row = |case: &Value| {
            let kind = if case["deny"].is_null() {
                "allow"
            } else {
                "deny"
            };
            let pattern = case[kind].as_str().unwrap();
            let methods = match &case["methods"] {
                Value::Null => String::new(),
                methods => format!(", `{methods}`"),
            };
            let request = case["request"].as_str().unwrap();
            let result = case["expected"].as_str().unwrap();
            format!("| {kind} `{pattern}`{methods} | `{request}` | {result} |\n")
        };
        let rows: String = fixture().iter().map(row).collect();
        let table = format!("| scope entry | request | result |\n|---|---|---|\n{rows}");
        let page = include_str!("../../../docs/native-requests.md");
        assert!(
            page.contains(&table),
            "docs/native-requests.md should have this table:\n\n{table}"
        );
    }

    /// Another implementation, over the parser of Node, makes the cases.
    #[test]
    #[ignore = "needs Node; npm test runs it"]
    fn p5_a_second_parser_judges_the_same() {
        let count = env::var("SCOPE_URLS").unwrap_or("10000".into());
        let seed = env::var("SCOPE_SEED").unwrap_or("1".into());
        let mut node = Command::new("node")
            .args(["tests/scope/second-parser.mjs", &seed, &count])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut verdicts = BTreeMap::<_, usize>::new();
        let mut apart = Vec::new();
        for line in BufReader::new(node.stdout.take().unwrap()).lines() {
            let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let of = |name: &str| case[name].as_str().unwrap();
            let result = scope(&case["allow"], &case["deny"])
                .and_then(|scope| check(&scope, of("account"), of("url"), of("method")));
            let sent = result
                .is_ok()
                .then(|| Target::parse(of("url")).unwrap().url().to_string());
            let verdict = verdict(result);
            *verdicts.entry(verdict).or_default() += 1;
            if case["verdict"] != verdict || case["sent"].as_str() != sent.as_deref() {
                apart.push(format!("{case} here: {verdict} {sent:?}"));
            }
        }
        assert!(node.wait().unwrap().success());
        let judged: usize = verdicts.values().sum();
        assert_eq!(judged.to_string(), count);
        assert!(
            verdicts.len() == 4 && verdicts.values().all(|&share| share > judged / 100),
            "too few of a kind: {verdicts:?}"
        );
        let few = apart
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            apart.is_empty(),
            "{} of {judged} judged differently:\n{few}",
            apart.len()
        );
    }
}
