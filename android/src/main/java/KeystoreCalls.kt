// Calls the Keystore: retries what may pass, and gives every failure the code of its meaning.
package app.secure_token

import android.annotation.TargetApi
import android.os.Build
import android.security.KeyStoreException
import android.security.keystore.KeyPermanentlyInvalidatedException
import java.security.InvalidAlgorithmParameterException
import java.security.NoSuchAlgorithmException
import java.security.NoSuchProviderException
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.BadPaddingException

/** The Keystore has no such key. It says so for a moment too while it restarts (API 24 to 27). */
internal class KeyMissingException : Exception()

/** Runs calls of the Keystore; [pause] waits the given number of milliseconds before a retry. */
internal class KeystoreCalls(private val pause: (Long) -> Unit) {
  /** Every failure of [call] leaves as a [StoreException]. [call] runs again as a whole, so it must begin anew. */
  fun <T> run(task: String, call: () -> T): T {
    for (milliseconds in PAUSES) {
      try {
        return call()
      } catch (e: Exception) {
        val failure = Failure.of(e)
        if (!failure.mayPass) throw failure.toException(task)
      }
      pause(milliseconds)
    }
    try {
      return call()
    } catch (e: Exception) {
      throw Failure.of(e).toException(task)
    }
  }

  private companion object {
    val PAUSES = longArrayOf(50, 100, 200)
  }
}

private class Failure(val code: ErrorCode, val mayPass: Boolean, val causes: List<Throwable>) {
  fun toException(task: String): StoreException =
    causes.first() as? StoreException
      ?: StoreException(code, "the Keystore cannot $task: ${causes.joinToString(" < ", transform = ::describe)}")

  companion object {
    fun of(e: Exception): Failure {
      val causes = generateSequence<Throwable>(e) { it.cause }.take(8).toList()
      val (code, mayPass) = meaning(causes)
      return Failure(code, mayPass, causes)
    }

    private fun meaning(causes: List<Throwable>): Pair<ErrorCode, Boolean> {
      causes.forEach { cause ->
        when (cause) {
          is StoreException -> return cause.code to false
          is BadPaddingException -> return ErrorCode.CORRUPT to false
          is KeyPermanentlyInvalidatedException -> return ErrorCode.LOST to false
        }
      }
      causes.firstNotNullOfOrNull { it as? KeyStoreException }?.let { return told(it) }
      return when (causes.first()) {
        is KeyMissingException, is UnrecoverableKeyException -> ErrorCode.LOST to true
        is InvalidAlgorithmParameterException -> ErrorCode.INTERNAL to false
        is NoSuchAlgorithmException, is NoSuchProviderException -> ErrorCode.UNAVAILABLE to false
        is java.security.KeyStoreException -> ErrorCode.UNAVAILABLE to false
        is ProviderException -> ErrorCode.UNAVAILABLE to true
        is RuntimeException -> ErrorCode.INTERNAL to false
        else -> ErrorCode.UNAVAILABLE to true
      }
    }

    /** What the Keystore service itself says. A key blob that is invalid has no public number of its own. */
    private fun told(e: KeyStoreException): Pair<ErrorCode, Boolean> =
      when {
        e.says("Invalid key blob") -> ErrorCode.LOST to false
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU -> numbered(e)
        else -> worded(e)
      }

    /** From API 33 on the Keystore tells whether a retry can help. */
    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    private fun numbered(e: KeyStoreException): Pair<ErrorCode, Boolean> =
      when {
        e.requiresUserAuthentication() -> ErrorCode.LOCKED to false
        e.isTransientFailure -> ErrorCode.UNAVAILABLE to true
        else ->
          when (e.numericErrorCode) {
            KeyStoreException.ERROR_KEYSTORE_UNINITIALIZED -> ErrorCode.LOCKED to false
            KeyStoreException.ERROR_KEY_DOES_NOT_EXIST, KeyStoreException.ERROR_KEY_CORRUPTED ->
              ErrorCode.LOST to false
            KeyStoreException.ERROR_PERMISSION_DENIED -> ErrorCode.DENIED to false
            else -> ErrorCode.INTERNAL to false
          }
      }

    /** Before API 33 its numbers are hidden; the texts are the table of `android.security.KeyStore`. */
    private fun worded(e: KeyStoreException): Pair<ErrorCode, Boolean> =
      when {
        e.says("User authentication required") || e.says("Keystore not initialized") -> ErrorCode.LOCKED to false
        e.says("Permission denied") -> ErrorCode.DENIED to false
        e.says("Key not found") || e.says("Key blob corrupted") -> ErrorCode.LOST to true
        else -> ErrorCode.UNAVAILABLE to true
      }

    private fun KeyStoreException.says(text: String) = message.orEmpty().startsWith(text)

    /** The kind of error, and the Keystore's status; not the texts of others, which may hold anything. */
    private fun describe(cause: Throwable): String =
      if (cause is KeyStoreException) "${cause.javaClass.name} (${cause.message})" else cause.javaClass.name
  }
}
