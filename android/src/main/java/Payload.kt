// What the Rust side asks for, refused where it breaks the rules; nothing has changed then.
package app.secure_token

import java.nio.CharBuffer
import java.nio.charset.CharacterCodingException
import org.json.JSONException
import org.json.JSONObject
import org.json.JSONTokener

/**
 * The fields of a command, all of which are known.
 *
 * No message repeats what was sent: it may be a token. For the same reason the parser's own errors are dropped.
 */
internal class Payload(json: String, known: Set<String>) {
  private val fields = objectIn(json)

  init {
    if (fields.keys().asSequence().any { it !in known }) {
      throw refusal("the payload has a field that this command does not know")
    }
  }

  fun service(): String {
    val service = text("service")
    if (utf8("service", service).size !in 1..LONGEST_SERVICE) {
      throw refusal("service: must have 1 to $LONGEST_SERVICE bytes")
    }
    return service
  }

  /** The same rules as in Rust and JavaScript: `tests/fixtures/account-rules.json`. */
  fun account(): String {
    val account = text("account")
    if (utf8("account", account).size !in 1..LONGEST_ACCOUNT) {
      throw refusal("account: must have 1 to $LONGEST_ACCOUNT bytes")
    }
    if (account.any { it.isISOControl() }) throw refusal("account: must not have control characters")
    return account
  }

  fun value(): ByteArray {
    val value = text("value")
    if (value.length > LONGEST_VALUE) {
      throw StoreException(ErrorCode.TOO_LARGE, "value: must have at most $LONGEST_VALUE bytes")
    }
    if (value.isEmpty() || value.any { it !in '!'..'~' }) {
      throw refusal("value: must be printable ASCII without spaces, and not empty")
    }
    return value.toByteArray(Charsets.US_ASCII)
  }

  fun flag(name: String): Boolean =
    fields.opt(name) as? Boolean ?: throw refusal("$name: must be true or false")

  private fun text(name: String): String =
    fields.opt(name) as? String ?: throw refusal("$name: must be text")

  companion object {
    const val LONGEST_SERVICE = 255
    const val LONGEST_ACCOUNT = 512

    /** A record of the largest tokens with room to spare: 17 MiB. */
    const val LONGEST_VALUE = 17 * 1024 * 1024

    private fun objectIn(json: String): JSONObject =
      try {
        JSONTokener(json).nextValue() as? JSONObject
      } catch (_: JSONException) {
        null
      } ?: throw refusal("the payload is not a JSON object")

    /** Half a surrogate pair has no UTF-8: two such names would be stored under one. */
    private fun utf8(name: String, text: String): ByteArray =
      try {
        val bytes = Charsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text))
        ByteArray(bytes.remaining()).also(bytes::get)
      } catch (_: CharacterCodingException) {
        throw refusal("$name: must be well-formed text")
      }

    private fun refusal(message: String) = StoreException(ErrorCode.INVALID_ARGUMENT, message)
  }
}
