// Which key seals a record, when one is made, and when one is removed: a Keystore that fails never gets another key.
package app.secure_token

import android.content.pm.PackageManager
import android.os.Process
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.system.OsConstants
import app.secure_token.standin.KeystoreCall
import app.secure_token.standin.StandInDisk
import app.secure_token.standin.StandInKeystore
import java.security.ProviderException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Test
import org.robolectric.Shadows.shadowOf

class KeysTest : StoreTest() {
  private val aliases: Set<String> get() = StandInKeystore.keys.keys.toSet()
  private val made: Int get() = StandInKeystore.made.size

  @Test
  fun `P1 a list of keys that comes back empty makes no second key`() {
    set(ACCOUNT, "first")
    val key = aliases
    StandInKeystore.listIsEmpty = true
    repeat(20) {
      restart()
      set(ACCOUNT, "value $it")
      set("account $it", "value")
      set(ACCOUNT, "value", service = OTHER_SERVICE)
      assertEquals("value $it", get(ACCOUNT))
    }
    assertEquals(1, made)
    assertEquals(key, aliases)
  }

  @Test
  fun `a list of keys that cannot be had does not disturb the key of a record`() {
    set(ACCOUNT, "first")
    StandInKeystore.fail(KeystoreCall.LIST) { ProviderException("busy") }
    restart()
    set(ACCOUNT, "second")
    set("another", "value")
    assertEquals("second", get(ACCOUNT))
    assertEquals(1, made)
  }

