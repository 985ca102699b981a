//! The app that `npm run bench` measures. It does the one thing that its argument names, writes the
//! figures as one line of JSON, and ends.

#[cfg(target_os = "linux")]
mod writes;

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use tauri::{
    AppHandle, Runtime, WebviewUrl, WebviewWindowBuilder, command, generate_handler,
    plugin::{Builder, TauriPlugin},
};

#[command]
#[allow(
    clippy::unused_async,
    reason = "runs where the plugin's own commands run, which are all async"
)]
async fn noop() {}

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

/// What a call costs that does nothing.
fn bench<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("bench")
        .invoke_handler(generate_handler![noop, done])
        .build()
}

/// Compares writes without a window, and leaves a token behind for the other modes.
#[cfg(target_os = "linux")]
fn compare_writes(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let figures = match writes::compare(&app).await {
            Ok(pairs) => serde_json::json!(pairs),
            Err(error) => serde_json::json!({ "failed": error.to_string() }),
        };
        if done(app.clone(), figures.to_string()).is_err() {
            app.exit(1);
        }
    });
}

#[cfg(not(target_os = "linux"))]
fn compare_writes(app: &AppHandle) {
    app.exit(1);
}

fn main() -> Result<(), Box<dyn Error>> {
    let mode = env::args()
        .nth(1)
        .ok_or("usage: secure-token-bench calls|first-token|first-noop|writes")?;
    let mut app = tauri::Builder::default().plugin(bench());
    // What a start without the plugin costs is what `first-token` is compared with.
    if mode != "first-noop" {
        app = app.plugin(tauri_plugin_secure_token::init());
    }
    app.setup(move |app| {
        if mode == "writes" {
            compare_writes(app.handle());
            return Ok(());
        }
        let page = WebviewUrl::App(format!("index.html?mode={mode}").into());
        WebviewWindowBuilder::new(app, "main", page).build()?;
        Ok(())
    })
    .run(tauri::generate_context!())?;
    Ok(())
}
