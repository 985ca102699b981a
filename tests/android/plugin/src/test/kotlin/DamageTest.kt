// Files that are not what the store wrote: reported, never taken for a value, never touched by a read.
package app.secure_token

import java.io.File
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.Test

class DamageTest : StoreTest() {
  /** Reads after [damage]; the file must be as the damage left it. */
  private fun readAfter(damage: (File) -> Unit): StoreException {
    set(ACCOUNT, "the-value")
    val file = fileOf(ACCOUNT).also(damage)
    val bytes = file.readBytes()
    restart()
    val error = refused(ErrorCode.CORRUPT) { get(ACCOUNT) }
    assertArrayEquals("a read changes nothing", bytes, file.readBytes())
    return error
  }

  @Test
  fun `P1 an empty file is corrupt`() {
    readAfter { it.writeBytes(ByteArray(0)) }
  }

  @Test
  fun `P1 a file cut at any byte is corrupt`() {
    set(ACCOUNT, "the-value")
    val whole = fileOf(ACCOUNT).readBytes()
    for (length in whole.indices) {
      fileOf(ACCOUNT).writeBytes(whole.copyOf(length))
      refused(ErrorCode.CORRUPT) { get(ACCOUNT) }
      assertEquals(length.toLong(), fileOf(ACCOUNT).length())
    }
  }

  @Test
  fun `P1 a flipped bit never gives a value`() {
    set(ACCOUNT, "the-value")
    val whole = fileOf(ACCOUNT).readBytes()
    val codes =
      whole.indices.flatMap { at -> listOf(0, 7).map { bit -> at to bit } }.map { (at, bit) ->
        fileOf(ACCOUNT).writeBytes(whole.copyOf().also { it[at] = (it[at].toInt() xor (1 shl bit)).toByte() })
        try {
          fail("read as ${get(ACCOUNT)} with bit $bit of byte $at flipped")
          throw AssertionError()
        } catch (e: StoreException) {
          e.code
        }
      }
    // In the 16 bytes of the key's name it reads as the record of another key.
    assertEquals(2 * KeyId.LENGTH, codes.count { it == ErrorCode.LOST })
    assertEquals(2 * (whole.size - KeyId.LENGTH), codes.count { it == ErrorCode.CORRUPT })
  }

  @Test
  fun `P1 bytes after the end are corrupt`() {
    readAfter { it.appendBytes(byteArrayOf(0)) }
  }

  @Test
  fun `P1 a foreign file is corrupt`() {
    readAfter { it.writeText("{\"token\":\"of another program\"}".repeat(20)) }
  }

  @Test
  fun `P1 a file that is too long is corrupt, and not read to its end`() {
    readAfter { it.writeBytes(ByteArray(SealedRecord.LONGEST + 2)) }
  }

  @Test
  fun `P7 a record of a later version is corrupt, not misread`() {
    readAfter { file -> file.writeBytes(file.readBytes().also { it[3] = 2 }) }
  }

  @Test
  fun `a folder in the place of a record is an error, not an absence`() {
    fileOf(ACCOUNT).mkdirs()
    refused(ErrorCode.INTERNAL) { get(ACCOUNT) }
  }

  @Test
  fun `P1 swapped files are refused`() {
    set("a", "of a")
    set("b", "of b")
    val (a, b) = fileOf("a").readBytes() to fileOf("b").readBytes()
    fileOf("a").writeBytes(b)
    fileOf("b").writeBytes(a)
    refused(ErrorCode.CORRUPT) { get("a") }
    refused(ErrorCode.CORRUPT) { get("b") }
  }

  /** The header is rewritten, so that only the tag can tell. */
  private fun graft(from: File, into: File, change: (RecordHeader) -> RecordHeader) {
    val record = SealedRecord.decode(from.readBytes())
    into.parentFile!!.mkdirs()
    into.writeBytes(SealedRecord(change(record.header), record.sealed).encode())
  }

  @Test
  fun `P1 a record sealed for another account is refused even under the right name`() {
    set("a", "of a")
    set("b", "of b")
    graft(fileOf("a"), fileOf("b")) { RecordHeader(it.keyId, SERVICE, "b") }
    refused(ErrorCode.CORRUPT) { get("b") }
    assertEquals("of a", get("a"))
  }

  @Test
  fun `P1 a record sealed for another service is refused even under the right name`() {
    set(ACCOUNT, "mine")
    graft(fileOf(ACCOUNT), fileOf(ACCOUNT, OTHER_SERVICE)) { RecordHeader(it.keyId, OTHER_SERVICE, ACCOUNT) }
    refused(ErrorCode.CORRUPT) { get(ACCOUNT, OTHER_SERVICE) }
  }

  @Test
  fun `P1 a record sealed by another app is refused`() {
    val header = { id: KeyId -> RecordHeader(id, SERVICE, ACCOUNT) }
    val keys = SealingKeys(context, KeystoreCalls(pauses::add))
    val (id, sealed) = keys.seal("value".toByteArray(), false, emptySequence()) { header(it).associatedData("com.example.another.app") }
    folderOf(SERVICE).mkdirs()
    fileOf(ACCOUNT).writeBytes(SealedRecord(header(id), sealed).encode())
    refused(ErrorCode.CORRUPT) { get(ACCOUNT) }
  }

  @Test
  fun `names cannot flow into each other`() {
    val id = KeyId.random()
    val one = RecordHeader(id, "ab", "c").associatedData("app")
    val other = RecordHeader(id, "a", "bc").associatedData("app")
    assertTrue(!one.contentEquals(other))
  }

  @Test
  fun `a damaged record is set anew`() {
    readAfter { it.writeText("damaged") }
    set(ACCOUNT, "new")
    assertEquals("new", get(ACCOUNT))
  }

  @Test
  fun `a damaged record can be deleted`() {
    readAfter { it.writeText("damaged") }
    store.delete(SERVICE, ACCOUNT)
    assertEquals(null, get(ACCOUNT))
    assertEquals(emptyList<String>(), store.list(SERVICE))
  }

  @Test
  fun `P1 a damaged record is no shorter list`() {
    set("a", "1")
    set("b", "2")
    fileOf("a").writeText("damaged")
    refused(ErrorCode.CORRUPT) { store.list(SERVICE) }
    assertEquals("2", get("b"))
  }

  @Test
  fun `P1 a record in the place of another one is no entry of the list`() {
    set("a", "1")
    set("b", "2")
    fileOf("a").writeBytes(fileOf("b").readBytes())
    refused(ErrorCode.CORRUPT) { store.list(SERVICE) }
  }

  @Test
  fun `files of others in the folder are left alone`() {
    set("a", "1")
    File(folderOf(SERVICE), "notes.txt").writeText("not ours")
    File(folderOf(SERVICE), "lost+found").mkdir()
    assertEquals(listOf("a"), store.list(SERVICE))
    store.delete(SERVICE, "a")
    assertEquals(listOf("lost+found", "notes.txt"), filesOf(SERVICE))
  }

  @Test
  fun `P4 an error names neither the value nor the account`() {
    set("canary-account", "canary-value")
    fileOf("canary-account").appendBytes(byteArrayOf(0))
    val error = refused(ErrorCode.CORRUPT) { get("canary-account") }
    assertTrue(generateSequence<Throwable>(error) { it.cause }.none { "canary" in it.toString() })
  }
}
