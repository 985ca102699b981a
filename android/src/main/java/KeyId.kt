// The name of a key: a record says which key sealed it, so that a key of another install is not taken for it.
package app.secure_token

import java.security.SecureRandom

/** 16 random bytes. The alias is frozen: it is how later versions find the keys of this one. */
internal class KeyId(val bytes: ByteArray) {
  val alias: String get() = ALIAS_START + bytes.hex()

  override fun equals(other: Any?) = other is KeyId && bytes.contentEquals(other.bytes)

  override fun hashCode() = bytes.contentHashCode()

  companion object {
    const val LENGTH = 16
    private const val ALIAS_START = "app.secure_token.v1."
    private val ALIAS = Regex(Regex.escape(ALIAS_START) + "[0-9a-f]{${2 * LENGTH}}")

    fun random() = KeyId(ByteArray(LENGTH).also(SecureRandom()::nextBytes))

    /** Null for the keys of other libraries and of the app itself. */
    fun of(alias: String): KeyId? {
      if (!alias.matches(ALIAS)) return null
      val hex = alias.removePrefix(ALIAS_START)
      return KeyId(ByteArray(LENGTH) { hex.substring(2 * it, 2 * it + 2).toInt(16).toByte() })
    }
  }
}
