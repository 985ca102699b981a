// Calls the Keystore: retries what may pass, and gives every failure the code of its meaning.
package app.secure_token

import android.annotation.TargetApi
import android.os.Build
import android.security.KeyStoreException
import android.security.keystore.KeyExpiredException
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.UserNotAuthenticatedException
import java.security.InvalidAlgorithmParameterException
import java.security.NoSuchAlgorithmException
import java.security.NoSuchProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.BadPaddingException

/** The Keystore has no such key. Up to API 30 it also says so for a moment while it restarts. */
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
    return once(task, call)
  }

  /** As [run], without a retry. */
  fun <T> once(task: String, call: () -> T): T =
    try {
      call()
    } catch (e: Exception) {
      throw Failure.of(e).toException(task)
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
          is KeyPermanentlyInvalidatedException, is KeyExpiredException -> return ErrorCode.LOST to false
          // AOSP throws it without a cause, also for a Keystore that is locked or not initialized.
          is UserNotAuthenticatedException -> return ErrorCode.LOCKED to false
        }
      }
      causes.firstNotNullOfOrNull { it as? KeyStoreException }?.let { return told(it) }
      return when (causes.first()) {
        is KeyMissingException, is UnrecoverableKeyException -> ErrorCode.LOST to true
        is InvalidAlgorithmParameterException -> ErrorCode.INTERNAL to false
        is NoSuchAlgorithmException, is NoSuchProviderException -> ErrorCode.UNAVAILABLE to false
        is java.security.KeyStoreException -> ErrorCode.UNAVAILABLE to false
        is SecurityException -> ErrorCode.DENIED to false
        // What AOSP throws if two threads use one operation of the Keystore; an IllegalArgumentException too.
        is IllegalThreadStateException -> ErrorCode.UNAVAILABLE to true
        is IllegalArgumentException, is ClassCastException, is UnsupportedOperationException ->
          ErrorCode.INTERNAL to false
        // AOSP throws it for a reply without an operation; our own code, and any other, for a fault.
        is IllegalStateException -> (if (causes.size > 1) ErrorCode.UNAVAILABLE else ErrorCode.INTERNAL) to true
        // Among them what the framework lets through while the service is away: ProviderException,
        // ServiceSpecificException, and NullPointerException in the place of the service.
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

    /** From API 33 on the Keystore says what a failure is about, and whether a retry can help. */
    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    private fun numbered(e: KeyStoreException): Pair<ErrorCode, Boolean> =
      when {
        e.requiresUserAuthentication() -> ErrorCode.LOCKED to false
        e.numericErrorCode == KeyStoreException.ERROR_KEYSTORE_UNINITIALIZED -> ErrorCode.LOCKED to false
        e.numericErrorCode == KeyStoreException.ERROR_KEY_DOES_NOT_EXIST -> ErrorCode.LOST to false
        e.numericErrorCode == KeyStoreException.ERROR_KEY_CORRUPTED -> ErrorCode.LOST to false
        e.numericErrorCode == KeyStoreException.ERROR_PERMISSION_DENIED -> ErrorCode.DENIED to false
        // A fault of the system is not one of the key. AOSP calls it final even if the service only restarts.
        e.isTransientFailure || e.isSystemError || e.internalNumber in PASSING -> ErrorCode.UNAVAILABLE to true
        else -> ErrorCode.INTERNAL to false
      }

    /** Before API 33 its numbers are hidden; the texts are the tables of AOSP's `KeyStore` and `KeymasterDefs`. */
    private fun worded(e: KeyStoreException): Pair<ErrorCode, Boolean> =
      when {
        LOCKED.any { e.says(it) } -> ErrorCode.LOCKED to false
        e.says("Permission denied") -> ErrorCode.DENIED to false
        e.says("Key permanently invalidated") -> ErrorCode.LOST to false
        e.says("Key not found") || e.says("Key blob corrupted") -> ErrorCode.LOST to true
        else -> ErrorCode.UNAVAILABLE to true
      }

    private val LOCKED =
      listOf(
        "User authentication required",
        "Key user not authenticated",
        "Operation requires authorization",
        "Keystore not initialized",
      )

    /**
     * Numbers that AOSP marks neither as passing nor as the system's, although they pass: KeyMint's
     * TOO_MANY_OPERATIONS, MEMORY_ALLOCATION_FAILED, OPERATION_CANCELLED, CONCURRENT_ACCESS_CONFLICT and
     * HARDWARE_NOT_YET_AVAILABLE, the Keystore's BACKEND_BUSY and OPERATION_BUSY.
     */
    private val PASSING = setOf(-31, -41, -46, -47, -85, 18, 19)

    private val INTERNAL_NUMBER = Regex("""internal Keystore code: (-?\d+)""")

    /** The number of the service; hidden, and a part of the text. */
    private val KeyStoreException.internalNumber
      get() = INTERNAL_NUMBER.find(message.orEmpty())?.run { groupValues[1].toIntOrNull() }

    private fun KeyStoreException.says(text: String) = message.orEmpty().startsWith(text)

    /** The kind of error, and the Keystore's status; not the texts of others, which may hold anything. */
    private fun describe(cause: Throwable): String =
      if (cause is KeyStoreException) "${cause.javaClass.name} (${cause.message})" else cause.javaClass.name
  }
}
