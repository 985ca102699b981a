// Whom TLS may trust, for requests that Rust sends: rustls cannot ask Android by itself.
package app.secure_token

import java.security.KeyStore

/**
 * The certificates of the system and of the user, each as DER.
 *
 * `AndroidCAStore` is the trust store of the platform: aliases start with `system:` or `user:`. A certificate that
 * the user has taken out of the system's is not among them.
 */
internal fun trustedRoots(): List<ByteArray> {
  val store = KeyStore.getInstance("AndroidCAStore").apply { load(null) }
  return store.aliases().toList().mapNotNull { store.getCertificate(it)?.encoded }
}
