//! The app that `npm run bench` measures: without the plugin, with it, or with a raw D-Bus client to compare it with
//! as well. It does the one thing that its argument names and writes the figures as one line of JSON.

#[cfg(all(feature = "raw-client", target_os = "linux"))]
mod list;
#[cfg(all(feature = "raw-client", target_os = "linux"))]
mod raw;
#[cfg(all(feature = "raw-client", target_os = "linux"))]
mod turns;
#[cfg(all(feature = "raw-client", target_os = "linux"))]
mod writes;

#[cfg(feature = "plugin")]
use std::time::Duration;
use std::{
    env,
    error::Error,
    io::{self, Write},
};

use tauri::{
    AppHandle, Manager, Runtime, State, WebviewUrl, WebviewWindowBuilder, command,
    generate_handler,
    plugin::{Builder, TauriPlugin},
};
use tokio::sync::Notify;

const USAGE: &str = "usage: secure-token-bench calls|fresh-token|login-to-other|first-token|first-noop|idle-token|idle-noop|writes|list";

#[command]
#[allow(
    clippy::unused_async,
    reason = "runs where the plugin's own commands run, which are all async"
)]
async fn noop() {}

/// The page has done what it should before the app idles.
#[command]
fn ready() -> tauri::Result<()> {
    writeln!(io::stdout(), "null")?;
    Ok(())
}

#[command]
#[allow(
    clippy::needless_pass_by_value,
    reason = "a command takes its arguments by value"
)]
fn done<R: Runtime>(app: AppHandle<R>, figures: String) -> tauri::Result<()> {
    writeln!(io::stdout(), "{figures}")?;
    app.exit(0);
    Ok(())
}

/// Opens a window that signs in whenever the first one has, and resolves when its page is there.
#[command]
async fn open_second<R: Runtime>(
    app: AppHandle<R>,
    open: State<'_, SecondIsOpen>,
) -> tauri::Result<()> {
    let page = WebviewUrl::App("index.html?mode=second".into());
    WebviewWindowBuilder::new(&app, "second", page).build()?;
    open.0.notified().await;
    Ok(())
}

#[command]
#[allow(
    clippy::needless_pass_by_value,
    reason = "a command takes its arguments by value"
)]
fn second_is_open(open: State<'_, SecondIsOpen>) {
    open.0.notify_one();
}

#[derive(Default)]
struct SecondIsOpen(Notify);

/// What a call costs that does nothing.
fn bench<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("bench")
        .invoke_handler(generate_handler![
            noop,
            ready,
            done,
            open_second,
            second_is_open
        ])
        .build()
}

/// What is measured without a window, on a thread of its own.
#[cfg(all(feature = "raw-client", target_os = "linux"))]
fn measure_without_window(mode: &str, app: &AppHandle) -> bool {
    let measure = match mode {
        "writes" => writes::measure,
        "list" => list::measure,
        _ => return false,
    };
    let app = app.clone();
    std::thread::spawn(move || {
        let figures = measure(&app)
            .unwrap_or_else(|error| serde_json::json!({ "failed": error.to_string() }));
        if done(app.clone(), figures.to_string()).is_err() {
            app.exit(1);
        }
    });
    true
}

#[cfg(not(all(feature = "raw-client", target_os = "linux")))]
fn measure_without_window(_mode: &str, _app: &AppHandle) -> bool {
    false
}

fn main() -> Result<(), Box<dyn Error>> {
    let mode = env::args().nth(1).ok_or(USAGE)?;
    let app = tauri::Builder::default().plugin(bench());
    #[cfg(feature = "plugin")]
    let app = app.plugin(
        tauri_plugin_secure_token::Builder::new()
            // Ten thousand accounts take gnome-keyring 16 s, and on a busy machine more than the 30 s that an app has.
            .deadline(Duration::from_mins(5))
            .build(),
    );
    app.setup(move |app| {
        app.manage(SecondIsOpen::default());
        if !measure_without_window(&mode, app.handle()) {
            let page = WebviewUrl::App(format!("index.html?mode={mode}").into());
            WebviewWindowBuilder::new(app, "main", page).build()?;
        }
        Ok(())
    })
    .run(tauri::generate_context!())?;
    Ok(())
}
