// What Gradle generates for Tauri's library: a debug build, so that Tauri logs what it can.
package app.tauri

internal object BuildConfig {
  const val DEBUG = true
}
