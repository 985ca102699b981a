// Records of earlier releases: names and bytes are frozen, and every release reads what the first one wrote.
package app.secure_token

import app.secure_token.standin.StandInKeystore
import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class FormatTest : StoreTest() {
  private val releases: List<JSONObject> by lazy {
    val records = JSONArray(fixture("android-records.json"))
    (0 until records.length()).map(records::getJSONObject)
  }

  private fun bytes(hex: String) = hex.chunked(2).map { it.toInt(16).toByte() }.toByteArray()

  private fun place(record: JSONObject) {
    StandInKeystore.putKey(record.getString("alias"), bytes(record.getString("key")))
    val file = File(context.noBackupFilesDir, record.getString("path"))
    file.parentFile!!.mkdirs()
    file.writeBytes(bytes(record.getString("file")))
  }

  @Test
  fun `P7 the records of every release are read`() {
    assertTrue(releases.isNotEmpty())
    for (record in releases) {
      assertEquals("the app of the fixtures", record.getString("package"), context.packageName)
      place(record)
      assertEquals(record.getString("value"), get(record.getString("account"), record.getString("service")))
      assertEquals(listOf(record.getString("account")), store.list(record.getString("service")))
    }
  }

  @Test
  fun `P7 a key of an earlier release seals what this one writes`() {
    place(releases.first())
    set(ACCOUNT, "new")
    assertEquals(0, StandInKeystore.made.size)
    assertEquals("new", get(ACCOUNT))
  }

  @Test
  fun `P7 the names of files are those of the first release`() {
    val record = releases.first()
    set(record.getString("account"), "value", service = record.getString("service"))
    assertTrue(File(context.noBackupFilesDir, record.getString("path")).isFile)
  }

  @Test
  fun `P7 the bytes around the ciphertext are those of the first release`() {
    for (record in releases) {
      val file = bytes(record.getString("file"))
      assertArrayEquals(file, SealedRecord.decode(file).encode())
      val header = RecordHeader.decode(file)
      assertEquals(record.getString("alias"), header.keyId.alias)
      assertEquals(record.getString("aad"), header.associatedData(record.getString("package")).hex())
    }
  }

  @Test
  fun `an alias tells the key that it names`() {
    val id = KeyId.random()
    assertArrayEquals(id.bytes, KeyId.of(id.alias)!!.bytes)
    assertNull(KeyId.of(id.alias.uppercase()))
    assertNull(KeyId.of(id.alias + "0"))
    assertNull(KeyId.of("x" + id.alias))
    assertNotNull(KeyId.of("app.secure_token.v1." + "0".repeat(32)))
  }
}
