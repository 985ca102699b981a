//! The bearer token of a Tauri app: in the OS key store at rest, in memory while the app runs.
//!
//! Register the plugin in `src-tauri/src/lib.rs`, and add `"secure-token:default"` to the
//! `permissions` of a window's capability. `npm run tauri add secure-token` does both.
//!
//! ```no_run
//! tauri::Builder::default()
//!     .plugin(tauri_plugin_secure_token::init())
//! #   ;
//! ```
//!
//! The page then uses the npm package `tauri-plugin-secure-token-api`; Rust code uses
//! [`SecureTokenExt`]. To read the token for a request, and to store a new one after a login or a
//! refresh:
//!
//! ```no_run
//! use tauri_plugin_secure_token::{Account, Record, Result, SecureTokenExt, Token};
//!
//! async fn log_in(app: &tauri::AppHandle, bearer: String, refresh: String) -> Result<()> {
//!     let mut record = Record::new(Token::new(bearer)?);
//!     record.refresh_token = Some(Token::new(refresh)?);
//!     app.secure_token()
//!         .set_token(&Account::default(), record, None)
//!         .await?;
//!     Ok(())
//! }
//! ```
//!
#![doc = concat!("It needs Rust ", env!("CARGO_PKG_RUST_VERSION"), " or later.")]
//!
//! # A request from Rust
//!
//! [`Token::expose`] is the one door to the secret. What it returns is best put into the header at
//! once, marked as sensitive, so that no `Debug` of the request shows it:
//!
//! ```no_run
//! use tauri::http::{HeaderValue, Request, header::AUTHORIZATION};
//! use tauri_plugin_secure_token::{Account, SecureTokenExt};
//!
//! async fn me(app: &tauri::AppHandle) -> Result<Request<()>, Box<dyn std::error::Error>> {
//!     let account = Account::default();
//!     // An error is not "signed out": it is a locked or missing store.
//!     let Some(stored) = app.secure_token().get_token(&account).await? else {
//!         return Err("nobody is signed in".into());
//!     };
//!     let mut bearer = HeaderValue::try_from(format!("Bearer {}", stored.record.token.expose()))?;
//!     bearer.set_sensitive(true);
//!     Ok(Request::get("https://api.example.com/me")
//!         .header(AUTHORIZATION, bearer)
//!         .body(())?)
//! }
//! ```
//!
//! `reqwest` takes the same `HeaderValue`: `client.get(url).header(AUTHORIZATION, bearer)`.
//!
//! # A session from Rust
//!
//! [`SecureToken::session`] is the session that the windows show too: a login in one place is a login
//! everywhere, and one refresh is for all. With [`Builder::refresh`] Rust buys the next token, also when no
//! window is open, and the refresh token never enters JavaScript:
//!
//! ```no_run
//! use std::time::Duration;
//! use tauri_plugin_secure_token::{Account, Builder, RefreshError, Result, SecureTokenExt, Token, Tokens};
//!
//! /// What the API sends: the token, the next refresh token, and the lifetime in seconds.
//! type Renewed = (String, String, u64);
//!
//! async fn call_api(refresh_token: String) -> std::result::Result<Renewed, RefreshError> {
//!     // POST /auth/refresh. `invalid_grant` or 401 is `RefreshError::Ended`, anything else a failure.
//! #   let _ = refresh_token;
//!     Err(RefreshError::failed())
//! }
//!
//! let plugin = Builder::new().refresh(async |_account, record| {
//!     let refresh_token = record.refresh_token.ok_or(RefreshError::Ended)?;
//!     let (token, refresh_token, seconds) = call_api(refresh_token.expose().into()).await?;
//!     let fit = |text| Token::new(text).map_err(|_| RefreshError::failed());
//!     let mut tokens = Tokens::new(fit(token)?);
//!     tokens.refresh_token = Some(fit(refresh_token)?);
//!     tokens.expires_in = Some(Duration::from_secs(seconds));
//!     Ok(tokens)
//! });
//!
//! async fn token_for_an_upload(app: &tauri::AppHandle) -> Result<Option<Token>> {
//!     let session = app.secure_token().session(&Account::default());
//!     session.fresh_token(Duration::from_secs(30)).await
//! }
//! # let _ = plugin.build::<tauri::Wry>();
//! ```
//!
//! # Promises
//!
//! - `None` means absent. Locked, denied, lost, corrupt or no store at all is an [`Error`].
//! - An acknowledged write is durable where [`StoreInfo::durable`] says so, and it is atomic.
//! - What was cleared stays cleared.
//! - No token in logs, errors, `Debug` or notices.
//! - Every command has its own permission, which can be narrowed to named accounts.
//! - Every call has a deadline.
//! - Stored names and the stored form are frozen and versioned.
//! - A refresh token is used by one holder at a time: across windows, Rust callers and processes.
//! - A request of one login never gets the token of another.
//!
//! # Where tokens rest
//!
//! | platform | store |
//! |---|---|
//! | Linux | Secret Service (gnome-keyring, KWallet, KeePassXC), in the default collection |
//! | Linux, in Flatpak or Snap | a file that a secret of the secret portal seals |
//! | macOS | the login keychain, or the data protection keychain |
//! | Windows | Credential Manager, for this machine only |
//! | Android | a file that a key of the Keystore seals |
//! | iOS | Keychain |
//!
//! The service name of every item is the app's identifier in `tauri.conf.json`.
//!
//! # Logs
//!
//! The plugin logs no token. Tauri's own `tracing` feature records the bodies of all IPC messages
//! at the level TRACE, and with them the token: do not ship an app that collects those.
//!
//! # Requirements
//!
#![doc = concat!("Rust ", env!("CARGO_PKG_RUST_VERSION"), " or later, and Tauri 2.12.")]
//!
//! Some options of the [`Builder`] exist on one platform only, and so in the documentation of that
//! target: `macos_keychain` on macOS, `android_strong_box` on Android, `ios_accessibility`,
//! `ios_access_group` and `ios_clear_on_reinstall` on iOS.
#![deny(unsafe_code)]
#![cfg_attr(not(target_os = "ios"), forbid(unsafe_code))]

