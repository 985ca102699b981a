// Where the device keeps a key, as the device says it.
package app.secure_token

import android.os.Build
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import javax.crypto.SecretKey
import javax.crypto.SecretKeyFactory

/** How well a key is kept, with a sentence for people. */
internal enum class KeyLevel(val hardware: Boolean, val detail: String) {
  STRONGBOX(true, "the key is in StrongBox"),
  SECURE_HARDWARE(true, "the key is in the secure hardware of the device"),
  SOFTWARE(false, "the key is kept by software: the device has no secure hardware for it"),
  UNKNOWN(false, "the device does not say where the key is");

  companion object {
    fun of(key: SecretKey, keystore: String): KeyLevel {
      val info = SecretKeyFactory.getInstance(key.algorithm, keystore).getKeySpec(key, KeyInfo::class.java) as KeyInfo
      if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S) return before31(info)
      return when (info.securityLevel) {
        KeyProperties.SECURITY_LEVEL_STRONGBOX -> STRONGBOX
        KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT, KeyProperties.SECURITY_LEVEL_UNKNOWN_SECURE -> SECURE_HARDWARE
        KeyProperties.SECURITY_LEVEL_SOFTWARE -> SOFTWARE
        else -> UNKNOWN
      }
    }

    /** Before API 31 StrongBox cannot be told from the rest. */
    @Suppress("DEPRECATION")
    private fun before31(info: KeyInfo) = if (info.isInsideSecureHardware) SECURE_HARDWARE else SOFTWARE
  }
}
