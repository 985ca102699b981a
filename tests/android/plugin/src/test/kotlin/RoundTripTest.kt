// The store when nothing goes wrong: what was set is read, by the next process too.
package app.secure_token

import app.secure_token.standin.StandInKeystore
import java.util.concurrent.Callable
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class RoundTripTest : StoreTest() {
  @Test
  fun `P1 what was never set is absent`() {
    assertNull(get(ACCOUNT))
    set("other", "value")
    assertNull(get(ACCOUNT))
  }

  @Test
  fun `what was set is read`() {
    set(ACCOUNT, "secure-token.v1.abc")
    assertEquals("secure-token.v1.abc", get(ACCOUNT))
  }

  @Test
  fun `a second value takes the place of the first`() {
    set(ACCOUNT, "a-long-first-value")
    set(ACCOUNT, "b")
    assertEquals("b", get(ACCOUNT))
    assertEquals(1, filesOf(SERVICE).size)
  }

  @Test
  fun `P2 what was acknowledged is read by the next process`() {
    set(ACCOUNT, "value")
    restart()
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P3 what was deleted is absent, and stays so in the next process`() {
    set(ACCOUNT, "value")
    store.delete(SERVICE, ACCOUNT)
    assertNull(get(ACCOUNT))
    restart()
    assertNull(get(ACCOUNT))
    assertEquals(emptyList<String>(), filesOf(SERVICE))
  }

  @Test
  fun `deleting what is absent succeeds`() {
    store.delete(SERVICE, ACCOUNT)
    set("other", "value")
    store.delete(SERVICE, ACCOUNT)
    assertEquals("value", get("other"))
  }

  @Test
  fun `deleting removes one account only`() {
    set("a", "1")
    set("b", "2")
    store.delete(SERVICE, "a")
    assertNull(get("a"))
    assertEquals("2", get("b"))
  }

  @Test
  fun `accounts are listed by name`() {
    val accounts = listOf("default", "ada@example.com", "../../etc/passwd", "Łódź 東京 🔑", " ", "é".repeat(256))
    accounts.forEach { set(it, "value") }
    assertEquals(accounts.sorted(), store.list(SERVICE).sorted())
    accounts.forEach { assertEquals("value", get(it)) }
  }

  @Test
  fun `an empty store lists nothing`() = assertEquals(emptyList<String>(), store.list(SERVICE))

  @Test
  fun `a deleted account is listed no more`() {
    set("a", "1")
    set("b", "2")
    store.delete(SERVICE, "a")
    assertEquals(listOf("b"), store.list(SERVICE))
  }

  @Test
  fun `services do not see each other`() {
    set(ACCOUNT, "mine")
    set(ACCOUNT, "other", service = OTHER_SERVICE)
    assertEquals("mine", get(ACCOUNT))
    assertEquals("other", get(ACCOUNT, OTHER_SERVICE))
    store.delete(OTHER_SERVICE, ACCOUNT)
    assertEquals(listOf(ACCOUNT), store.list(SERVICE))
    assertEquals(emptyList<String>(), store.list(OTHER_SERVICE))
  }

  @Test
  fun `a token of 1 MiB`() {
    val value = "t".repeat(1024 * 1024)
    set(ACCOUNT, value)
    restart()
    assertEquals(value, get(ACCOUNT))
  }

  @Test
  fun `the longest value`() {
    val value = ByteArray(Payload.LONGEST_VALUE) { ('!' + it % 94).code.toByte() }
    store.set(SERVICE, "é".repeat(256), value, false)
    assertArrayEquals(value, store.get(SERVICE, "é".repeat(256)))
  }

  @Test
  fun `one key seals every record`() {
    repeat(3) { set("account $it", "value") }
    restart()
    set("after the restart", "value")
    assertEquals(1, StandInKeystore.made.size)
  }

  @Test
  fun `P4 the same value is never sealed to the same bytes`() {
    set(ACCOUNT, "value")
    val first = fileOf(ACCOUNT).readBytes()
    set(ACCOUNT, "value")
    assertFalse(first.contentEquals(fileOf(ACCOUNT).readBytes()))
  }

  @Test
  fun `P4 the value is not in the file`() {
    set(ACCOUNT, "canary-of-the-file")
    assertFalse(String(fileOf(ACCOUNT).readBytes(), Charsets.ISO_8859_1).contains("canary"))
  }

  @Test
  fun `records rest where no backup looks`() {
    set(ACCOUNT, "value")
    assertTrue(fileOf(ACCOUNT).isFile)
    assertEquals("no_backup", context.noBackupFilesDir.name)
    assertTrue(context.filesDir.walk().none { it.isFile })
  }

  @Test
  fun `P2 16 threads on two stores make one key and lose nothing`() {
    val stores = listOf(store, TokenStore(context, pauses::add))
    val threads = 16
    val start = CyclicBarrier(threads)
    val pool = Executors.newFixedThreadPool(threads)
    try {
      val results =
        (0 until threads).map { number ->
          pool.submit(
            Callable {
              val mine = stores[number % 2]
              start.await(20, TimeUnit.SECONDS)
              repeat(5) { round ->
                mine.set(SERVICE, "account $number", "$number-$round".toByteArray(), false)
                mine.set(SERVICE, "shared", "${"x".repeat(1000)}$number".toByteArray(), false)
                assertEquals("$number-$round", String(mine.get(SERVICE, "account $number")!!))
                assertTrue(String(mine.get(SERVICE, "shared")!!).startsWith("x".repeat(1000)))
              }
            }
          )
        }
      results.forEach { it.get(60, TimeUnit.SECONDS) }
    } finally {
      pool.shutdownNow()
    }
    assertEquals(1, StandInKeystore.made.size)
    assertEquals(threads + 1, store.list(SERVICE).size)
    repeat(threads) { assertEquals("$it-4", get("account $it")) }
  }
}
