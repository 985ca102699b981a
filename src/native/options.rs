//! What the app says about its server.

use std::{sync::Arc, time::Duration};

use reqwest::Url;
use serde_json::Value;

use super::{
    client::Client,
    endpoint::{self, Endpoint},
    post::Post,
    refresh::refresh_by,
    revoke::revoke_by,
    sign_in::{Login, LoginError, LoginWith, SignIn, SignedIn},
    token_fields::TokenFields,
};
use crate::{
    error::{Error, ErrorCode, Result},
    session::{Refresh, Revoke},
    token::Account,
};

/// How Rust signs in, refreshes and signs out at the server of the app, so that no token enters JavaScript.
///
/// The page asks for a login with what the user typed, and gets the response without its tokens. All accounts
/// use the same endpoints. What is wrong here keeps the app from starting, with
/// [`ErrorCode::Misconfigured`](crate::ErrorCode::Misconfigured).
///
/// ```
/// use tauri_plugin_secure_token::{Builder, Native, Post};
///
/// let plugin = Builder::new().native(
///     Native::to("https://api.example.com")
///         .login(
///             Post::to("/auth/login")
///                 .token("/token")
///                 .refresh_token("/refreshToken")
///                 .expires_in("/expiresIn"),
///         )
///         .refresh(
///             Post::to("/auth/refresh")
///                 .send_refresh_token("/refreshToken")
///                 .token("/token")
///                 .refresh_token("/refreshToken")
///                 .expires_in("/expiresIn"),
///         )
///         .revoke(Post::to("/auth/logout").send_refresh_token("/refreshToken")),
/// );
/// # let _ = plugin.build::<tauri::Wry>();
/// ```
///
/// At an OAuth server, whose refresh and revocation are always the same:
///
/// ```
/// use tauri_plugin_secure_token::{Native, Post};
///
/// let native = Native::to("https://login.example.com")
///     .refresh(Post::oauth_refresh("/oauth/token", "my-app"))
///     .revoke(Post::oauth_revoke("/oauth/revoke", "my-app"));
/// # let _ = native;
/// ```
#[must_use = "Builder::native takes it"]
pub struct Native {
    origin: String,
    login: Option<Post>,
    login_with: Option<LoginWith>,
    refresh: Option<Post>,
    revoke: Option<Post>,
}

/// What the plugin makes of a [`Native`] when the app starts.
pub(crate) struct Prepared {
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) revoke: Option<Revoke>,
}

