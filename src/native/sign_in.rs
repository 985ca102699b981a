//! Signs in by a request that Rust sends: the page sees the response without its tokens.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{
    document::Document,
    endpoint::Endpoint,
    token_fields::{TokenFields, shows},
};
use crate::{
    error::{Error, ErrorCode, Result},
    session::{Owner, Snapshot, Tokens},
    task,
    token::Account,
};

/// What [`Native::login_with`](super::Native::login_with) returns after a login.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SignedIn {
    /// The tokens, which stay in Rust.
    pub tokens: Tokens,
    /// What the page gets: the user's name, for instance. `null` unless set. A token in it makes the login fail.
    pub body: Value,
}

impl SignedIn {
    /// A login that has nothing to tell the page.
    #[must_use]
    pub fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            body: Value::Null,
        }
    }
}

/// Why [`Native::login_with`](super::Native::login_with) signs nobody in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LoginError {
    /// The server said no, or wants to know more. The page gets this as a response whose `ok` is `false`.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the page gets of the response. No token must be in it.
        body: Value,
    },
    /// Anything else, such as no network. The page's promise is rejected with this, so that its message must
    /// contain nothing secret.
    Failed(Error),
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, .. } => {
                write!(f, "the server refused the login with status {status}")
            }
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoginError {}

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

type LoggedIn = Pin<Box<dyn Future<Output = Result<SignedIn, LoginError>> + Send>>;

/// The app's own function that logs in.
pub(super) type LoginWith = Arc<dyn Fn(Account, Value) -> LoggedIn + Send + Sync>;

/// How the app logs in.
#[derive(Clone)]
pub(super) enum Login {
    Template(Arc<(Endpoint, TokenFields)>),
    Callback(LoginWith),
}

/// What signs in for pages, if the app has said how.
#[derive(Clone, Default)]
pub(crate) struct SignIn(Option<Named>);

#[derive(Clone)]
struct Named {
    login: Login,
    deadline: Duration,
}

/// What the page gets.
#[derive(Serialize)]
pub(crate) struct Outcome {
    /// Whether somebody is signed in by it.
    ok: bool,
    /// The HTTP status.
    status: u16,
    /// The JSON of the response without its tokens; `null` for anything else.
    body: Value,
    snapshot: Snapshot,
}

/// What came of a login.
struct LoginResponse {
    status: u16,
    body: Value,
    tokens: Option<Tokens>,
}

impl SignIn {
    pub(super) fn new(login: Login, deadline: Duration) -> Self {
        Self(Some(Named { login, deadline }))
    }

    /// Signs in with what the page sent.
    ///
    /// # Errors
    ///
    /// - `misconfigured`: the app has not said how to sign in, or the response has something else where it
    ///   said that the tokens are;
    /// - `forbidden`: a token is in the response a second time, where the page would see it;
    /// - `invalid-argument`: `credentials` cannot be sent as the app said;
    /// - `unavailable`, `timeout`: there was no response;
    /// - `too-large`: the response is too long;
    /// - `conflict`: somebody has signed in or out since this began. The tokens are revoked.
    pub(crate) async fn sign_in(
        &self,
        owner: &Arc<Owner>,
        account: Account,
        credentials: Value,
        remember: bool,
    ) -> Result<Outcome> {
        let Some(Named { login, deadline }) = self.0.clone() else {
            let message =
                "the app has not said how Rust signs in: Builder::native(Native::to(..).login(..))";
            return Err(Error::new(ErrorCode::Misconfigured, message));
        };
        let began = owner.begin_sign_in().await;
        // A task of its own: a panic of the app's function is a failure.
        let asked =
            async move { tokio::time::timeout(deadline, login.ask(account, credentials)).await };
        let response = match task::spawn(asked).await {
            Ok(Ok(response)) => response?,
            Ok(Err(_)) => {
                let message = "the server did not respond to the login within the deadline";
                return Err(Error::new(ErrorCode::Timeout, message));
            }
            Err(_) => return Err(Error::internal("the login was stopped by a panic")),
        };
        let LoginResponse {
            status,
            body,
            tokens,
        } = response;
        let ok = tokens.is_some();
        let snapshot = match tokens {
            Some(tokens) => owner.end_sign_in(began, tokens, remember).await?,
            None => owner.snapshot(),
        };
        Ok(Outcome {
            ok,
            status,
            body,
            snapshot,
        })
    }
}

impl Login {
    async fn ask(self, account: Account, credentials: Value) -> Result<LoginResponse> {
        let response = match self {
            Self::Template(named) => by_template(&named.0, &named.1, credentials.into()).await?,
            Self::Callback(login) => by_callback(&login, account, credentials).await?,
        };
        if let Some(tokens) = &response.tokens {
            tokens.check().map_err(|error| {
                let message = format!(
                    "the login brought no token that can be used: {}",
                    error.message()
                );
                Error::new(ErrorCode::Misconfigured, message)
            })?;
        }
        Ok(response)
    }
}

async fn by_template(
    endpoint: &Endpoint,
    fields: &TokenFields,
    credentials: Document,
) -> Result<LoginResponse> {
    let response = endpoint.post(credentials).await?;
    let status = response.status;
    let refused = |body| LoginResponse {
        status: status.as_u16(),
        body,
        tokens: None,
    };
    if !status.is_success() {
        let mut body = response.json().unwrap_or_default();
        fields.clear(&mut body);
        return Ok(refused(body.into_value()));
    }
    if response.is_too_long() {
        let message = "the response to the login is longer than 1 MiB";
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    let Some(mut body) = response.json() else {
        return Ok(refused(Value::Null));
    };
    let taken = fields.take(&mut body)?;
    for token in [&taken.token, &taken.refresh_token].into_iter().flatten() {
        if shows(&body, token) {
            return Err(shown());
        }
    }
    Ok(LoginResponse {
        status: status.as_u16(),
        tokens: taken.into_tokens(),
        body: body.into_value(),
    })
}

async fn by_callback(
    login: &LoginWith,
    account: Account,
    credentials: Value,
) -> Result<LoginResponse> {
    /// What a login that has succeeded would have had as its status.
    const OK: u16 = 200;
    match login(account, credentials).await {
        Ok(SignedIn { tokens, body }) => {
            for token in [Some(&tokens.token), tokens.refresh_token.as_ref()]
                .into_iter()
                .flatten()
            {
                if shows(&body, token) {
                    return Err(shown());
                }
            }
            Ok(LoginResponse {
                status: OK,
                body,
                tokens: Some(tokens),
            })
        }
        Err(LoginError::Refused { status, body }) => Ok(LoginResponse {
            status,
            body,
            tokens: None,
        }),
        Err(LoginError::Failed(error)) => Err(error),
    }
}

fn shown() -> Error {
    let message = "a token is in the response to the login a second time, and the page would see it: cut that place \
                   out, as with .cut(\"/user/token\")";
    Error::new(ErrorCode::Forbidden, message)
}
