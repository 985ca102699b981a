// Failures as the Keystore service reports them: numbers of AOSP's `ResponseCode` and of KeyMint's `ErrorCode`.
package app.secure_token

import android.os.Build
import android.security.KeyStoreException
import java.security.InvalidKeyException

internal const val KEYSTORE_LOCKED = 2
internal const val NOT_INITIALIZED = 3
internal const val SYSTEM_ERROR = 4
internal const val PERMISSION_DENIED = 6
internal const val KEY_NOT_FOUND = 7
internal const val VALUE_CORRUPTED = 8
internal const val OPERATION_NEEDS_AUTHENTICATION = 15
internal const val KEY_PERMANENTLY_INVALIDATED = 17
internal const val BACKEND_BUSY = 18
internal const val USER_NOT_AUTHENTICATED = -26
internal const val TOO_MANY_OPERATIONS = -31
internal const val INVALID_KEY_BLOB = -33
internal const val INVALID_ARGUMENT = -38
internal const val MEMORY_ALLOCATION_FAILED = -41
internal const val CONCURRENT_ACCESS_CONFLICT = -47
internal const val SECURE_HARDWARE_BUSY = -48
internal const val DEVICE_LOCKED = -72
internal const val UNKNOWN_ERROR = -1000

/** From API 33 on the Keystore says what a failure is about. */
internal val statusesAreTold = Build.VERSION.SDK_INT >= 33

/** Made by the framework's own (hidden) table of this API level. */
internal fun statusException(number: Int): KeyStoreException {
  val name = if (Build.VERSION.SDK_INT < 31) "android.security.KeyStore" else "android.security.KeyStore2"
  val make = Class.forName(name).declaredMethods.first { it.name == "getKeyStoreException" }
  make.isAccessible = true
  val arguments = arrayOf<Any?>(number, "text of the service").copyOf(make.parameterCount)
  return make.invoke(null, *arguments) as KeyStoreException
}

/** As a cipher throws it. */
internal fun status(number: Int): Exception = InvalidKeyException("Keystore operation failed", statusException(number))
