// The Keystore when it loses keys, fails for a moment or for good: nothing is destroyed or stored in clear.
package app.secure_token

import android.os.Build
import android.os.UserManager
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import app.secure_token.standin.KeystoreCall
import app.secure_token.standin.StandInKeystore
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

class KeystoreTest : StoreTest() {
  private fun withStrongBox() {
    StandInKeystore.strongBox = true
    hasStrongBoxFeature(true)
  }

  private fun hasStrongBoxFeature(has: Boolean) =
    shadowOf(context.packageManager).setSystemFeature("android.hardware.strongbox_keystore", has)

  @Test
  fun `P1 a record without its key is lost, as after a restored backup`() {
    set(ACCOUNT, "value")
    val bytes = fileOf(ACCOUNT).readBytes()
    loseKeys()
    restart()
    refused(ErrorCode.LOST) { get(ACCOUNT) }
    assertArrayEquals(bytes, fileOf(ACCOUNT).readBytes())
  }

  @Test
  fun `P1 no key is made while reading`() {
    set(ACCOUNT, "value")
    loseKeys()
    refused(ErrorCode.LOST) { get(ACCOUNT) }
    assertEquals(1, StandInKeystore.made.size)
    assertTrue(StandInKeystore.keys.isEmpty())
  }

  @Test
  fun `a lost record is set anew with a new key`() {
    set(ACCOUNT, "old")
    loseKeys()
    set(ACCOUNT, "new")
    restart()
    assertEquals("new", get(ACCOUNT))
    assertEquals(2, StandInKeystore.made.size)
  }

  @Test
  fun `P1 a lost record stays lost beside the records of a new key`() {
    set("old", "value")
    loseKeys()
    set("new", "value")
    refused(ErrorCode.LOST) { get("old") }
    assertEquals("value", get("new"))
  }

  @Test
  fun `a lost record is listed and can be deleted`() {
    set(ACCOUNT, "value")
    loseKeys()
    assertEquals(listOf(ACCOUNT), store.list(SERVICE))
    store.delete(SERVICE, ACCOUNT)
    assertEquals(null, get(ACCOUNT))
  }

