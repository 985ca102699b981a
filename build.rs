//! Generates the permissions and tells an app's build what belongs to the plugin.

#[expect(dead_code, reason = "only its schema is used here")]
#[path = "src/ipc/scope/entry.rs"]
mod entry;

/// The commands, as `src/lib.rs` registers them.
const COMMANDS: &[&str] = &[
    "set_token",
    "get_token",
    "clear_token",
    "list_accounts",
    "watch_tokens",
    "store_info",
    "session_open",
    "session_hydrate",
    "session_sign_in",
    "session_sign_out",
    "session_token",
    "session_lease",
    "session_answer",
    "session_revokes",
    "native_fetch",
    "native_read",
    "native_write",
    "native_abort",
    "native_sign_in",
    "native_media",
];

fn main() {
    tauri_plugin::Builder::new(COMMANDS)
        .global_api_script_path("./api-iife.js")
        .android_path("android")
        .ios_path("ios")
        .global_scope_schema(schemars::schema_for!(entry::ScopeEntry))
        .build();
}
