//! The demo app on a desktop.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> tauri::Result<()> {
    vue_pinia_lib::run()
}
