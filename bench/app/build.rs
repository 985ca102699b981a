//! Declares the plugin whose commands do nothing, so that its calls pass the same gate as ours.

use std::env;

use tauri_build::{Attributes, DefaultPermissionRule, InlinedPlugin};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plugin = InlinedPlugin::new()
        .commands(&["noop", "ready", "done", "open_second", "second_is_open"])
        .default_permission(DefaultPermissionRule::AllowAllCommands);
    let capabilities = if env::var_os("CARGO_FEATURE_PLUGIN").is_some() {
        "capabilities/with-plugin/*.json"
    } else {
        "capabilities/without-plugin/*.json"
    };
    let attributes = Attributes::new()
        .plugin("bench", plugin)
        .capabilities_path_pattern(capabilities);
    tauri_build::try_build(attributes)?;
    Ok(())
}
