// The shrunk plugin, found by name and called through Tauri's shrunk plugin manager, as Rust does it.
package app.secure_token.shrunk

import android.app.Activity
import app.secure_token.standin.Answer
import app.secure_token.standin.Answers
import app.secure_token.standin.StandInDisk
import app.secure_token.standin.StandInKeystore
import java.util.jar.JarFile
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

private const val ITEM = """"service":"com.example.app","account":"default""""

@RunWith(RobolectricTestRunner::class)
class ShrunkTest {
  private val manager =
    Class.forName("app.secure_token.shrunk.TauriActivity").getDeclaredConstructor().newInstance().let { activity ->
      activity.javaClass.getMethod("getPluginManager").invoke(activity)!!
    }
  private var calls = 0

  @Before
  fun load() {
    StandInKeystore.install()
    StandInDisk.reset()
    Answers.reset()
    val activity = Robolectric.buildActivity(Activity::class.java).get()
    val plugin =
      Class.forName("app.secure_token.SecureTokenPlugin").getConstructor(Activity::class.java).newInstance(activity)
    method("load").invoke(manager, null, "secure-token", plugin, "{}")
  }

  @After
  fun leaveNoProviderBehind() = StandInKeystore.remove()

  private fun method(name: String) = manager.javaClass.methods.single { it.name == name }

  private fun run(command: String, json: String): Answer {
    val call = ++calls
    method("runCommand").invoke(manager, call, "secure-token", command, json)
    return Answers.take(call)
  }

  @Test
  fun `every command answers`() {
    assertEquals("{\"found\":false}", run("get", "{$ITEM}").success)
    assertEquals("{}", run("set", "{$ITEM,\"value\":\"secure-token.v1.abc\",\"strongBox\":true}").success)
    assertEquals("secure-token.v1.abc", run("get", "{$ITEM}").value.getString("value"))
    assertEquals("{\"accounts\":[\"default\"]}", run("list", "{\"service\":\"com.example.app\"}").success)
    assertEquals("available", run("info", "{\"service\":\"com.example.app\"}").value.getString("state"))
    assertEquals("{}", run("delete", "{$ITEM}").success)
    assertEquals("{\"found\":false}", run("get", "{$ITEM}").success)
  }

  @Test
  fun `rejections keep their codes`() {
    run("set", "{$ITEM,\"value\":\"v\",\"strongBox\":false}")
    StandInKeystore.keys.clear()
    assertEquals("lost", run("get", "{$ITEM}").code)
    assertEquals("invalid-argument", run("get", "{$ITEM,\"unknown\":1}").code)
    assertEquals("too-large", run("set", "{$ITEM,\"value\":\"${"v".repeat(17825793)}\",\"strongBox\":false}").code)
  }

  @Test
  fun `of ours only the plugin keeps its name`() {
    val names =
      JarFile(System.getProperty("shrunk.jar")!!).use { jar ->
        jar.entries().asSequence().map { it.name.removeSuffix(".class") }.toList()
      }
    assertEquals(
      listOf("app/secure_token/SecureTokenPlugin", "app/secure_token/shrunk/TauriActivity"),
      names.filter { it.startsWith("app/secure_token/") }.sorted(),
    )
    assertThrows(ClassNotFoundException::class.java) { Class.forName("app.secure_token.TokenStore") }
  }
}
