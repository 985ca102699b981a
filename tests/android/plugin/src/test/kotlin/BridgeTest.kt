// The plugin as Tauri calls it: loaded by the real plugin manager, JSON in, JSON out, on the UI thread.
package app.secure_token

import android.app.Activity
import android.os.Looper
import app.secure_token.standin.Answer
import app.secure_token.standin.Answers
import app.secure_token.standin.KeystoreCall
import app.secure_token.standin.StandInDisk
import app.secure_token.standin.StandInKeystore
import app.tauri.plugin.PluginManager
import java.io.File
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.shadows.ShadowLog

class BridgeTest : StoreTest() {
  private var calls = 0

  @Before
  fun load() {
    val activity = Robolectric.buildActivity(Activity::class.java).get()
    PluginManager.load(null, "secure-token", SecureTokenPlugin(activity), "{}")
  }

  /** Calls as Rust does, and returns the number of the call without waiting. */
  private fun call(command: String, json: String): Int {
    val id = ++calls
    PluginManager.runCommand(id, "secure-token", command, json)
    return id
  }

  private fun run(command: String, json: String): Answer = Answers.take(call(command, json))

  private fun run(command: String, vararg fields: Pair<String, Any?>): Answer = run(command, payload(*fields))

  private fun payload(vararg fields: Pair<String, Any?>): String =
    JSONObject().apply { fields.forEach { (name, value) -> put(name, value) } }.toString()

  private val item = arrayOf<Pair<String, Any?>>("service" to SERVICE, "account" to ACCOUNT)

  private fun write(value: String) =
    run("set", *item, "value" to value, "strongBox" to false)

  private fun read(): JSONObject = run("get", *item).value

  @Test
  fun `P1 an absent item is not found`() = assertEquals("{\"found\":false}", read().toString())

  @Test
  fun `a value goes round`() {
    assertEquals("{}", write("secure-token.v1.abc/+=").success)
    assertEquals("secure-token.v1.abc/+=", read().getString("value"))
    assertTrue(read().getBoolean("found"))
  }

  @Test
  fun `P2 a value survives the process`() {
    write("value")
    load()
    assertEquals("value", read().getString("value"))
  }

  @Test
  fun `a value is overwritten`() {
    write("first")
    write("second")
    assertEquals("second", read().getString("value"))
  }

  @Test
  fun `accounts are listed`() {
    assertEquals("{\"accounts\":[]}", run("list", "service" to SERVICE).success)
    write("value")
    run("set", "service" to SERVICE, "account" to "Łódź", "value" to "v", "strongBox" to true)
    val accounts = run("list", "service" to SERVICE).value.getJSONArray("accounts")
    assertEquals(setOf(ACCOUNT, "Łódź"), (0 until accounts.length()).map(accounts::getString).toSet())
  }

  @Test
  fun `P3 a deleted item is not found`() {
    write("value")
    assertEquals("{}", run("delete", *item).success)
    assertFalse(read().getBoolean("found"))
    assertEquals("{}", run("delete", *item).success)
  }

  @Test
  fun `info tells what the store is`() {
    write("value")
    val info = run("info", "service" to SERVICE).value
    val fields = setOf("store", "persistent", "durable", "hardware", "state", "detail")
    assertEquals(fields, info.keys().asSequence().toSet())
    assertEquals("Android Keystore", info.getString("store"))
    assertTrue(info.getBoolean("persistent") && info.getBoolean("durable") && info.getBoolean("hardware"))
    assertEquals("available", info.getString("state"))
  }

  @Test
  fun `info answers where there is no Keystore`() {
    StandInKeystore.remove()
    assertEquals("unavailable", run("info", "service" to SERVICE).value.getString("state"))
  }

  @Test
  fun `a value of 1 MiB goes round`() {
    val value = "t".repeat(1024 * 1024)
    write(value)
    assertEquals(value, read().getString("value"))
  }

  @Test
  fun `rejections have codes`() {
    write("value")
    StandInKeystore.keys.clear()
    val lost = run("get", *item)
    assertEquals("lost", lost.code)
    assertTrue(lost.message, "Keystore" in lost.message)
    File(folderOf(SERVICE), sha256(ACCOUNT)).writeText("damaged")
    assertEquals("corrupt", run("get", *item).code)
  }

  @Test
  fun `the codes are those of Rust and TypeScript`() {
    val fixture = JSONArray(fixture("error-codes.json"))
    val codes = (0 until fixture.length()).map { fixture.getJSONObject(it).getString("code") }
    assertEquals(codes, ErrorCode.entries.map { it.wire })
  }

  @Test
  fun `P6 every command answers exactly once`() {
    val ids =
      listOf(
        call("set", payload(*item, "value" to "v", "strongBox" to false)),
        call("get", payload(*item)),
        call("list", payload("service" to SERVICE)),
        call("info", payload("service" to SERVICE)),
        call("delete", payload(*item)),
        call("get", "not json"),
      )
    ids.forEach { assertNotNull(Answers.take(it)) }
    read()
    ids.forEach { assertEquals(0, Answers.waiting(it)) }
  }

