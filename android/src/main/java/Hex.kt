// Bytes as lower-case hexadecimal text, for names of files and keys.
package app.secure_token

import java.security.MessageDigest

internal fun ByteArray.hex(): String = joinToString("") { "%02x".format(null, it) }

internal fun sha256(text: String): String = MessageDigest.getInstance("SHA-256").digest(text.toByteArray()).hex()
