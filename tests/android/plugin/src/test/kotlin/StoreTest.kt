// What the tests of the store share: a fresh device each, and words for what they look at.
package app.secure_token

import android.content.Context
import app.secure_token.standin.Answers
import app.secure_token.standin.StandInDisk
import app.secure_token.standin.StandInKeystore
import java.io.File
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

internal const val SERVICE = "com.example.app"
internal const val OTHER_SERVICE = "com.example.other"
internal const val ACCOUNT = "default"

@RunWith(RobolectricTestRunner::class)
abstract class StoreTest {
  internal val context: Context get() = RuntimeEnvironment.getApplication()
  internal val pauses = mutableListOf<Long>()

  /** The store of this run of the app; a new one is a restart of the process. */
  internal var store = TokenStore(context, pauses::add)

  @Before
  fun newDevice() {
    StandInKeystore.install()
    StandInKeystore.beforeRemoval = { assertEquals("records that need the key", emptyList<File>(), recordsOf(it)) }
    StandInDisk.reset()
    Answers.reset()
  }

  @After
  fun leaveNoProviderBehind() = StandInKeystore.remove()

  internal fun restart() {
    store = TokenStore(context, pauses::add)
  }

  internal fun loseKeys() = StandInKeystore.keys.clear()

  internal fun set(account: String, value: String, service: String = SERVICE, strongBox: Boolean = false) =
    store.set(service, account, value.toByteArray(), strongBox)

  internal fun get(account: String, service: String = SERVICE): String? =
    store.get(service, account)?.let { String(it) }

  internal fun fileOf(account: String, service: String = SERVICE) = File(folderOf(service), sha256(account))

  internal fun folderOf(service: String) = File(context.noBackupFilesDir, "secure-token/${sha256(service)}")

  /** The records that name the key of [alias]. */
  internal fun recordsOf(alias: String): List<File> {
    val id = alias.takeLast(2 * KeyId.LENGTH)
    return File(context.noBackupFilesDir, "secure-token").walk().filter { it.isFile && it.extension.isEmpty() && id in it.readBytes().hex() }.toList()
  }

  internal fun filesOf(service: String): List<String> = folderOf(service).list().orEmpty().sorted()

  /** A list that Rust and TypeScript are tested against too, or records that earlier releases wrote. */
  internal fun fixture(name: String) = File(System.getProperty("fixtures")!!, name).readText()

  internal fun refused(code: ErrorCode, call: () -> Unit): StoreException {
    val error = assertThrows(StoreException::class.java) { call() }
    assertEquals(error.message, code, error.code)
    return error
  }
}