impl Native {
    /// The server at `origin`, such as `https://api.example.com`. Plain `http` is for `localhost`, `127.0.0.1`
    /// and `[::1]` alone.
    pub fn to(origin: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            login: None,
            login_with: None,
            refresh: None,
            revoke: None,
        }
    }

    /// The request that logs in: the page says what its body is. Needs [`Post::token`].
    ///
    /// A response of success whose JSON has the token signs in. One without, such as that of a server that asks
    /// for a second factor, and one of failure reach the page as they are.
    pub fn login(mut self, post: Post) -> Self {
        self.login = Some(post);
        self
    }

    /// A login that [`login`](Self::login) cannot describe: several requests, or another format. It gets the
    /// account and what the page sent, and is stopped at the deadline of [`Builder`](crate::Builder).
    ///
    /// ```
    /// use serde_json::{Value, json};
    /// use tauri_plugin_secure_token::{Error, ErrorCode, LoginError, Native, SignedIn, Token, Tokens};
    ///
    /// # struct Session { token: String, name: String }
    /// # async fn call_api(_: &str) -> Result<Option<Session>, std::io::Error> { Ok(None) }
    /// let native = Native::to("https://api.example.com").login_with(async |_account, credentials: Value| {
    ///     let code = credentials["code"].as_str().unwrap_or_default();
    ///     let Ok(session) = call_api(code).await else {
    ///         return Err(Error::new(ErrorCode::Unavailable, "the server cannot be reached").into());
    ///     };
    ///     let Some(session) = session else {
    ///         return Err(LoginError::Refused { status: 401, body: json!({ "message": "wrong code" }) });
    ///     };
    ///     let mut signed_in = SignedIn::new(Tokens::new(Token::new(session.token)?));
    ///     signed_in.body = json!({ "name": session.name });
    ///     Ok(signed_in)
    /// });
    /// # let _ = native;
    /// ```
    pub fn login_with<F, R>(mut self, login: F) -> Self
    where
        F: Fn(Account, Value) -> R + Send + Sync + 'static,
        R: Future<Output = Result<SignedIn, LoginError>> + Send + 'static,
    {
        self.login_with = Some(Arc::new(move |account, credentials| {
            Box::pin(login(account, credentials))
        }));
        self
    }

    /// The request that renews a token, in the place of [`Builder::refresh`](crate::Builder::refresh). Needs
    /// [`Post::token`], and [`Post::send_refresh_token`] or [`Post::send_bearer`].
    ///
    /// The session ends if the server refuses the refresh token for good: with an error such as `invalid_grant`,
    /// or with 401 or 403, unless the body has another error of OAuth or is a page of a firewall. After any
    /// other failure the session stays, and rests for as long as `Retry-After` says.
    pub fn refresh(mut self, post: Post) -> Self {
        self.refresh = Some(post);
        self
    }

    /// The request that tells the server that a login has ended, in the place of
    /// [`Builder::revoke`](crate::Builder::revoke). Needs [`Post::send_refresh_token`] or [`Post::send_bearer`].
    ///
    /// It is sent again later, unless the server responds with success or with 4xx other than 408 and 429.
    pub fn revoke(mut self, post: Post) -> Self {
        self.revoke = Some(post);
        self
    }

    /// Checks everything that was said. `refresh` and `revoke` are the app's own functions, `deadline` is that
    /// of a login.
    ///
    /// # Errors
    ///
    /// `misconfigured`, with what to change in the message.
    pub(crate) fn prepare(
        self,
        client: &Client,
        deadline: Duration,
        refresh: Option<Refresh>,
        revoke: Option<Revoke>,
    ) -> Result<Prepared> {
        let origin = endpoint::origin(&self.origin)?;
        let server = Server {
            client,
            origin: &origin,
        };
        let login = match (&self.login, self.login_with) {
            (Some(_), Some(_)) => {
                return Err(misconfigured(
                    "give Native a login or a login_with, not both",
                ));
            }
            (Some(post), None) => {
                let (endpoint, fields) = within("login", server.login(post))?;
                Some(Login::Template(Arc::new((endpoint, fields))))
            }
            (None, login) => login.map(Login::Callback),
        };
        let refresh = match (&self.refresh, refresh) {
            (Some(_), Some(_)) => return Err(twice("refresh")),
            (Some(post), None) => {
                let (endpoint, fields) = within("refresh", server.renewal(post))?;
                Some(refresh_by(endpoint, fields))
            }
            (None, refresh) => refresh,
        };
        let revoke = match (&self.revoke, revoke) {
            (Some(_), Some(_)) => return Err(twice("revoke")),
            (Some(post), None) => Some(revoke_by(within("revoke", server.revocation(post))?)),
            (None, revoke) => revoke,
        };
        Ok(Prepared {
            sign_in: login.map_or_else(SignIn::default, |login| SignIn::new(login, deadline)),
            refresh,
            revoke,
        })
    }
}

/// Where the requests go.
struct Server<'a> {
    client: &'a Client,
    origin: &'a Url,
}

impl Server<'_> {
    fn login(&self, post: &Post) -> Result<(Endpoint, TokenFields)> {
        let endpoint = Endpoint::new(self.client, self.origin, post)?;
        if endpoint.sends_a_token() {
            return Err(misconfigured("before a login there is no token to send"));
        }
        Ok((endpoint, TokenFields::of(post)?))
    }

    fn renewal(&self, post: &Post) -> Result<(Endpoint, TokenFields)> {
        Ok((self.with_token(post)?, TokenFields::of(post)?))
    }

    fn revocation(&self, post: &Post) -> Result<Endpoint> {
        if post.token.is_some() || post.refresh_token.is_some() || post.expires_in.is_some() {
            return Err(misconfigured(
                "it brings no tokens; say which it sends: .send_refresh_token(\"/refreshToken\")",
            ));
        }
        self.with_token(post)
    }

    fn with_token(&self, post: &Post) -> Result<Endpoint> {
        let endpoint = Endpoint::new(self.client, self.origin, post)?;
        if endpoint.sends_a_token() {
            return Ok(endpoint);
        }
        Err(misconfigured(
            "say which token it sends: .send_refresh_token(\"/refreshToken\") or .send_bearer()",
        ))
    }
}

/// Says in which request the error is.
fn within<T>(request: &str, checked: Result<T>) -> Result<T> {
    checked.map_err(|error| {
        Error::new(
            error.code(),
            format!("the {request} of Native: {}", error.message()),
        )
    })
}

fn twice(request: &str) -> Error {
    misconfigured(format!(
        "give the {request} to Native or to Builder, not to both"
    ))
}

fn misconfigured(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Misconfigured, message)
}
