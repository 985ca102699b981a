// The way from Rust to the plugin manager: the part of the activity that Tauri generates for an app.
package app.secure_token.shrunk

import app.tauri.plugin.PluginManager

class TauriActivity {
  fun getPluginManager() = PluginManager
}
