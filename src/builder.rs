//! The plugin's options, and how it is put together.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tauri::{
    RunEvent, Runtime, WindowEvent, generate_handler,
    plugin::{Builder as PluginBuilder, PluginApi, TauriPlugin},
    webview::PageLoadEvent,
};

#[cfg(desktop)]
use crate::store::renamed::Renamed;
use crate::{
    error::{Error, ErrorCode, Result},
    handle::SecureToken,
    ipc::{Pages, commands, session_commands},
    processes::Processes,
    record::Record,
    session::{Limits, Outbox, Refresh, RefreshError, Revoke, RevokeError, Sessions, Tokens},
    store::{self, SecretStore},
    token::Account,
    vault::Vault,
};
#[cfg(feature = "native")]
use crate::{
    ipc::{media, native_commands, native_sign_in},
    native::{self, Client, Native, Requests, SignIn},
};

/// The options of the plugin.
///
/// ```
/// use std::time::Duration;
/// use tauri_plugin_secure_token::Builder;
///
/// let plugin = Builder::new().deadline(Duration::from_secs(10)).build::<tauri::Wry>();
/// ```
#[must_use = "build() makes the plugin"]
pub struct Builder {
    deadline: Duration,
    memory_copy: bool,
    prefetch: Vec<Account>,
    refresh: Option<Refresh>,
    revoke: Option<Revoke>,
    refresh_deadline: Duration,
    store: Option<Arc<dyn SecretStore>>,
    #[cfg(desktop)]
    earlier_identifier: Option<String>,
    options: store::Options,
    #[cfg(feature = "native")]
    native: Option<Native>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// The default options.
    pub fn new() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            memory_copy: true,
            prefetch: vec![Account::default()],
            refresh: None,
            revoke: None,
            refresh_deadline: Duration::from_secs(60),
            store: None,
            #[cfg(desktop)]
            earlier_identifier: None,
            options: store::Options::default(),
            #[cfg(feature = "native")]
            native: None,
        }
    }

    /// The time within which every call ends, unlock prompts included. 30 s unless set; zero is
    /// refused when the app starts.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether records that were read or written are kept in memory, where the next read finds
    /// them without the store. On unless set.
    pub fn memory_copy(mut self, memory_copy: bool) -> Self {
        self.memory_copy = memory_copy;
        self
    }

    /// The accounts that are read into memory while the app starts, so that the page's first
    /// `get_token` need not wait. `default` alone unless set. Has no effect without the memory
    /// copy.
    pub fn prefetch(mut self, accounts: impl IntoIterator<Item = Account>) -> Self {
        self.prefetch = accounts.into_iter().collect();
        self
    }

    /// What buys the next token, in Rust: it is called once for everybody who waits, in any window or in
    /// Rust, and needs no window. With it the plugin also refreshes ahead of time. The sessions of pages
    /// then need no `refresh`, and their windows no more than the permission set `access`.
    ///
    /// It gets the account and the record to renew. A refresh token that the server does not send again
    /// stays in use.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use tauri_plugin_secure_token::{Builder, RefreshError, Token, Tokens};
    ///
    /// # struct Renewed { access_token: String, refresh_token: String, expires_in: u64 }
    /// # enum Failure { Refused, Other }
    /// # async fn call_api(_: String) -> Result<Renewed, Failure> { Err(Failure::Other) }
    /// let plugin = Builder::new().refresh(async |_account, record| {
    ///     let Some(refresh_token) = record.refresh_token else {
    ///         return Err(RefreshError::Ended);
    ///     };
    ///     let renewed = call_api(refresh_token.expose().into()).await.map_err(|failure| match failure {
    ///         // The token endpoint says 400 with `invalid_grant`, or 401.
    ///         Failure::Refused => RefreshError::Ended,
    ///         Failure::Other => RefreshError::failed(),
    ///     })?;
    ///     let token = |text| Token::new(text).map_err(|_| RefreshError::failed());
    ///     let mut tokens = Tokens::new(token(renewed.access_token)?);
    ///     tokens.refresh_token = Some(token(renewed.refresh_token)?);
    ///     tokens.expires_in = Some(Duration::from_secs(renewed.expires_in));
    ///     Ok(tokens)
    /// });
    /// # let _ = plugin.build::<tauri::Wry>();
    /// ```
    pub fn refresh<F, R>(mut self, refresh: F) -> Self
    where
        F: Fn(Account, Record) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Tokens, RefreshError>> + Send + 'static,
    {
        self.refresh = Some(Arc::new(move |account, record| {
            let refreshed = refresh(account, record);
            Box::pin(async move { refreshed.await.into() })
        }));
        self
    }

    /// What tells the server that a record is no longer in use (RFC 7009), in Rust: called after a sign-out,
    /// for the record that a new login replaces, and for tokens that arrive after the login has ended. It is
    /// called again after a failure.
    pub fn revoke<F, R>(mut self, revoke: F) -> Self
    where
        F: Fn(Account, Record) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), RevokeError>> + Send + 'static,
    {
        self.revoke = Some(Arc::new(move |account, record| {
            Box::pin(revoke(account, record))
        }));
        self
    }

    /// The time within which a refresh ends: that of [`refresh`](Self::refresh), and that which a window
    /// carries out. 60 s unless set; zero is refused when the app starts. What comes later is dropped.
    pub fn refresh_deadline(mut self, deadline: Duration) -> Self {
        self.refresh_deadline = deadline;
        self
    }

    /// The identifier that this app had in an earlier release, under which its records may still rest. They are
    /// read from there and, while the app starts, moved: written under today's identifier, read back, and then
    /// removed. The app does not start if it is empty, today's, or given together with a
    /// [`store`](Self::store).
    ///
    /// What the keys of the platform allow stays as it is: macOS asks the user where the signature has changed
    /// as well, and an app in Flatpak or Snap cannot see the files of another.
    #[cfg(desktop)]
    pub fn earlier_identifier(mut self, identifier: impl Into<String>) -> Self {
        self.earlier_identifier = Some(identifier.into());
        self
    }

    /// How Rust signs in, refreshes and signs out for pages that never see a token.
    #[cfg(feature = "native")]
    pub fn native(mut self, native: Native) -> Self {
        self.native = Some(native);
        self
    }

    /// Which keychain of macOS holds the records.
    #[cfg(target_os = "macos")]
    pub fn macos_keychain(mut self, keychain: store::MacosKeychain) -> Self {
        self.options.keychain = keychain;
        self
    }

    /// Whether a key that has to be made is asked of StrongBox first. Off unless set: StrongBox is
    /// slow. `store_info` tells where the key is.
    #[cfg(target_os = "android")]
    pub fn android_strong_box(mut self, prefer: bool) -> Self {
        self.options.shim.strong_box = prefer;
        self
    }

    /// When iOS lets the records be read. Takes effect with the next write of a record.
    #[cfg(target_os = "ios")]
    pub fn ios_accessibility(mut self, accessibility: store::IosAccessibility) -> Self {
        self.options.shim.accessibility = accessibility;
        self
    }

    /// The keychain access group that holds the records, for apps that share them. The app's own
    /// unless set; the app must be entitled to it.
    #[cfg(target_os = "ios")]
    pub fn ios_access_group(mut self, group: impl Into<String>) -> Self {
        self.options.shim.access_group = Some(group.into());
        self
    }

    /// Whether the records of an earlier installation are removed at the first start after the app
    /// was installed again. Off unless set: iOS keeps keychain items when an app is deleted.
    #[cfg(target_os = "ios")]
    pub fn ios_clear_on_reinstall(mut self, clear: bool) -> Self {
        self.options.shim.clear_on_reinstall = clear;
        self
    }

    /// A store in the place of the platform's own, such as a
    /// [`MemoryStore`](store::memory::MemoryStore) in the tests of an app.
    pub fn store(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// The plugin.
    ///
    /// Its set-up fails with [`ErrorCode::Misconfigured`], and the app does not start, if the app's
    /// identifier is empty, the deadline is zero, or the native part of the plugin is missing on
    /// Android or iOS. A key store that cannot be opened keeps no app from starting: its calls are
    /// [`ErrorCode::Unavailable`].
    #[must_use]
    pub fn build<R: Runtime>(
        #[cfg_attr(not(feature = "native"), expect(unused_mut))] mut self,
    ) -> TauriPlugin<R> {
        let pages = Pages::default();
        let (reloaded, closed) = (pages.clone(), pages.clone());
        let plugin = PluginBuilder::new("secure-token");
        #[cfg(feature = "native")]
        let plugin = plugin
            .register_asynchronous_uri_scheme_protocol(media::SCHEME, media::respond)
            .on_navigation(media::may_navigate);
        plugin
            .invoke_handler(generate_handler![
                commands::set_token,
                commands::get_token,
                commands::clear_token,
                commands::list_accounts,
                commands::watch_tokens,
                commands::store_info,
                session_commands::session_open,
                session_commands::session_hydrate,
                session_commands::session_sign_in,
                session_commands::session_sign_out,
                session_commands::session_token,
                session_commands::session_lease,
                session_commands::session_answer,
                session_commands::session_revokes,
                #[cfg(feature = "native")]
                native_commands::native_fetch,
                #[cfg(feature = "native")]
                native_commands::native_read,
                #[cfg(feature = "native")]
                native_commands::native_write,
                #[cfg(feature = "native")]
                native_commands::native_abort,
                #[cfg(feature = "native")]
                native_commands::native_media,
                #[cfg(feature = "native")]
                native_sign_in::native_sign_in,
            ])
            .setup(move |app, api| {
                #[cfg(feature = "native")]
                {
                    let client = Client::of(app);
                    tauri::Manager::manage(app, self.sign_in(&client)?);
                    tauri::Manager::manage(app, Requests::new(client, native::Limits::default()));
                }
                let tokens = self.tokens(app, &api)?;
                tauri::Manager::manage(app, tokens);
                tauri::Manager::manage(app, pages);
                Ok(())
            })
            .on_page_load(move |webview, load| {
                if load.event() == PageLoadEvent::Started {
                    reloaded.end_page(webview.label());
                }
            })
            .on_event(move |app, event| match event {
                RunEvent::WindowEvent {
                    label,
                    event: WindowEvent::Destroyed,
                    ..
                } => closed.end_window(label),
                RunEvent::Exit => {
                    let tokens = tauri::Manager::state::<SecureToken>(app);
                    tauri::async_runtime::block_on(tokens.sessions.finish());
                }
                _ => {}
            })
            .build()
    }

    /// What signs in for pages. The refresh and the revocation that belong to it become those of the sessions.
    #[cfg(feature = "native")]
    fn sign_in(&mut self, client: &Client) -> Result<SignIn> {
        let Some(native) = self.native.take() else {
            return Ok(SignIn::default());
        };
        let (refresh, revoke) = (self.refresh.take(), self.revoke.take());
        let prepared = native.prepare(client, self.deadline, refresh, revoke)?;
        (self.refresh, self.revoke) = (prepared.refresh, prepared.revoke);
        Ok(prepared.sign_in)
    }

    fn tokens<R: Runtime, C: DeserializeOwned>(
        self,
        app: &tauri::AppHandle<R>,
        api: &PluginApi<R, C>,
    ) -> Result<SecureToken> {
        let misconfigured = |message| Err(Error::new(ErrorCode::Misconfigured, message));
        let service = &*app.config().identifier;
        if service.is_empty() {
            // An empty service is a wildcard to the keychains of macOS and iOS.
            return misconfigured("the identifier in tauri.conf.json is empty");
        }
        if self.deadline.is_zero() || self.refresh_deadline.is_zero() {
            return misconfigured("the deadline is zero");
        }
        #[cfg(desktop)]
        let earlier = match &self.earlier_identifier {
            Some(earlier) if earlier.is_empty() || earlier == service => {
                return misconfigured(
                    "the earlier identifier is empty, or the one that the app has",
                );
            }
            Some(_) if self.store.is_some() => {
                return misconfigured("a store of the app's own has no earlier identifier");
            }
            Some(earlier) => Some(store::open(earlier, api, &self.options)?),
            None => None,
        };
        let store = match self.store {
            Some(store) => store,
            None => store::open(service, api, &self.options)?,
        };
        #[cfg(desktop)]
        let store = match earlier.clone() {
            Some(earlier) => Arc::new(Renamed::new(store, earlier)),
            None => store,
        };
        let processes = if store.is_shared() {
            processes(app)
        } else {
            Processes::none()
        };
        let outbox = Outbox::new(store.clone(), processes.clone(), self.deadline);
        let vault = Vault::shared(store, self.deadline, self.memory_copy, processes.clone());
        #[cfg(desktop)]
        if let Some(earlier) = earlier {
            vault.move_from(earlier);
        }
        if self.memory_copy {
            for account in self.prefetch {
                vault.prefetch(account);
            }
        }
        let limits = Limits::with_refresh(self.refresh_deadline);
        let sessions = Sessions::new(
            vault.clone(),
            &processes,
            outbox,
            self.refresh,
            self.revoke,
            limits,
        );
        Ok(SecureToken { vault, sessions })
    }
}

/// What coordinates the processes of the app.
#[cfg(desktop)]
fn processes<R: Runtime>(app: &tauri::AppHandle<R>) -> Processes {
    match tauri::Manager::path(app).app_local_data_dir() {
        Ok(folder) => Processes::in_folder(folder),
        Err(error) => {
            log::warn!("there is no folder in which the processes of the app could meet: {error}");
            Processes::none()
        }
    }
}

/// An app of Android or iOS has one process.
#[cfg(mobile)]
fn processes<R: Runtime>(_: &tauri::AppHandle<R>) -> Processes {
    Processes::none()
}
