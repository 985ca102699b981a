//! A POST to the server as the app describes it.

use serde_json::Value;

/// How the body of a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// Which token of a record is sent in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    RefreshToken,
    /// The refresh token, or the access token of a record without one.
    EitherToken,
}

/// A POST to the server: what is sent, and where in the JSON of the response the tokens are.
///
/// Places in the request and in the response are JSON pointers (RFC 6901): `/token` is the member `token`,
/// `/data/token` the member `token` of the member `data`. The empty pointer is the whole response, for a
/// server that sends nothing but the token.
///
/// ```
/// use tauri_plugin_secure_token::Post;
///
/// // { "data": { "accessToken": "...", "refreshToken": "...", "expiresIn": 3600 }, "user": { ... } }
/// let login = Post::to("/auth/login")
///     .token("/data/accessToken")
///     .refresh_token("/data/refreshToken")
///     .expires_in("/data/expiresIn");
/// # let _ = login;
/// ```
#[derive(Clone)]
#[must_use = "it describes a request; Native::login, refresh and revoke take it"]
pub struct Post {
    pub(super) path: String,
    pub(super) encoding: Encoding,
    pub(super) headers: Vec<(String, String)>,
    pub(super) constants: Vec<(String, Value)>,
    pub(super) sent: Option<(String, Sent)>,
    pub(super) bearer: bool,
    pub(super) token: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<String>,
    pub(super) cut: Vec<String>,
}

impl Post {
    /// A POST of JSON to `path`, which begins with one `/` and may have a query.
    pub fn to(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            encoding: Encoding::Json,
            headers: Vec::new(),
            constants: Vec::new(),
            sent: None,
            bearer: false,
            token: None,
            refresh_token: None,
            expires_in: None,
            cut: Vec::new(),
        }
    }

    /// A POST of a form (`application/x-www-form-urlencoded`) to `path`. The response is JSON here too.
    ///
    /// A form has no members of members: each pointer into the request names a field, such as `/grant_type`.
    pub fn form(path: impl Into<String>) -> Self {
        Self {
            encoding: Encoding::Form,
            ..Self::to(path)
        }
    }

    /// The refresh of a public client at the token endpoint of an OAuth server (RFC 6749, section 6), for
    /// [`Native::refresh`](super::Native::refresh).
    pub fn oauth_refresh(path: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self::form(path)
            .send("/grant_type", "refresh_token")
            .send("/client_id", client_id.into())
            .send_refresh_token("/refresh_token")
            .token("/access_token")
            .refresh_token("/refresh_token")
            .expires_in("/expires_in")
    }

    /// The revocation of a public client at an OAuth server (RFC 7009), for
    /// [`Native::revoke`](super::Native::revoke): of the refresh token, or of the access token if there is no
    /// refresh token.
    pub fn oauth_revoke(path: impl Into<String>, client_id: impl Into<String>) -> Self {
        let mut post = Self::form(path).send("/client_id", client_id.into());
        post.sent = Some(("/token".into(), Sent::EitherToken));
        post
    }

    /// A field of the request that is always the same. It replaces what a page sends in its place.
    pub fn send(mut self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.constants.push((pointer.into(), value.into()));
        self
    }

    /// The field of the request that is the refresh token.
    pub fn send_refresh_token(mut self, pointer: impl Into<String>) -> Self {
        self.sent = Some((pointer.into(), Sent::RefreshToken));
        self
    }

    /// Sends the access token as the bearer (RFC 6750).
    pub fn send_bearer(mut self) -> Self {
        self.bearer = true;
        self
    }

    /// A header of the request, such as the key of the app that some servers ask for.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Where the access token is in the response.
    pub fn token(mut self, pointer: impl Into<String>) -> Self {
        self.token = Some(pointer.into());
        self
    }

    /// Where the refresh token is in the response, if there is one.
    pub fn refresh_token(mut self, pointer: impl Into<String>) -> Self {
        self.refresh_token = Some(pointer.into());
        self
    }

    /// Where the response says for how many seconds the token lives: a number, or a number as text. Anything
    /// else says nothing. The page sees it.
    pub fn expires_in(mut self, pointer: impl Into<String>) -> Self {
        self.expires_in = Some(pointer.into());
        self
    }

    /// What else the page must not see of the response: a second copy of a token, for instance.
    pub fn cut(mut self, pointer: impl Into<String>) -> Self {
        self.cut.push(pointer.into());
        self
    }
}
