//! Declares the plugin whose commands do nothing, so that its calls pass the same gate as ours.

use tauri_build::{Attributes, DefaultPermissionRule, InlinedPlugin};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plugin = InlinedPlugin::new()
        .commands(&["noop", "done"])
        .default_permission(DefaultPermissionRule::AllowAllCommands);
    tauri_build::try_build(Attributes::new().plugin("bench", plugin))?;
    Ok(())
}
