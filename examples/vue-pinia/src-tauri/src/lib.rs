//! The demo app around the secure-token plugin: some windows, one of which may not touch the token.

mod controls;
mod refresher;

use std::env::{self, VarError};
use std::io;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

/// Where the demo's HTTP servers listen.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiConfig {
    api_url: String,
    /// An origin that must never receive the token; without it the page hides its button.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_url: Option<String>,
}

/// The windows that the page may open.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ExtraWindow {
    /// The same page once more, with the same permissions.
    Second,
    Third,
    Fourth,
    /// A page without any permission on the plugin.
    Guest,
}

impl ExtraWindow {
    /// The label, which the files in `capabilities/` refer to.
    fn label(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Third => "third",
            Self::Fourth => "fourth",
            Self::Guest => "guest",
        }
    }

    fn page(self) -> &'static str {
        match self {
            Self::Second => "index.html?window=second",
            Self::Third => "index.html?window=third",
            Self::Fourth => "index.html?window=fourth",
            Self::Guest => "guest.html",
        }
    }

    #[cfg(desktop)]
    fn title(self) -> &'static str {
        match self {
            Self::Second => "Secure Token: second window",
            Self::Third => "Secure Token: third window",
            Self::Fourth => "Secure Token: fourth window",
            Self::Guest => "Secure Token: guest window",
        }
    }

    #[cfg(desktop)]
    fn size(self) -> (f64, f64) {
        match self {
            Self::Second | Self::Third | Self::Fourth => (900.0, 820.0),
            Self::Guest => (460.0, 340.0),
        }
    }
}

/// Tells the page which servers to talk to.
#[tauri::command]
fn api_config() -> ApiConfig {
    ApiConfig {
        api_url: api_url(),
        other_url: env::var("SECURE_TOKEN_DEMO_OTHER").ok(),
    }
}

fn api_url() -> String {
    env::var("SECURE_TOKEN_DEMO_API").unwrap_or_else(|_| "http://127.0.0.1:8787".to_owned())
}

/// Opens one of the extra windows, or brings it to the front when it is open already.
///
/// Any other label is refused before this runs, with a message that names those that exist.
#[tauri::command]
#[allow(
    clippy::unused_async,
    reason = "on the main thread, building a window would deadlock on Windows"
)]
async fn open_window(app: AppHandle, label: ExtraWindow) -> tauri::Result<()> {
    if let Some(open) = app.get_webview_window(label.label()) {
        return open.set_focus();
    }
    build(&app, label)
}

fn build(app: &AppHandle, extra: ExtraWindow) -> tauri::Result<()> {
    let window =
        WebviewWindowBuilder::new(app, extra.label(), WebviewUrl::App(extra.page().into()));
    #[cfg(desktop)]
    let window = {
        let (width, height) = extra.size();
        window.title(extra.title()).inner_size(width, height)
    };
    window.build()?;
    Ok(())
}

/// Reads a setting of the demo.
fn setting<T: FromStr>(name: &str) -> io::Result<Option<T>> {
    let wrong = || {
        let message = format!("{name} has a value that it cannot have");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| wrong()),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(wrong()),
    }
}

/// Runs the app until its last window is closed.
///
/// # Errors
///
/// Where an environment variable of the demo has a value that it cannot have, or Tauri cannot start.
pub fn run() -> tauri::Result<()> {
    let mut plugin = tauri_plugin_secure_token::Builder::new();
    // A test need not wait for the plugin's own deadline.
    if let Some(deadline) = setting("SECURE_TOKEN_DEMO_DEADLINE_MS")? {
        plugin = plugin.deadline(Duration::from_millis(deadline));
    }
    if setting("SECURE_TOKEN_DEMO_REFRESH_IN_RUST")?.unwrap_or(false) {
        plugin = refresher::refresh_in_rust(plugin, &api_url()).map_err(io::Error::other)?;
    }
    let windows: usize = setting("SECURE_TOKEN_DEMO_WINDOWS")?.unwrap_or(1);
    tauri::Builder::default()
        .plugin(plugin.build())
        .setup(move |app| {
            let extra = [ExtraWindow::Second, ExtraWindow::Third, ExtraWindow::Fourth];
            for window in extra.into_iter().take(windows.saturating_sub(1)) {
                build(app.handle(), window)?;
            }
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![
            api_config,
            open_window,
            controls::restart,
            controls::can_lock_keyring,
            controls::lock_keyring,
        ])
        .run(tauri::generate_context!())
}

/// Where Android and iOS start the app. Nobody there would hear of an error.
#[cfg(mobile)]
#[tauri::mobile_entry_point]
fn start() {
    if let Err(error) = run() {
        panic!("the demo did not start: {error}");
    }
}
