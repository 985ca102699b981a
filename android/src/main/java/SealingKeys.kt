// The keys in the Android Keystore: seals and opens values with them.
package app.secure_token

import android.annotation.TargetApi
import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.security.KeyStore
import java.security.ProviderException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val KEYSTORE = "AndroidKeyStore"
private const val TRANSFORMATION = "AES/GCM/NoPadding"

/**
 * AES-256-GCM with keys that never leave the Keystore.
 *
 * There is one key, made with the first value. Another one is made only when no key can seal any more. A key that has
 * sealed anything is never removed: one that fails today may open its records tomorrow.
 */
internal class SealingKeys(private val context: Context, private val calls: KeystoreCalls) {
  /** Seals [value]; [associatedData] is asked for the key that is used. */
  fun seal(value: ByteArray, strongBox: Boolean, associatedData: (KeyId) -> ByteArray): Pair<KeyId, Sealed> {
    for (id in ids()) {
      try {
        return id to sealWith(id, value, associatedData(id))
      } catch (e: StoreException) {
        // A key that is broken for good would keep the app from ever storing a token again.
        if (e.code == ErrorCode.LOCKED || e.code == ErrorCode.DENIED) throw e
      }
    }
    val id = KeyId.random()
    calls.run("make a key") { make(id, strongBox) }
    try {
      return id to sealWith(id, value, associatedData(id))
    } catch (e: StoreException) {
      // Nothing is sealed by it.
      remove(id, e)
      if (e.code != ErrorCode.LOST) throw e
      throw StoreException(ErrorCode.INTERNAL, "the Keystore did not keep the key that it made: ${e.message}")
    }
  }

  /** Opens what the key [id] has sealed. Makes no key: a new one could open nothing. */
  fun open(id: KeyId, sealed: Sealed, associatedData: ByteArray): ByteArray =
    calls.run("open a record") {
      val cipher = Cipher.getInstance(TRANSFORMATION)
      cipher.init(Cipher.DECRYPT_MODE, load(id), GCMParameterSpec(8 * Sealed.TAG_LENGTH, sealed.iv))
      cipher.updateAAD(associatedData)
      cipher.doFinal(sealed.ciphertext)
    }

  /** Where the key is that seals now; null while there is none. */
  fun level(): KeyLevel? {
    var failure: StoreException? = null
    for (id in ids()) {
      try {
        return calls.run("describe its key") { KeyLevel.of(load(id), KEYSTORE) }
      } catch (e: StoreException) {
        if (e.code != ErrorCode.LOST) failure = e
      }
    }
    failure?.let { throw it }
    return null
  }

  private fun ids(): List<KeyId> =
    calls.run("list its keys") { keyStore().aliases().toList().sorted().mapNotNull(KeyId::of) }

  private fun sealWith(id: KeyId, value: ByteArray, associatedData: ByteArray): Sealed =
    calls.run("seal a record") {
      val cipher = Cipher.getInstance(TRANSFORMATION)
      // The Keystore makes the IV, so that none can come twice.
      cipher.init(Cipher.ENCRYPT_MODE, load(id))
      cipher.updateAAD(associatedData)
      Sealed(cipher.iv, cipher.doFinal(value))
    }

  private fun load(id: KeyId): SecretKey =
    keyStore().getKey(id.alias, null) as SecretKey? ?: throw KeyMissingException()

  private fun keyStore(): KeyStore = KeyStore.getInstance(KEYSTORE).apply { load(null) }

  private fun make(id: KeyId, strongBox: Boolean) {
    if (strongBox && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P && hasStrongBox()) {
      if (makeInStrongBox(id)) return
    }
    generate(description(id).build())
  }

  /** False where StrongBox cannot make the key; an ordinary key takes its place then. */
  @TargetApi(Build.VERSION_CODES.P)
  private fun makeInStrongBox(id: KeyId): Boolean =
    try {
      generate(description(id).setIsStrongBoxBacked(true).build())
      true
    } catch (_: ProviderException) {
      // StrongBoxUnavailableException is one; some devices throw others.
      false
    }

  @TargetApi(Build.VERSION_CODES.P)
  private fun hasStrongBox() = context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)

  private fun remove(id: KeyId, cause: StoreException) {
    try {
      calls.run("remove a key") { keyStore().deleteEntry(id.alias) }
    } catch (e: StoreException) {
      cause.addSuppressed(e)
    }
  }

  /** Neither bound to a person nor to an unlocked device: such keys are lost when the lock screen is removed. */
  private fun description(id: KeyId) =
    KeyGenParameterSpec.Builder(id.alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
      .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
      .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
      .setKeySize(256)

  private fun generate(description: KeyGenParameterSpec) {
    KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KEYSTORE).apply {
      init(description)
      generateKey()
    }
  }
}
