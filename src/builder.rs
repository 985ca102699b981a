//! The plugin's options, and how it is put together.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tauri::{
    RunEvent, Runtime, WindowEvent, generate_handler,
    plugin::{Builder as PluginBuilder, PluginApi, TauriPlugin},
    webview::PageLoadEvent,
};

use crate::{
    Account, Error, ErrorCode, Result, SecureToken, commands,
    pages::PageWatches,
    store::{self, SecretStore},
    vault::Vault,
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
    store: Option<Arc<dyn SecretStore>>,
    options: store::Options,
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
            store: None,
            options: store::Options::default(),
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
    pub fn build<R: Runtime>(self) -> TauriPlugin<R> {
        let pages = PageWatches::default();
        let (reloaded, closed) = (pages.clone(), pages.clone());
        PluginBuilder::new("secure-token")
            .invoke_handler(generate_handler![
                commands::set_token,
                commands::get_token,
                commands::clear_token,
                commands::list_accounts,
                commands::watch_tokens,
                commands::store_info,
            ])
            .setup(move |app, api| {
                let vault = self.vault(&app.config().identifier, &api)?;
                tauri::Manager::manage(app, SecureToken(vault));
                tauri::Manager::manage(app, pages);
                Ok(())
            })
            .on_page_load(move |webview, load| {
                if load.event() == PageLoadEvent::Started {
                    reloaded.end_page(webview.label());
                }
            })
            .on_event(move |_app, event| {
                if let RunEvent::WindowEvent {
                    label,
                    event: WindowEvent::Destroyed,
                    ..
                } = event
                {
                    closed.end_window(label);
                }
            })
            .build()
    }

    fn vault<R: Runtime, C: DeserializeOwned>(
        self,
        service: &str,
        api: &PluginApi<R, C>,
    ) -> Result<Vault> {
        let misconfigured = |message| Err(Error::new(ErrorCode::Misconfigured, message));
        if service.is_empty() {
            // An empty service is a wildcard to the keychains of macOS and iOS.
            return misconfigured("the identifier in tauri.conf.json is empty");
        }
        if self.deadline.is_zero() {
            return misconfigured("the deadline is zero");
        }
        let store = match self.store {
            Some(store) => store,
            None => store::open(service, api, &self.options)?,
        };
        let vault = Vault::new(store, self.deadline, self.memory_copy);
        if self.memory_copy {
            for account in self.prefetch {
                vault.prefetch(account);
            }
        }
        Ok(vault)
    }
}
