// A JCA provider in the place of Android's trust store, with certificates of the JDK's.
package app.secure_token.standin

import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStore
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.Security
import java.security.cert.Certificate
import java.security.cert.X509Certificate
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager

/** Stands for the certificates of the system and of the user, by their alias; `null` for one that cannot be read. */
object StandInTrust {
  private const val NAME = "stand-in for AndroidCAStore"

  val certificates = LinkedHashMap<String, Certificate?>()

  /** Real root certificates, of the JDK. */
  val roots: List<X509Certificate> by lazy {
    val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
    factory.init(null as KeyStore?)
    factory.trustManagers.filterIsInstance<X509TrustManager>().flatMap { it.acceptedIssuers.toList() }
  }

  fun install() {
    remove()
    certificates.clear()
    Security.addProvider(TrustProvider)
  }

  fun remove() = Security.removeProvider(NAME)

  private object TrustProvider : Provider(NAME, "1", "a stand-in for the trust store of Android") {
    init {
      putService(
        object : Service(this, "KeyStore", "AndroidCAStore", "none", emptyList(), emptyMap()) {
          override fun newInstance(parameter: Any?): Any = Trust()
        }
      )
    }

    private fun readResolve(): Any = TrustProvider
  }

  /** Only what reads. */
  private class Trust : KeyStoreSpi() {
    override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

    override fun engineAliases(): Enumeration<String> = Collections.enumeration(certificates.keys)

    override fun engineGetCertificate(alias: String): Certificate? = certificates[alias]

    override fun engineContainsAlias(alias: String): Boolean = alias in certificates

    override fun engineIsCertificateEntry(alias: String): Boolean = alias in certificates

    override fun engineSize(): Int = certificates.size

    override fun engineGetKey(alias: String?, password: CharArray?): Key? = null

    override fun engineIsKeyEntry(alias: String?): Boolean = false

    override fun engineGetCertificateChain(alias: String?): Array<Certificate>? = null

    override fun engineGetCertificateAlias(certificate: Certificate?): String? = null

    override fun engineGetCreationDate(alias: String?): Date? = null

    override fun engineSetKeyEntry(a: String?, k: Key?, p: CharArray?, c: Array<Certificate>?) = readOnly()

    override fun engineSetKeyEntry(a: String?, k: ByteArray?, c: Array<Certificate>?) = readOnly()

    override fun engineSetCertificateEntry(a: String?, c: Certificate?) = readOnly()

    override fun engineDeleteEntry(a: String?) = readOnly()

    override fun engineStore(stream: OutputStream?, password: CharArray?) = readOnly()

    private fun readOnly(): Nothing = throw UnsupportedOperationException()
  }
}
