// The disk when it is full, read-only or broken, and the process when it is killed between two system calls.
package app.secure_token

import android.system.OsConstants
import app.secure_token.standin.Killed
import app.secure_token.standin.StandInDisk
import java.io.File
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class DiskTest : StoreTest() {
  @After
  fun `every file was closed`() = assertEquals(0, StandInDisk.openFiles)

  /** Runs [change] once for every system call that it makes, and ends the process right before that call. */
  private fun killedAtEveryCall(prepare: () -> Unit, change: () -> Unit, next: (finished: Boolean) -> Unit) {
    var at = 0
    do {
      File(context.noBackupFilesDir, "secure-token").deleteRecursively()
      StandInDisk.reset()
      restart()
      prepare()
      var calls = 0
      StandInDisk.fault = { if (calls++ == at) throw Killed() }
      val finished =
        try {
          change()
          true
        } catch (_: Killed) {
          false
        }
      StandInDisk.fault = {}
      restart()
      next(finished)
      at++
    } while (!finished)
    assertTrue("calls between which it was killed: $at", at >= 4)
  }

  @Test
  fun `P2 killed at any call of a first set, the record is absent or whole`() =
    killedAtEveryCall({}, { set(ACCOUNT, "new") }) { finished ->
      val value = get(ACCOUNT)
      assertTrue("$value", value == "new" || !finished && value == null)
      set(ACCOUNT, "again")
      assertEquals("again", get(ACCOUNT))
    }

  @Test
  fun `P2 killed at any call of an overwrite, the record is the old or the new`() =
    killedAtEveryCall({ set(ACCOUNT, "old") }, { set(ACCOUNT, "new") }) { finished ->
      val value = get(ACCOUNT)
      assertTrue("$value", value == "new" || !finished && value == "old")
      assertEquals(listOf(ACCOUNT), store.list(SERVICE))
    }

  @Test
  fun `P2 with the power cut at any call of an overwrite, the record is the old or the new`() =
    killedAtEveryCall({ set(ACCOUNT, "old") }, { set(ACCOUNT, "new") }) { finished ->
      StandInDisk.powerCut()
      val value = get(ACCOUNT)
      assertTrue("$value", value == "new" || !finished && value == "old")
    }

  @Test
  fun `P2 with the power cut after a first set, the record is there`() {
    set(ACCOUNT, "value")
    StandInDisk.powerCut()
    restart()
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P3 with the power cut after a delete, the record stays absent`() {
    set(ACCOUNT, "value")
    store.delete(SERVICE, ACCOUNT)
    StandInDisk.powerCut()
    restart()
    assertNull(get(ACCOUNT))
  }

  @Test
  fun `P3 killed at any call of a delete, the record is whole or absent`() =
    killedAtEveryCall({ set(ACCOUNT, "old") }, { store.delete(SERVICE, ACCOUNT) }) { finished ->
      StandInDisk.powerCut()
      val value = get(ACCOUNT)
      assertTrue("$value", value == null || !finished && value == "old")
    }

  @Test
  fun `P2 a write is a draft, synced, renamed, and its folder synced`() {
    set(ACCOUNT, "old")
    StandInDisk.calls.clear()
    set(ACCOUNT, "new")
    assertEquals(
      listOf("open draft", "write draft", "fsync draft", "rename draft", "open folder", "fsync folder"),
      StandInDisk.calls - setOf("open record", "read record"),
    )
  }

  @Test
  fun `P2 new folders are synced into their parents`() {
    context.noBackupFilesDir
    StandInDisk.calls.clear()
    set(ACCOUNT, "value")
    assertEquals(
      listOf("mkdir root", "mkdir folder of all", "fsync root", "mkdir folder", "fsync folder of all"),
      StandInDisk.calls.filter { it.startsWith("mkdir") || it.startsWith("fsync") }.take(5),
    )
  }

  @Test
  fun `P2 folders of a process that was killed are synced by the next one`() {
    StandInDisk.fault = { if (it == "fsync root" || it == "fsync folder of all") throw Killed() }
    assertThrows(Killed::class.java) { set(ACCOUNT, "value") }
    StandInDisk.fault = {}
    restart()
    set(ACCOUNT, "value")
    StandInDisk.powerCut()
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `what a kill left behind is removed by a delete, and is never an account`() {
    set(ACCOUNT, "old")
    StandInDisk.fault = { if (it == "rename draft") throw Killed() }
    assertThrows(Killed::class.java) { set(ACCOUNT, "new") }
    StandInDisk.fault = {}
    assertEquals(2, filesOf(SERVICE).size)
    assertEquals(listOf(ACCOUNT), store.list(SERVICE))
    store.delete(SERVICE, ACCOUNT)
    assertEquals(emptyList<String>(), filesOf(SERVICE))
  }

  @Test
  fun `what a kill left behind does not disturb the next set`() {
    StandInDisk.fault = { if (it == "rename draft") throw Killed() }
    assertThrows(Killed::class.java) { set(ACCOUNT, "a much longer value than the next one") }
    StandInDisk.fault = {}
    set(ACCOUNT, "new")
    assertEquals("new", get(ACCOUNT))
    assertEquals(1, filesOf(SERVICE).size)
  }

  /** A set that fails at [call] with [errno]: the code, the number in the message, the old value, no draft. */
  private fun failedSet(call: String, errno: Int, code: ErrorCode) {
    set(ACCOUNT, "old")
    StandInDisk.fail(call, errno)
    val error = refused(code) { set(ACCOUNT, "new") }
    StandInDisk.fault = {}
    assertTrue(error.message, error.message.endsWith("errno $errno"))
    assertFalse(error.message, context.noBackupFilesDir.path in error.message)
    restart()
    assertEquals("old", get(ACCOUNT))
    assertEquals(1, filesOf(SERVICE).size)
  }

  @Test
  fun `P2 a full disk changes nothing`() = failedSet("write draft", OsConstants.ENOSPC, ErrorCode.UNAVAILABLE)

  @Test
  fun `P2 a full disk that is noticed late changes nothing`() =
    failedSet("fsync draft", OsConstants.EDQUOT, ErrorCode.UNAVAILABLE)

  @Test
  fun `P2 a read-only disk changes nothing`() = failedSet("open draft", OsConstants.EROFS, ErrorCode.DENIED)

  @Test
  fun `P2 a folder that cannot be written changes nothing`() =
    failedSet("rename draft", OsConstants.EACCES, ErrorCode.DENIED)

  @Test
  fun `P2 a broken disk changes nothing`() = failedSet("fsync draft", OsConstants.EIO, ErrorCode.INTERNAL)

  @Test
  fun `P2 a set whose last sync fails is not acknowledged`() {
    set(ACCOUNT, "old")
    StandInDisk.fail("fsync folder", OsConstants.EIO)
    refused(ErrorCode.INTERNAL) { set(ACCOUNT, "new") }
    StandInDisk.fault = {}
    assertTrue(get(ACCOUNT) in listOf("old", "new"))
  }

  @Test
  fun `a folder that cannot be made is an error`() {
    StandInDisk.fail("mkdir folder", OsConstants.ENOSPC)
    refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "value") }
    StandInDisk.fault = {}
    assertNull(get(ACCOUNT))
  }

  @Test
  fun `P1 a record that cannot be opened is not absent`() {
    set(ACCOUNT, "value")
    for ((errno, code) in listOf(OsConstants.EACCES to ErrorCode.DENIED, OsConstants.EIO to ErrorCode.INTERNAL)) {
      StandInDisk.fail("open record", errno)
      refused(code) { get(ACCOUNT) }
      refused(code) { store.list(SERVICE) }
    }
    StandInDisk.fault = {}
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a record that cannot be read is kept`() {
    set(ACCOUNT, "value")
    StandInDisk.fail("read record", OsConstants.EIO)
    refused(ErrorCode.INTERNAL) { get(ACCOUNT) }
    StandInDisk.fault = {}
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a folder that cannot be looked up is no empty list`() {
    set(ACCOUNT, "value")
    StandInDisk.fail("access folder", OsConstants.EACCES)
    refused(ErrorCode.DENIED) { store.list(SERVICE) }
  }

  @Test
  fun `P1 a folder that is a file is no empty list`() {
    folderOf(SERVICE).parentFile!!.mkdirs()
    folderOf(SERVICE).writeText("in the way")
    refused(ErrorCode.INTERNAL) { store.list(SERVICE) }
  }

  @Test
  fun `P3 a delete that fails is not acknowledged`() {
    set(ACCOUNT, "value")
    for (call in listOf("remove record", "fsync folder")) {
      StandInDisk.fail(call, OsConstants.EIO)
      refused(ErrorCode.INTERNAL) { store.delete(SERVICE, ACCOUNT) }
    }
    StandInDisk.fault = {}
    store.delete(SERVICE, ACCOUNT)
    assertNull(get(ACCOUNT))
  }

  @Test
  fun `P3 a delete is synced even where an earlier one took the record`() {
    set(ACCOUNT, "value")
    StandInDisk.fail("fsync folder", OsConstants.EIO)
    refused(ErrorCode.INTERNAL) { store.delete(SERVICE, ACCOUNT) }
    StandInDisk.fault = {}
    store.delete(SERVICE, ACCOUNT)
    StandInDisk.powerCut()
    assertNull(get(ACCOUNT))
  }

  @Test
  fun `short reads and writes are continued`() {
    StandInDisk.mostBytes = 7
    set(ACCOUNT, "a value of more than seven bytes")
    assertEquals("a value of more than seven bytes", get(ACCOUNT))
    assertEquals(listOf(ACCOUNT), store.list(SERVICE))
  }

  @Test
  fun `a record that vanishes while the list is made is left out`() {
    set("a", "1")
    set("b", "2")
    val victim = filesOf(SERVICE).last()
    var opened = 0
    StandInDisk.fault = { if (it == "open record" && ++opened == 2) File(folderOf(SERVICE), victim).delete() }
    assertEquals(1, store.list(SERVICE).size)
  }

  @Test
  fun `a failure of the clean-up does not hide the first one`() {
    set(ACCOUNT, "old")
    StandInDisk.fault = { call ->
      if (call == "fsync draft") throw android.system.ErrnoException(call, OsConstants.ENOSPC)
      if (call == "remove draft") throw android.system.ErrnoException(call, OsConstants.EIO)
    }
    refused(ErrorCode.UNAVAILABLE) { set(ACCOUNT, "new") }
    StandInDisk.fault = {}
    assertEquals("old", get(ACCOUNT))
  }
}
