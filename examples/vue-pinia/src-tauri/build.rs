//! Declares the demo's own commands, so that a window needs a permission to call them.

use tauri_build::{AppManifest, Attributes};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = AppManifest::new().commands(&[
        "api_config",
        "open_window",
        "restart",
        "can_lock_keyring",
        "lock_keyring",
    ]);
    tauri_build::try_build(Attributes::new().app_manifest(manifest))?;
    Ok(())
}
