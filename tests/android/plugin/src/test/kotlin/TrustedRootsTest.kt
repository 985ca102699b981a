// Whom requests of Rust trust, as the plugin tells it over the bridge.
package app.secure_token

import android.app.Activity
import app.secure_token.standin.Answer
import app.secure_token.standin.Answers
import app.secure_token.standin.StandInTrust
import app.tauri.plugin.PluginManager
import java.io.ByteArrayInputStream
import java.security.cert.CertificateFactory
import java.util.Base64
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.robolectric.Robolectric

class TrustedRootsTest : StoreTest() {
  @Before
  fun load() {
    StandInTrust.install()
    val activity = Robolectric.buildActivity(Activity::class.java).get()
    PluginManager.load(null, "secure-token", SecureTokenPlugin(activity), "{}")
  }

  @After fun remove() = StandInTrust.remove()

  private fun run(payload: String = "{}"): Answer {
    PluginManager.runCommand(1, "secure-token", "trustedRoots", payload)
    return Answers.take(1)
  }

  private fun certificates(): List<ByteArray> {
    val list = run().value.getJSONArray("certificates")
    return (0 until list.length()).map { Base64.getDecoder().decode(list.getString(it)) }
  }

  @Test
  fun `the certificates of system and user come as DER`() {
    val (system, user) = StandInTrust.roots
    StandInTrust.certificates["system:1"] = system
    StandInTrust.certificates["user:1"] = user
    val factory = CertificateFactory.getInstance("X.509")
    val sent = certificates().map { factory.generateCertificate(ByteArrayInputStream(it)) }
    assertEquals(listOf(system, user), sent)
  }

  @Test
  fun `as many as a device has fit into one answer`() {
    StandInTrust.roots.forEachIndexed { index, root -> StandInTrust.certificates["system:$index"] = root }
    assertTrue(StandInTrust.roots.size > 100)
    assertEquals(StandInTrust.roots.size, certificates().size)
  }

  @Test
  fun `one that cannot be read is left out`() {
    StandInTrust.certificates["system:gone"] = null
    StandInTrust.certificates["system:1"] = StandInTrust.roots[0]
    assertEquals(1, certificates().size)
  }

  @Test
  fun `without a trust store it is an error and not an empty list`() {
    StandInTrust.remove()
    assertEquals("internal", run().code)
  }

  @Test
  fun `an unknown field is refused`() {
    assertEquals("invalid-argument", run("{\"host\":\"example.com\"}").code)
  }
}
