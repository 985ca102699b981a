//! A page that calls commands: through Tauri's IPC, with a mock of the window.

use serde_json::Value;
use tauri::{
    App, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response},
    webview::InvokeRequest,
};

pub struct Page {
    pub window: WebviewWindow<MockRuntime>,
}

impl Page {
    pub fn open(app: &App<MockRuntime>, label: &str) -> Self {
        let url = tauri::WebviewUrl::default();
        let window = WebviewWindowBuilder::new(app, label, url).build().unwrap();
        Self { window }
    }

    /// What the command answers, or what the page's promise is rejected with.
    pub fn invoke(&self, command: &str, args: impl Into<InvokeBody>) -> Result<Value, Value> {
        let url = if cfg!(windows) {
            "http://tauri.localhost"
        } else {
            "tauri://localhost"
        };
        let request = InvokeRequest {
            cmd: format!("plugin:secure-token|{command}"),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.parse().unwrap(),
            body: args.into(),
            headers: tauri::http::HeaderMap::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        get_ipc_response(&self.window, request).map(|body| body.deserialize().unwrap())
    }
}
