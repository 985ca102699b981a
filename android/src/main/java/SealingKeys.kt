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
private const val SEAL = "seal a record"

/**
 * AES-256-GCM with keys that never leave the Keystore.
 *
 * There is one key, made with the first value. Another one is made only if no key is there to seal with.
 */
internal class SealingKeys(private val context: Context, private val calls: KeystoreCalls) {
  /**
   * Seals [value] with the first key of [inUse], then of the Keystore's list, that is there; [associatedData] is asked
   * for that key.
   *
   * A key is passed over only if it is gone for good. That it cannot be had now is an error: a Keystore that fails also
   * shows an empty list, and would otherwise get a new key with every write.
   */
  fun seal(
    value: ByteArray,
    strongBox: Boolean,
    inUse: Sequence<KeyId>,
    associatedData: (KeyId) -> ByteArray,
  ): Pair<KeyId, Sealed> {
    val gone = LinkedHashSet<KeyId>()
    for (id in inUse.distinct()) {
      unlessGone { calls.run(SEAL) { sealWith(id, value, associatedData(id)) } }?.let { return id to it }
      gone += id
    }
    for (id in listed() - gone) {
      try {
        return id to calls.run(SEAL) { sealWith(id, value, associatedData(id)) }
      } catch (e: StoreException) {
        // No record needs this key. One that is broken must not keep the app from storing a token.
        if (e.code == ErrorCode.LOCKED || e.code == ErrorCode.UNAVAILABLE) throw e
      }
    }
    return sealWithNewKey(value, strongBox, gone, associatedData)
  }

  /**
   * Up to Android 11 a Keystore that restarts calls every key absent. So those of [gone] are asked for once more as soon
   * as the Keystore has made a key, which proves that it works.
   */
  private fun sealWithNewKey(
    value: ByteArray,
    strongBox: Boolean,
    gone: Set<KeyId>,
    associatedData: (KeyId) -> ByteArray,
  ): Pair<KeyId, Sealed> {
    val new = KeyId.random()
    try {
      calls.run("make a key") { make(new, strongBox) }
      val sealed = calls.run(SEAL) { sealWith(new, value, associatedData(new)) }
      for (id in gone) {
        val again = unlessGone { calls.once(SEAL) { sealWith(id, value, associatedData(id)) } } ?: continue
        discard(new)
        return id to again
      }
      return new to sealed
    } catch (e: StoreException) {
      discard(new, e)
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

  /** Where the key is that seals now, the first that is there of [inUse] and of the list; null while there is none. */
  fun level(inUse: Set<KeyId>): KeyLevel? {
    var failure: StoreException? = null
    for (id in inUse.asSequence() + sequence { yieldAll(listed()) }) {
      try {
        return calls.run("describe its key") { KeyLevel.of(load(id), KEYSTORE) }
      } catch (e: StoreException) {
        if (e.code != ErrorCode.LOST) failure = e
      }
    }
    failure?.let { throw it }
    return null
  }

  /** The plugin's keys as the Keystore lists them. AOSP also returns an empty list if it fails. */
  fun listed(): List<KeyId> =
    calls.run("list its keys") { keyStore().aliases().toList().sorted().mapNotNull(KeyId::of) }

  /** Removes a key that nothing needs. */
  fun remove(id: KeyId) = calls.once("remove a key") { keyStore().deleteEntry(id.alias) }

  /** Null if the key is gone for good. */
  private inline fun unlessGone(seal: () -> Sealed): Sealed? =
    try {
      seal()
    } catch (e: StoreException) {
      if (e.code != ErrorCode.LOST) throw e
      null
    }

  private fun sealWith(id: KeyId, value: ByteArray, associatedData: ByteArray): Sealed {
    val cipher = Cipher.getInstance(TRANSFORMATION)
    // The Keystore makes the IV, so that none can come twice.
    cipher.init(Cipher.ENCRYPT_MODE, load(id))
    cipher.updateAAD(associatedData)
    return Sealed(cipher.iv, cipher.doFinal(value))
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

  /** Removes a key that has sealed no record. A key that stays is removed by a later process. */
  private fun discard(id: KeyId, cause: StoreException? = null) {
    try {
      remove(id)
    } catch (e: StoreException) {
      cause?.addSuppressed(e)
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
