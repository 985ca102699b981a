// NOT RUN by `npm test`: for a device or an emulator, where the Keystore and the disk are real.
package app.secure_token

import android.content.pm.PackageManager
import android.os.Build
import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import java.io.File
import java.security.KeyStore
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith

@RunWith(AndroidJUnit4::class)
class DeviceTest {
  private companion object {
    const val SERVICE = "app.secure_token.device_test"
    const val ACCOUNT = "default"

    /** The kernels of Android's emulator, by `Build.HARDWARE`: the fingerprint of a new one says nothing. */
    val EMULATORS = setOf("goldfish", "ranchu")
  }

  private val context = InstrumentationRegistry.getInstrumentation().targetContext
  private val keyStore = KeyStore.getInstance("AndroidKeyStore").apply { load(null) }
  private val value = "secure-token.v1.of-a-device".toByteArray()

  @Before
  @After
  fun leaveNothing() {
    File(context.noBackupFilesDir, "secure-token").deleteRecursively()
    keys().forEach(keyStore::deleteEntry)
  }

  private fun keys() = keyStore.aliases().toList().filter { KeyId.of(it) != null }

  /** Another store is what a restarted process has: nothing is kept in memory. */
  private fun store() = TokenStore(context)

  @Test
  fun whatWasSetIsReadAfterARestart() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    assertArrayEquals(value, store().get(SERVICE, ACCOUNT))
    assertEquals(listOf(ACCOUNT), store().list(SERVICE))
  }

  @Test
  fun aTokenOf1MiBIsRead() {
    val long = ByteArray(1024 * 1024) { 't'.code.toByte() }
    store().set(SERVICE, ACCOUNT, long, strongBox = false)
    assertArrayEquals(long, store().get(SERVICE, ACCOUNT))
  }

  @Test
  fun whatWasDeletedIsAbsent() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    store().delete(SERVICE, ACCOUNT)
    assertNull(store().get(SERVICE, ACCOUNT))
  }

  @Test
  fun aDamagedRecordIsCorrupt() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    val file = File(context.noBackupFilesDir, "secure-token/${sha256(SERVICE)}/${sha256(ACCOUNT)}")
    file.writeBytes(file.readBytes().also { it[it.size - 1] = (it[it.size - 1] + 1).toByte() })
    assertEquals(ErrorCode.CORRUPT, codeOf { store().get(SERVICE, ACCOUNT) })
  }

  @Test
  fun aRecordWithoutItsKeyIsLostAndCanBeSetAnew() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    keys().forEach(keyStore::deleteEntry)
    assertEquals(ErrorCode.LOST, codeOf { store().get(SERVICE, ACCOUNT) })
    assertTrue(keys().isEmpty())
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    assertArrayEquals(value, store().get(SERVICE, ACCOUNT))
  }

  @Test
  fun theKeyIsInHardwareWhereTheDeviceHasIt() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    val info = store().info()
    assertEquals(StoreInfo.State.AVAILABLE, info.state)
    assumeTrue("an emulator keeps keys in software", Build.HARDWARE !in EMULATORS)
    assertTrue(info.detail, info.hardware)
  }

  @Test
  fun strongBoxIsUsedWhereItIsPreferredAndThere() {
    assumeTrue(Build.VERSION.SDK_INT >= Build.VERSION_CODES.S)
    assumeTrue(context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE))
    store().set(SERVICE, ACCOUNT, value, strongBox = true)
    assertEquals(KeyLevel.STRONGBOX.detail, store().info().detail)
    assertArrayEquals(value, store().get(SERVICE, ACCOUNT))
  }

  @Test
  fun preferringStrongBoxNeverKeepsAValueFromBeingStored() {
    store().set(SERVICE, ACCOUNT, value, strongBox = true)
    assertArrayEquals(value, store().get(SERVICE, ACCOUNT))
  }

  /** Android leaves this folder out of backups; see docs/android.md for the check with `bmgr`. */
  @Test
  fun recordsRestWhereNoBackupLooks() {
    store().set(SERVICE, ACCOUNT, value, strongBox = false)
    val records = context.dataDir.walk().filter { it.isFile && it.name == sha256(ACCOUNT) }.toList()
    assertEquals(1, records.size)
    assertTrue(records.single().startsWith(context.noBackupFilesDir))
    assertFalse(records.single().startsWith(context.filesDir))
  }

  private fun codeOf(call: () -> Unit): ErrorCode? =
    try {
      call()
      null
    } catch (e: StoreException) {
      e.code
    }
}