  @Test
  fun `a list of keys that cannot be had is an error if no record has a key`() {
    StandInKeystore.fail(KeystoreCall.LIST) { ProviderException("busy") }
    repeat(20) { refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value") } }
    assertEquals(0, made)
  }

  @Test
  fun `P1 hardware that is busy for longer is an error, and no reason for a key`() {
    set(ACCOUNT, "old")
    StandInKeystore.fail(KeystoreCall.SEAL) { status(SECURE_HARDWARE_BUSY) }
    repeat(20) {
      restart()
      refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "new") }
      refused(ErrorCode.UNAVAILABLE) { set("account $it", "new") }
    }
    StandInKeystore.fault = {}
    assertEquals(1, made)
    assertEquals("old", get(ACCOUNT))
  }

  @Test
  fun `hardware that is busy for longer leaves no key of a first write behind`() {
    StandInKeystore.fail(KeystoreCall.SEAL) { status(SECURE_HARDWARE_BUSY) }
    repeat(20) { refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "new") } }
    assertEquals(emptySet<String>(), aliases)
  }

  @Test
  fun `a key that is there before any record is used`() {
    StandInKeystore.putKey(KeyId.random().alias, ByteArray(32))
    set(ACCOUNT, "value")
    assertEquals(0, made)
  }

  @Test
  fun `a broken key that no record has does not keep a token from being stored`() {
    StandInKeystore.putKey(KeyId.random().alias, ByteArray(32))
    val broken = aliases.single()
    StandInKeystore.keys.getValue(broken).failure = { IllegalArgumentException() }
    set(ACCOUNT, "value")
    assertEquals("value", get(ACCOUNT))
    assertEquals("it is removed", 1, aliases.size)
    assertNotEquals(setOf(broken), aliases)
  }

  @Test
  fun `P1 a key that a record has and that fails without being gone is an error`() {
    set(ACCOUNT, "old")
    val key = StandInKeystore.keys.values.single()
    key.failure = { IllegalArgumentException() }
    repeat(20) { refused(ErrorCode.INTERNAL) { set(ACCOUNT, "new") } }
    assertEquals(1, made)
    key.failure = null
    assertEquals("old", get(ACCOUNT))
  }

  @Test
  fun `a broken key is replaced once its record was deleted`() {
    set(ACCOUNT, "old")
    StandInKeystore.keys.values.single().failure = { IllegalArgumentException() }
    store.delete(SERVICE, ACCOUNT)
    set(ACCOUNT, "new")
    assertEquals("new", get(ACCOUNT))
    assertEquals(1, aliases.size)
  }

  @Test
  fun `a key that is invalid for good is replaced by the next set, and removed`() {
    set(ACCOUNT, "old")
    val old = aliases.single()
    StandInKeystore.keys.getValue(old).failure = { KeyPermanentlyInvalidatedException() }
    set(ACCOUNT, "new")
    assertEquals("new", get(ACCOUNT))
    assertEquals(1, aliases.size)
    assertNotEquals(setOf(old), aliases)
  }

  @Test
  fun `P1 a key that is invalid for good stays as long as a record has it`() {
    set("a", "of a")
    set(ACCOUNT, "of b", service = OTHER_SERVICE)
    val old = StandInKeystore.keys.values.single()
    old.failure = { KeyPermanentlyInvalidatedException() }
    set("a", "new")
    assertEquals(2, aliases.size)
    set("c", "with the key of a")
    assertEquals(2, made)
    old.failure = null
    assertEquals("it recovered", "of b", get(ACCOUNT, OTHER_SERVICE))
    old.failure = { KeyPermanentlyInvalidatedException() }
    set(ACCOUNT, "new", service = OTHER_SERVICE)
    assertEquals("the last record that had it is replaced", 1, aliases.size)
    assertEquals(2, made)
  }

  /** Up to API 30 a key that cannot be looked up is called absent, and the list is empty. */
  @Test
  fun `P1 keys that are hidden while the Keystore restarts are used as soon as it is back`() {
    set(ACCOUNT, "old")
    set("another", "value")
    val hidden = StandInKeystore.keys.toMap()
    loseKeys()
    StandInKeystore.fault = { if (it == KeystoreCall.MAKE) StandInKeystore.keys.putAll(hidden) }
    set(ACCOUNT, "new")
    StandInKeystore.fault = {}
    assertEquals("the one that was made is removed", hidden.keys, aliases)
    assertEquals("new", get(ACCOUNT))
    assertEquals("value", get("another"))
  }

  @Test
  fun `P1 keys that are hidden while the Keystore is away are not replaced`() {
    set(ACCOUNT, "old")
    val hidden = StandInKeystore.keys.toMap()
    loseKeys()
    StandInKeystore.fail(KeystoreCall.MAKE) { ProviderException("no service") }
    repeat(20) { refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "new") } }
    StandInKeystore.fault = {}
    StandInKeystore.keys.putAll(hidden)
    assertEquals("old", get(ACCOUNT))
    assertEquals(hidden.keys, aliases)
  }

  @Test
  fun `P3 the key goes with the last record that has it`() {
    set(ACCOUNT, "value")
    set(ACCOUNT, "value", service = OTHER_SERVICE)
    store.delete(SERVICE, ACCOUNT)
    assertEquals(1, aliases.size)
    assertEquals("value", get(ACCOUNT, OTHER_SERVICE))
    store.delete(OTHER_SERVICE, ACCOUNT)
    assertEquals(emptySet<String>(), aliases)
  }

  @Test
  fun `logins and logouts leave no keys behind, even if the list is always empty`() {
    StandInKeystore.listIsEmpty = true
    repeat(20) {
      restart()
      set(ACCOUNT, "value $it")
      assertEquals("value $it", get(ACCOUNT))
      assertEquals(1, aliases.size)
      store.delete(SERVICE, ACCOUNT)
    }
    assertEquals(emptySet<String>(), aliases)
  }

  @Test
  fun `P3 a delete succeeds although its key cannot be removed, and a later process removes it`() {
    set("a", "1")
    set("b", "2")
    StandInKeystore.keys.getValue(aliases.single()).failure = { KeyPermanentlyInvalidatedException() }
    set("a", "3")
    StandInKeystore.fail(KeystoreCall.REMOVE) { ProviderException("busy") }
    store.delete(SERVICE, "b")
    assertEquals(null, get("b"))
    assertEquals(2, aliases.size)
    StandInKeystore.fault = {}
    restart()
    set("a", "4")
    assertEquals(1, aliases.size)
  }

  @Test
  fun `P3 a delete that fails removes no key`() {
    set(ACCOUNT, "value")
    StandInDisk.fail("fsync folder", OsConstants.EIO)
    refused(ErrorCode.INTERNAL) { store.delete(SERVICE, ACCOUNT) }
    StandInDisk.fault = {}
    StandInDisk.powerCut()
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a damaged record keeps every key, for it may need any`() {
    set("a", "1")
    set("b", "2")
    val whole = fileOf("b").readBytes()
    fileOf("b").writeBytes(ByteArray(10))
    store.delete(SERVICE, "a")
    fileOf("b").writeBytes(whole)
    assertEquals("2", get("b"))
  }

  @Test
  fun `P1 a record that cannot be looked up keeps every key`() {
    set("a", "1")
    set(ACCOUNT, "2", service = OTHER_SERVICE)
    val folder = folderOf(OTHER_SERVICE)
    var removed = false
    StandInDisk.fault = { call ->
      if (call == "remove record") removed = true
      if (removed && call == "access folder of all") throw android.system.ErrnoException(call, OsConstants.EACCES)
    }
    store.delete(SERVICE, "a")
    StandInDisk.fault = {}
    assertEquals(1, folder.list()!!.size)
    assertEquals("2", get(ACCOUNT, OTHER_SERVICE))
  }

  /** Such apps have one user id, and the Keystore knows apps by it. */
  @Test
  fun `P1 an app with a sharedUserId removes no keys, for they may be another app's`() {
    val packages: PackageManager = context.packageManager
    shadowOf(packages).setPackagesForUid(Process.myUid(), context.packageName, "com.example.sibling")
    StandInKeystore.putKey(KeyId.random().alias, ByteArray(32))
    val sibling = aliases
    set(ACCOUNT, "value")
    store.delete(SERVICE, ACCOUNT)
    assertEquals(sibling, aliases)
  }

  @Test
  fun `a full disk leaves no keys behind`() {
    StandInKeystore.listIsEmpty = true
    StandInDisk.fail("write draft", OsConstants.ENOSPC)
    repeat(20) { refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value") } }
    assertEquals(emptySet<String>(), aliases)
  }

  @Test
  fun `P2 a set whose last sync fails keeps the keys of the old and the new record`() {
    set(ACCOUNT, "old")
    StandInKeystore.keys.values.single().failure = { KeyPermanentlyInvalidatedException() }
    StandInDisk.fail("fsync folder", OsConstants.EIO)
    refused(ErrorCode.INTERNAL) { set(ACCOUNT, "new") }
    assertEquals(2, aliases.size)
    StandInDisk.fault = {}
    assertEquals("new", get(ACCOUNT))
  }

  @Test
  fun `keys that an earlier release piled up are removed by the first set`() {
    set(ACCOUNT, "value")
    val needed = aliases
    repeat(20) { StandInKeystore.putKey(KeyId.random().alias, ByteArray(32)) }
    StandInKeystore.putKey("com.example.their.key", ByteArray(32))
    restart()
    assertEquals("a read removes nothing", "value", get(ACCOUNT))
    assertEquals(22, aliases.size)
    set(ACCOUNT, "value")
    assertEquals(needed + "com.example.their.key", aliases)
  }

  @Test
  fun `info describes the key that a record has even if the list is empty`() {
    set(ACCOUNT, "value")
    StandInKeystore.listIsEmpty = true
    assertEquals("the key is in the secure hardware of the device", store.info().detail)
  }
}