  private fun answersOnce(error: () -> Throwable) {
    StandInKeystore.fail(KeystoreCall.LIST, error = error)
    val id = call("set", payload(*item, "value" to "canary", "strongBox" to false))
    val answer = Answers.take(id)
    assertEquals("internal", answer.code)
    assertFalse(answer.message, "canary" in answer.message)
    StandInKeystore.fault = {}
    assertFalse("the thread lives on", read().getBoolean("found"))
    assertEquals(0, Answers.waiting(id))
  }

  @Test
  fun `P6 answers exactly once where the store throws`() = answersOnce { IllegalStateException("canary") }

  @Test
  fun `P6 answers exactly once where the store is out of memory`() = answersOnce { OutOfMemoryError("canary") }

  @Test
  fun `P6 answers exactly once where the disk throws`() {
    StandInDisk.fault = { throw IllegalStateException("canary") }
    val id = call("get", payload(*item))
    assertEquals("internal", Answers.take(id).code)
    StandInDisk.fault = {}
    read()
    assertEquals(0, Answers.waiting(id))
  }

  @Test
  fun `P6 the UI thread never waits for the store`() {
    val ui = Looper.getMainLooper().thread
    assertSame("the test stands on the UI thread, as Tauri does", ui, Thread.currentThread())
    write("value")
    val calls =
      listOf("get" to KeystoreCall.OPEN, "info" to KeystoreCall.DESCRIBE, "set" to KeystoreCall.SEAL)
    for ((command, held) in calls) {
      val reached = CountDownLatch(1)
      val release = CountDownLatch(1)
      var thread: Thread? = null
      StandInKeystore.fault = {
        if (it == held) {
          thread = Thread.currentThread()
          reached.countDown()
          assertTrue("held for too long", release.await(20, TimeUnit.SECONDS))
        }
      }
      val json =
        when (command) {
          "get" -> payload(*item)
          "info" -> payload("service" to SERVICE)
          else -> payload(*item, "value" to "v", "strongBox" to false)
        }
      val id = call(command, json)
      assertTrue(reached.await(20, TimeUnit.SECONDS))
      assertEquals("$command returned before the store answered", 0, Answers.waiting(id))
      release.countDown()
      assertNotNull(Answers.take(id).success)
      assertNotEquals(ui, thread)
    }
  }

  @Test
  fun `P6 the disk is used off the UI thread`() {
    val threads = HashSet<Thread>()
    StandInDisk.fault = { threads += Thread.currentThread() }
    write("value")
    read()
    run("list", "service" to SERVICE)
    run("delete", *item)
    assertEquals(listOf("secure-token"), threads.map { it.name })
    assertFalse(Looper.getMainLooper().thread in threads)
  }

  @Test
  fun `commands run in the order of their calls`() {
    val ids = (1..20).map { call("set", payload(*item, "value" to "value-$it", "strongBox" to false)) }
    val last = call("get", payload(*item))
    assertEquals("value-20", Answers.take(last).value.getString("value"))
    assertEquals(ids + last, Answers.calls())
  }

  @Test
  fun `P6 an unknown command is rejected by Tauri`() =
    assertTrue("clear" in run("clear", *item).message)

  private val payloads =
    mapOf(
      "get" to mapOf("service" to SERVICE, "account" to ACCOUNT),
      "set" to mapOf("service" to SERVICE, "account" to ACCOUNT, "value" to "v", "strongBox" to false),
      "delete" to mapOf("service" to SERVICE, "account" to ACCOUNT),
      "list" to mapOf("service" to SERVICE),
      "info" to mapOf("service" to SERVICE),
    )

  /** Sends each command's payload with each field changed in turn. */
  private fun refusedWith(change: (fields: MutableMap<String, Any?>, name: String) -> Unit) {
    write("old")
    for ((command, fields) in payloads) {
      for (name in fields.keys) {
        val answer = run(command, JSONObject(fields.toMutableMap<String, Any?>().also { change(it, name) }).toString())
        assertEquals("$command $name", "invalid-argument", answer.code)
        assertTrue(answer.message, name in answer.message || "field" in answer.message)
        assertFalse(answer.message, "canary" in answer.message)
      }
    }
    assertEquals("nothing has changed", "old", read().getString("value"))
  }

  @Test
  fun `a missing field is refused`() = refusedWith { fields, name -> fields.remove(name) }

  @Test
  fun `null is refused`() = refusedWith { fields, name -> fields[name] = JSONObject.NULL }

  @Test
  fun `a number is refused`() = refusedWith { fields, name -> fields[name] = 1 }

  @Test
  fun `a list is refused`() = refusedWith { fields, name -> fields[name] = JSONArray(listOf("canary")) }

  @Test
  fun `an object is refused`() = refusedWith { fields, name -> fields[name] = JSONObject(mapOf("canary" to "v")) }

  @Test
  fun `text in the place of true is refused, and true in the place of text`() =
    refusedWith { fields, name -> fields[name] = if (name == "strongBox") "true" else true }

  @Test
  fun `an unknown field is refused`() = refusedWith { fields, _ -> fields["canary"] = "v" }

