//! The arguments of a command, read by hand.
//!
//! The texts of serde's errors show values ("invalid type: integer `424242`"), and arguments that a
//! command does not name would be ignored. Here a bad argument is named and never shown, and an
//! unknown one is refused.

use std::time::Duration;

use serde_json::{Map, Value};
use tauri::ipc::{InvokeBody, JavaScriptChannelId, Request};

use crate::{
    error::{Error, Result},
    record::Record,
    session::Tokens,
    token::{Account, Token},
};

/// The arguments of one call.
pub(crate) struct Args<'a>(&'a Map<String, Value>);

impl<'a> Args<'a> {
    /// The arguments in `request`, all of which must be among `known`.
    pub(crate) fn of(request: &'a Request<'_>, known: &[&str]) -> Result<Self> {
        let InvokeBody::Json(Value::Object(args)) = request.body() else {
            return Err(Error::invalid("the arguments must be an object"));
        };
        Self::in_map(args, known)
    }

    /// The arguments in `args`, all of which must be among `known`.
    pub(crate) fn in_map(args: &'a Map<String, Value>, known: &[&str]) -> Result<Self> {
        if args.keys().any(|name| !known.contains(&name.as_str())) {
            return Err(Error::invalid(format!(
                "there is an unknown argument; known are: {}",
                known.join(", ")
            )));
        }
        Ok(Self(args))
    }

    pub(crate) fn account(&self) -> Result<Account> {
        match self.text("account")? {
            Some(account) => Account::new(account),
            None => Ok(Account::default()),
        }
    }

    pub(crate) fn record(&self) -> Result<Record> {
        let Some(token) = self.token("token")? else {
            return Err(Error::invalid("token is missing"));
        };
        Ok(Record {
            token,
            refresh_token: self.token("refreshToken")?,
            expires_at: self.number("expiresAt")?,
        })
    }

    pub(crate) fn if_revision(&self) -> Result<Option<u64>> {
        self.number("ifRevision")
    }

    pub(crate) fn channel(&self) -> Result<JavaScriptChannelId> {
        self.text("channel")?
            .and_then(|channel| channel.parse().ok())
            .ok_or_else(|| Error::invalid("channel must be a channel of Tauri"))
    }

    /// What a server sent: the record of a sign-in or of a refresh.
    pub(crate) fn tokens(&self) -> Result<Tokens> {
        let Some(token) = self.token("token")? else {
            return Err(Error::invalid("token is missing"));
        };
        let mut tokens = Tokens::new(token);
        tokens.refresh_token = self.token("refreshToken")?;
        tokens.expires_in = self.seconds("expiresIn")?;
        tokens.expires_at = self.number("expiresAt")?;
        Ok(tokens)
    }

    /// A flag, which is `absent` if it is not given.
    pub(crate) fn flag(&self, name: &str, absent: bool) -> Result<bool> {
        match self.0.get(name) {
            None => Ok(absent),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::invalid(format!("{name} must be true or false"))),
        }
    }

    /// A span of whole milliseconds.
    pub(crate) fn millis(&self, name: &str) -> Result<Option<Duration>> {
        Ok(self.number(name)?.map(Duration::from_millis))
    }

    /// A span of seconds, also in parts. One that is negative, or beyond what can be counted, says nothing:
    /// servers send such numbers, and the token that came with it is good.
    fn seconds(&self, name: &str) -> Result<Option<Duration>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())),
            Some(_) => Err(Error::invalid(format!(
                "{name} must be a number of seconds"
            ))),
        }
    }

    /// Any JSON.
    #[cfg(feature = "native")]
    pub(crate) fn json(&self, name: &str) -> Result<&'a Value> {
        let missing = || Error::invalid(format!("{name} is missing"));
        self.0.get(name).ok_or_else(missing)
    }

    pub(crate) fn token(&self, name: &str) -> Result<Option<Token>> {
        self.text(name)?.map(Token::new).transpose()
    }

    /// A text that has to be given.
    #[cfg(feature = "native")]
    pub(crate) fn required(&self, name: &str) -> Result<&'a str> {
        let text = self.text(name)?;
        text.ok_or_else(|| Error::invalid(format!("{name} is missing")))
    }

    /// A list, which is empty if it is not given.
    #[cfg(feature = "native")]
    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value]> {
        match self.0.get(name) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(Error::invalid(format!("{name} must be a list"))),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::invalid(format!("{name} must be a string"))),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.as_u64()),
            Some(_) => Err(Error::invalid(format!(
                "{name} must be a whole number that is not negative"
            ))),
        }
    }
}