mod builder;
mod error;
mod handle;
mod ipc;
#[cfg(desktop)]
mod lock_file;
#[cfg(feature = "native")]
mod native;
#[cfg(desktop)]
mod private_file;
mod processes;
mod record;
mod session;
pub mod store;
mod sync;
mod task;
mod token;
mod vault;

use tauri::{Manager, Runtime, plugin::TauriPlugin};

#[cfg(feature = "native")]
pub use crate::native::{LoginError, Native, Post, SignedIn};
#[cfg(target_os = "ios")]
pub use crate::store::IosAccessibility;
#[cfg(target_os = "macos")]
pub use crate::store::MacosKeychain;
pub use crate::{
    builder::Builder,
    error::{Error, ErrorCode, Result},
    handle::SecureToken,
    record::Record,
    session::{
        EndReason, RefreshError, RevokeError, Session, Snapshot, Status, Subscription, Tokens,
    },
    store::{StoreInfo, StoreState},
    token::{Account, Token},
    vault::{Notice, StoredRecord, Watch},
};

/// The plugin with its default options.
#[must_use]
pub fn init<R: Runtime>() -> TauriPlugin<R> {
    Builder::new().build()
}

/// Gives an app, a window or a webview its tokens.
pub trait SecureTokenExt<R: Runtime> {
    /// The tokens of this app.
    ///
    /// # Panics
    ///
    /// Where the plugin is not registered.
    fn secure_token(&self) -> &SecureToken;
}

impl<R: Runtime, T: Manager<R>> SecureTokenExt<R> for T {
    fn secure_token(&self) -> &SecureToken {
        self.state::<SecureToken>().inner()
    }
}

/// The code blocks of the documentation, compiled as tests.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/android.md")]
    struct Android;
    #[doc = include_str!("../docs/ios.md")]
    struct Ios;
    #[cfg(feature = "native")]
    #[doc = include_str!("../docs/native-requests.md")]
    struct NativeRequests;
}
