// The bridge: takes the commands of src/store/mobile.rs from Tauri and answers each exactly once.
package app.secure_token

import android.app.Activity
import android.util.Base64
import app.tauri.annotation.Command
import app.tauri.annotation.TauriPlugin
import app.tauri.plugin.Invoke
import app.tauri.plugin.JSArray
import app.tauri.plugin.JSObject
import app.tauri.plugin.Plugin
import java.util.concurrent.Executors

/**
 * Keeps the records of the Rust side in files sealed by a key of the Android Keystore.
 *
 * Tauri calls the commands on the UI thread, so they only hand over to a thread of the plugin. Commands run one
 * after another in the order of their calls. A rejection has a `code` of `tests/fixtures/error-codes.json`.
 */
@TauriPlugin
class SecureTokenPlugin(activity: Activity) : Plugin(activity) {
  private val store = TokenStore(activity.applicationContext)
  private val worker = Executors.newSingleThreadExecutor { Thread(it, "secure-token") }

  /** `{ service, account }`: answers `{ found, value? }`; not found only where the item is known to be absent. */
  @Command
  fun get(invoke: Invoke) = answer(invoke, "service", "account") {
    val value = store.get(service(), account())
    val answer = JSObject().put("found", value != null)
    if (value == null) answer else answer.put("value", value.takeText())
  }

  /** `{ service, account, value, strongBox }`: stores a value in the place of what was there; answers `{}`. */
  @Command
  fun set(invoke: Invoke) = answer(invoke, "service", "account", "value", "strongBox") {
    val (service, account, strongBox) = Triple(service(), account(), flag("strongBox"))
    val value = value()
    try {
      store.set(service, account, value, strongBox)
    } finally {
      value.fill(0)
    }
    JSObject()
  }

  /** `{ service, account }`: removes an item, and succeeds where there is none; answers `{}`. */
  @Command
  fun delete(invoke: Invoke) = answer(invoke, "service", "account") {
    store.delete(service(), account())
    JSObject()
  }

  /** `{ service }`: answers `{ accounts }`, never a value. */
  @Command
  fun list(invoke: Invoke) = answer(invoke, "service") {
    JSObject().put("accounts", JSArray(store.list(service())))
  }

  /** `{ service }`: says what the store is and how it is now; a store that is locked or missing is an answer too. */
  @Command
  fun info(invoke: Invoke) = answer(invoke, "service") {
    service()
    val info = store.info()
    JSObject()
      .put("store", "Android Keystore")
      .put("persistent", true)
      .put("durable", true)
      .put("hardware", info.hardware)
      .put("state", info.state.wire)
      .put("detail", info.detail)
  }

  /** `{}`: answers `{ certificates }`, whom TLS may trust, each DER in base64. */
  @Command
  fun trustedRoots(invoke: Invoke) = answer(invoke) {
    val certificates = trustedRoots().map { Base64.encodeToString(it, Base64.NO_WRAP) }
    JSObject().put("certificates", JSArray(certificates))
  }

  /** The only place that answers. Nothing that fails is logged or repeated: it may hold a token. */
  private fun answer(invoke: Invoke, vararg fields: String, command: Payload.() -> JSObject) {
    worker.execute {
      val send =
        try {
          val answer = Payload(invoke.getRawArgs(), fields.toSet()).command()
          ({ invoke.resolve(answer) })
        } catch (e: StoreException) {
          ({ invoke.reject(e.message, e.code.wire) })
        } catch (e: Throwable) {
          // An error too: nothing else would answer, and the caller would wait until its deadline.
          ({ invoke.reject("the store failed: ${e.javaClass.name}", ErrorCode.INTERNAL.wire) })
        }
      send()
    }
  }
}

private fun ByteArray.takeText(): String = String(this, Charsets.US_ASCII).also { fill(0) }