  @Test
  fun `a field of another command is refused`() {
    for (command in listOf("get", "delete", "list", "info")) {
      val answer = run(command, JSONObject(payloads.getValue("set")).toString())
      assertEquals(command, "invalid-argument", answer.code)
    }
  }

  @Test
  fun `what is no JSON object is refused and not repeated`() {
    for (command in payloads.keys) {
      for (json in listOf("", "null", "[]", "\"canary\"", "{\"canary", "canary", "{\"service\":\"canary\"")) {
        val answer = run(command, json)
        assertEquals("$command $json", "invalid-argument", answer.code)
        assertFalse(answer.message, "canary" in answer.message)
      }
    }
  }

  @Test
  fun `the accounts that Rust accepts are accepted, and the others refused`() {
    val rules = JSONArray(fixture("account-rules.json"))
    assertTrue(rules.length() > 20)
    for (rule in (0 until rules.length()).map(rules::getJSONObject)) {
      val account = rule.optString("repeat").repeat(rule.optInt("times")).ifEmpty { rule.optString("account") }
      val fields = arrayOf<Pair<String, Any?>>("service" to SERVICE, "account" to account)
      val written = run("set", *fields, "value" to "v", "strongBox" to false)
      val name = rule.getString("name")
      if (rule.getBoolean("valid")) {
        assertEquals(name, "{}", written.success)
        assertEquals(name, "v", run("get", *fields).value.getString("value"))
        assertEquals(name, "{}", run("delete", *fields).success)
      } else {
        assertEquals(name, "invalid-argument", written.code)
        assertEquals(name, "invalid-argument", run("get", *fields).code)
        assertEquals(name, "invalid-argument", run("delete", *fields).code)
      }
    }
  }

  @Test
  fun `an account or a service with half a character is refused`() {
    for (json in listOf("""{"service":"s","account":"\ud83d"}""", """{"service":"\udd11","account":"a"}""")) {
      assertEquals("invalid-argument", run("get", json).code)
    }
  }

  @Test
  fun `a service has 1 to 255 bytes`() {
    for (service in listOf("a", "a".repeat(255), "é".repeat(127))) {
      assertNotNull(run("list", "service" to service).success)
    }
    for (service in listOf("", "a".repeat(256), "é".repeat(128))) {
      assertEquals("invalid-argument", run("list", "service" to service).code)
      assertEquals("invalid-argument", run("info", "service" to service).code)
    }
  }

  @Test
  fun `a value is printable ASCII without spaces, and not empty`() {
    write("old")
    for (value in listOf("", "a b", "a\nb", "a\u0000", "a\u007f", "é", " ", "\u001f")) {
      val answer = write(value)
      assertEquals("invalid-argument", answer.code)
    }
    assertEquals("old", read().getString("value"))
    val every = ('!'..'~').joinToString("")
    write(every)
    assertEquals(every, read().getString("value"))
  }

  @Test
  fun `a value over the limit is too large, and nothing has changed`() {
    write("old")
    assertEquals("too-large", write("v".repeat(Payload.LONGEST_VALUE + 1)).code)
    assertEquals("old", read().getString("value"))
  }

  @Test
  fun `P4 no value, account or service is logged, though Tauri logs what it can`() {
    ShadowLog.clear()
    val canary = arrayOf<Pair<String, Any?>>("service" to "canary.service", "account" to "canary-account")
    run("set", *canary, "value" to "canary-value", "strongBox" to true)
    run("get", *canary)
    run("list", "service" to "canary.service")
    run("set", *canary, "value" to "canary value", "strongBox" to true)
    run("set", *canary, "value" to "canary-value", "strongBox" to "canary")
    run("get", "{canary")
    StandInKeystore.fail(KeystoreCall.OPEN) { IllegalStateException("canary") }
    run("get", *canary)
    StandInKeystore.keys.clear()
    run("get", *canary)
    run("delete", *canary)
    val logged = ShadowLog.getLogs()
    assertTrue("Tauri logs in this build", logged.any { it.tag.startsWith("Tauri") })
    assertEquals(emptyList<String>(), logged.map { "${it.tag} ${it.msg} ${it.throwable}" }.filter { "canary" in it })
  }

  @Test
  fun `P4 no rejection repeats a value, an account or a service`() {
    val canary = arrayOf<Pair<String, Any?>>("service" to "canary.service", "account" to "canary-account")
    run("set", *canary, "value" to "canary-value", "strongBox" to false)
    val faults =
      listOf<() -> Unit>(
        { StandInKeystore.fail(KeystoreCall.OPEN) { java.security.ProviderException("canary") } },
        { StandInKeystore.fail(KeystoreCall.OPEN) { RuntimeException("canary") } },
        { StandInKeystore.fault = {} },
        { StandInDisk.fault = { throw android.system.ErrnoException("canary", 5) } },
      )
    StandInKeystore.keys.clear()
    for (fault in faults) {
      fault()
      val answer = run("get", *canary)
      assertFalse(answer.message, "canary" in answer.message)
    }
  }
}