  @Test
  fun `a key that is gone is asked for again before the record is called lost`() {
    set(ACCOUNT, "value")
    val kept = StandInKeystore.keys.toMap()
    loseKeys()
    var loads = 0
    StandInKeystore.fault = { if (it == KeystoreCall.LOAD && ++loads == 3) StandInKeystore.keys.putAll(kept) }
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a key that is invalid for good means lost`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN) { KeyPermanentlyInvalidatedException() }
    refused(ErrorCode.LOST) { get(ACCOUNT) }
    assertEquals("a retry cannot help", emptyList<Long>(), pauses)
    StandInKeystore.fault = {}
    assertEquals("the record was kept", "value", get(ACCOUNT))
  }

  @Test
  fun `a key that cannot be recovered means lost`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.LOAD) { UnrecoverableKeyException() }
    refused(ErrorCode.LOST) { get(ACCOUNT) }
  }

  @Test
  fun `a passing failure while reading is retried`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN, times = 2) { ProviderException("busy") }
    assertEquals("value", get(ACCOUNT))
    assertEquals(listOf(50L, 100L), pauses)
  }

  @Test
  fun `a passing failure while writing is retried`() {
    StandInKeystore.fail(KeystoreCall.SEAL, KeystoreCall.LIST, times = 3) { ProviderException("busy") }
    set(ACCOUNT, "value")
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `a passing failure while a key is made is retried`() {
    StandInKeystore.fail(KeystoreCall.MAKE, times = 1) { ProviderException("busy") }
    set(ACCOUNT, "value")
    assertEquals("value", get(ACCOUNT))
    assertEquals(1, StandInKeystore.keys.size)
  }

  @Test
  fun `P1 a failure that does not pass is unavailable, and the record is kept`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN) { ProviderException("busy") }
    refused(ErrorCode.UNAVAILABLE) { get(ACCOUNT) }
    assertEquals(listOf(50L, 100L, 200L), pauses)
    StandInKeystore.fault = {}
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a failed set keeps the old value`() {
    set(ACCOUNT, "old")
    for (call in listOf(KeystoreCall.LOAD, KeystoreCall.SEAL)) {
      StandInKeystore.fail(call) { ProviderException("busy") }
      refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "new") }
      StandInKeystore.fault = {}
      assertEquals("old", get(ACCOUNT))
      assertEquals("no key is left over", 1, StandInKeystore.keys.size)
    }
  }

  @Test
  fun `P1 a locked Keystore is no reason for another key`() {
    set(ACCOUNT, "old")
    StandInKeystore.fail(KeystoreCall.SEAL) { status(KEYSTORE_LOCKED) }
    refused(ErrorCode.LOCKED) { set(ACCOUNT, "new") }
    assertEquals(1, StandInKeystore.made.size)
  }

  @Test
  fun `P4 a key that cannot be made is an error, and nothing is written`() {
    StandInKeystore.fail(KeystoreCall.MAKE) { ProviderException("no entropy") }
    refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value") }
    assertEquals(emptyList<String>(), filesOf(SERVICE))
    assertEquals(null, get(ACCOUNT))
  }

  @Test
  fun `P4 a key that was made and is gone at once is an error, and nothing is written`() {
    StandInKeystore.fault = { if (it == KeystoreCall.LOAD) loseKeys() }
    refused(ErrorCode.INTERNAL) { set(ACCOUNT, "value") }
    assertEquals(emptyList<String>(), filesOf(SERVICE))
  }

  @Test
  fun `P4 without a Keystore nothing is written`() {
    StandInKeystore.remove()
    refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value") }
    assertEquals(emptyList<String>(), filesOf(SERVICE))
  }

  @Test
  fun `P1 without a Keystore a record is unavailable, not absent`() {
    set(ACCOUNT, "value")
    StandInKeystore.remove()
    refused(ErrorCode.UNAVAILABLE) { get(ACCOUNT) }
  }

  @Test
  fun `the key is AES-256-GCM, bound to no person and no unlocked screen`() {
    set(ACCOUNT, "value")
    val asked = StandInKeystore.made.single()
    assertEquals(256, asked.keySize)
    assertArrayEquals(arrayOf("GCM"), asked.blockModes)
    assertArrayEquals(arrayOf("NoPadding"), asked.encryptionPaddings)
    assertEquals(KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT, asked.purposes)
    assertTrue(asked.isRandomizedEncryptionRequired)
    assertFalse(asked.isUserAuthenticationRequired)
    if (Build.VERSION.SDK_INT >= 28) {
      assertFalse(asked.isUnlockedDeviceRequired)
      assertFalse(asked.isStrongBoxBacked)
    }
  }

  @Test
  fun `keys of others are neither used nor counted`() {
    StandInKeystore.putKey("com.example.their.key", ByteArray(32))
    StandInKeystore.putKey("app.secure_token.v1.not-one-of-ours", ByteArray(32))
    set(ACCOUNT, "value")
    assertEquals(1, StandInKeystore.made.size)
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `StrongBox is used where it is preferred and there`() {
    withStrongBox()
    set(ACCOUNT, "value", strongBox = true)
    assertEquals("value", get(ACCOUNT))
    if (Build.VERSION.SDK_INT >= 28) {
      assertTrue(StandInKeystore.made.single().isStrongBoxBacked)
    } else {
      assertEquals(1, StandInKeystore.made.size)
    }
  }

  @Test
  fun `StrongBox is not used unless it is preferred`() {
    withStrongBox()
    set(ACCOUNT, "value", strongBox = false)
    if (Build.VERSION.SDK_INT >= 28) assertFalse(StandInKeystore.made.single().isStrongBoxBacked)
  }

  @Test
  fun `StrongBox is not asked for on a device that has none`() {
    hasStrongBoxFeature(false)
    set(ACCOUNT, "value", strongBox = true)
    assertEquals(1, StandInKeystore.made.size)
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `an ordinary key takes the place of one that StrongBox cannot make`() {
    hasStrongBoxFeature(true)
    set(ACCOUNT, "value", strongBox = true)
    assertEquals(if (Build.VERSION.SDK_INT >= 28) 2 else 1, StandInKeystore.made.size)
    assertEquals(1, StandInKeystore.keys.size)
    assertEquals("value", get(ACCOUNT))
    assertEquals("the key is in the secure hardware of the device", store.info().detail)
  }

  @Test
  fun `an ordinary key takes the place of one that StrongBox fails to make`() {
    hasStrongBoxFeature(true)
    StandInKeystore.fault = { call ->
      val strong = Build.VERSION.SDK_INT >= 28 && StandInKeystore.made.lastOrNull()?.isStrongBoxBacked == true
      if (call == KeystoreCall.MAKE && strong) throw ProviderException("StrongBox is broken")
    }
    set(ACCOUNT, "value", strongBox = true)
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P4 where the ordinary key fails too, nothing is written`() {
    hasStrongBoxFeature(true)
    StandInKeystore.fail(KeystoreCall.MAKE) { ProviderException("broken") }
    refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value", strongBox = true) }
    assertEquals(emptyList<String>(), filesOf(SERVICE))
  }

  @Test
  fun `info makes no key`() {
    val info = store.info()
    assertEquals(StoreInfo.State.AVAILABLE, info.state)
    assertFalse(info.hardware)
    assertEquals("the key is made with the first token", info.detail)
    assertEquals(0, StandInKeystore.made.size)
  }

  @Test
  fun `info tells the level that was obtained`() {
    withStrongBox()
    set(ACCOUNT, "value", strongBox = true)
    val info = store.info()
    assertTrue(info.hardware)
    val expected =
      if (Build.VERSION.SDK_INT >= 31) "the key is in StrongBox" else "the key is in the secure hardware of the device"
    assertEquals(expected, info.detail)
  }

  @Test
  fun `info does not call software hardware`() {
    StandInKeystore.level = KeyProperties.SECURITY_LEVEL_SOFTWARE
    set(ACCOUNT, "value")
    val info = store.info()
    assertFalse(info.hardware)
    assertTrue(info.detail, "software" in info.detail)
  }

  @Test
  fun `info claims no hardware where the device says nothing`() {
    StandInKeystore.level = KeyProperties.SECURITY_LEVEL_UNKNOWN
    set(ACCOUNT, "value")
    assertFalse(store.info().hardware)
  }

  @Test
  fun `info says that there is no Keystore`() {
    StandInKeystore.remove()
    val info = store.info()
    assertEquals(StoreInfo.State.UNAVAILABLE, info.state)
    assertTrue(info.detail, "Keystore" in info.detail)
  }

  @Test
  fun `info of a key that is gone for good speaks of the next one`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.DESCRIBE) { KeyPermanentlyInvalidatedException() }
    assertEquals("the key is made with the first token", store.info().detail)
  }

  @Test
  fun `P1 before the first unlock everything is locked and nothing absent`() {
    set(ACCOUNT, "value")
    shadowOf(context.getSystemService(UserManager::class.java)!!).setUserUnlocked(false)
    refused(ErrorCode.LOCKED) { get(ACCOUNT) }
    refused(ErrorCode.LOCKED) { get("absent") }
    refused(ErrorCode.LOCKED) { set(ACCOUNT, "new") }
    refused(ErrorCode.LOCKED) { store.delete(SERVICE, ACCOUNT) }
    refused(ErrorCode.LOCKED) { store.list(SERVICE) }
    assertEquals(StoreInfo.State.LOCKED, store.info().state)
    shadowOf(context.getSystemService(UserManager::class.java)!!).setUserUnlocked(true)
    assertEquals("value", get(ACCOUNT))
  }
}
