// A JCA provider in the place of the Android Keystore, with the faults that real devices have.
package app.secure_token.standin

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.io.InputStream
import java.io.OutputStream
import java.security.AlgorithmParameters
import java.security.InvalidAlgorithmParameterException
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.security.spec.KeySpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import javax.crypto.Cipher
import javax.crypto.CipherSpi
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.SecretKeyFactorySpi
import javax.crypto.spec.SecretKeySpec

/** Where the stand-in asks whether to fail. */
enum class KeystoreCall { LIST, LOAD, MAKE, SEAL, OPEN, DESCRIBE, REMOVE }

/**
 * Stands for the Keystore service: its keys outlive a store, and their bytes never come out.
 *
 * It proves that the plugin asks for the right things and survives the wrong answers, not that a device's hardware
 * keeps a key. The ciphers are the JDK's.
 */
object StandInKeystore {
  private const val NAME = "AndroidKeyStore"

  /** The keys by alias, and how each was asked for. */
  val keys: MutableMap<String, StandInKey> = ConcurrentHashMap()
  val made = CopyOnWriteArrayList<KeyGenParameterSpec>()

  /** Called at every call, on its thread; what it throws is the answer. */
  @Volatile var fault: (KeystoreCall) -> Unit = {}

  /** What kind of hardware the keys are said to be in, as `KeyProperties.SECURITY_LEVEL_…`. */
  @Volatile var level = KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT

  @Volatile var strongBox = false

  /** What AOSP does if the service fails: it logs the failure and returns no alias. */
  @Volatile var listIsEmpty = false

  /** Called with the alias of every key that is removed. */
  @Volatile var beforeRemoval: (String) -> Unit = {}

  fun install() {
    remove()
    keys.clear()
    made.clear()
    fault = {}
    level = KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT
    strongBox = false
    listIsEmpty = false
    beforeRemoval = {}
    Security.insertProviderAt(StandInProvider(), 1)
  }

  fun remove() = Security.removeProvider(NAME)

  /** Every one of [calls] fails from now on; with [times] set, only so often. */
  fun fail(vararg calls: KeystoreCall, times: Int = Int.MAX_VALUE, error: () -> Throwable) {
    var left = times
    fault = { call -> if (call in calls && left-- > 0) throw error() }
  }

  /** Puts a key of known bytes under [alias], as an earlier release may have left it. */
  fun putKey(alias: String, bytes: ByteArray) {
    keys[alias] = StandInKey(SecretKeySpec(bytes, "AES"), level)
  }
}

/** A key without bytes to take out, as those of the Keystore are. */
class StandInKey(internal val inside: SecretKey, internal val level: Int) : SecretKey {
  /** What every use of this key ends with. */
  @Volatile var failure: (() -> Throwable)? = null

  override fun getAlgorithm() = "AES"
  override fun getFormat(): String? = null
  override fun getEncoded(): ByteArray? = null
}

private class StandInProvider : Provider("AndroidKeyStore", "1", "a stand-in for the Android Keystore") {
  init {
    offer("KeyStore", "AndroidKeyStore", ::StandInKeyStoreSpi)
    offer("KeyGenerator", "AES", ::StandInGenerator)
    offer("SecretKeyFactory", "AES", ::StandInFactory)
    offer("Cipher", "AES/GCM/NoPadding", ::StandInCipher) { it is StandInKey }
  }

  private fun offer(type: String, algorithm: String, make: () -> Any, takes: (Any?) -> Boolean = { true }) {
    putService(
      object : Service(this, type, algorithm, "stand-in", null, null) {
        override fun newInstance(parameter: Any?) = make()
        override fun supportsParameter(parameter: Any?) = takes(parameter)
      }
    )
  }
}

private class StandInKeyStoreSpi : KeyStoreSpi() {
  override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

  override fun engineAliases(): Enumeration<String> {
    StandInKeystore.fault(KeystoreCall.LIST)
    return Collections.enumeration(if (StandInKeystore.listIsEmpty) emptyList() else StandInKeystore.keys.keys.toList())
  }

  override fun engineGetKey(alias: String, password: CharArray?): Key? {
    StandInKeystore.fault(KeystoreCall.LOAD)
    return StandInKeystore.keys[alias]
  }

  override fun engineContainsAlias(alias: String) = alias in StandInKeystore.keys
  override fun engineIsKeyEntry(alias: String) = alias in StandInKeystore.keys
  override fun engineSize() = StandInKeystore.keys.size

  override fun engineDeleteEntry(alias: String) {
    StandInKeystore.fault(KeystoreCall.REMOVE)
    StandInKeystore.beforeRemoval(alias)
    StandInKeystore.keys.remove(alias)
  }

  override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null
  override fun engineGetCertificate(alias: String): Certificate? = null
  override fun engineGetCreationDate(alias: String): Date? = null
  override fun engineIsCertificateEntry(alias: String) = false
  override fun engineGetCertificateAlias(certificate: Certificate): String? = null

  private fun unused(): Nothing = throw UnsupportedOperationException()
  override fun engineStore(stream: OutputStream?, password: CharArray?) = unused()
  override fun engineSetCertificateEntry(alias: String, certificate: Certificate) = unused()
  override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) = unused()
  override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) = unused()
}

private class StandInGenerator : KeyGeneratorSpi() {
  private lateinit var asked: KeyGenParameterSpec

  override fun engineInit(parameters: AlgorithmParameterSpec, random: SecureRandom?) {
    asked = parameters as? KeyGenParameterSpec ?: throw InvalidAlgorithmParameterException()
  }

  override fun engineGenerateKey(): SecretKey {
    StandInKeystore.made += asked
    StandInKeystore.fault(KeystoreCall.MAKE)
    val inStrongBox = Build.VERSION.SDK_INT >= 28 && asked.isStrongBoxBacked
    if (inStrongBox && !StandInKeystore.strongBox) throw StrongBoxUnavailableException()
    val bytes = ByteArray(asked.keySize / 8).also(SecureRandom()::nextBytes)
    val level = if (inStrongBox) KeyProperties.SECURITY_LEVEL_STRONGBOX else StandInKeystore.level
    return StandInKey(SecretKeySpec(bytes, "AES"), level).also { StandInKeystore.keys[asked.keystoreAlias] = it }
  }

  override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException()
  override fun engineInit(size: Int, random: SecureRandom?) = throw UnsupportedOperationException()
}

private class StandInFactory : SecretKeyFactorySpi() {
  override fun engineGetKeySpec(key: SecretKey, kind: Class<*>): KeySpec {
    StandInKeystore.fault(KeystoreCall.DESCRIBE)
    return keyInfo((key as StandInKey).level)
  }

  /** Its constructor is hidden, and another one on every API level. */
  private fun keyInfo(level: Int): KeyInfo {
    val constructor = KeyInfo::class.java.declaredConstructors.maxBy { it.parameterCount }
    constructor.isAccessible = true
    val arguments =
      constructor.parameterTypes.map<Class<*>, Any?> { type ->
        when (type) {
          Boolean::class.javaPrimitiveType -> false
          Int::class.javaPrimitiveType -> 0
          Long::class.javaPrimitiveType -> 0L
          else -> null
        }
      }
    val info = constructor.newInstance(*arguments.toTypedArray()) as KeyInfo
    set(info, "mInsideSecureHardware", level > KeyProperties.SECURITY_LEVEL_SOFTWARE)
    if (Build.VERSION.SDK_INT >= 31) set(info, "mSecurityLevel", level)
    return info
  }

  private fun set(info: KeyInfo, name: String, value: Any) {
    KeyInfo::class.java.getDeclaredField(name).apply { isAccessible = true }.set(info, value)
  }

  override fun engineGenerateSecret(spec: KeySpec?) = throw UnsupportedOperationException()
  override fun engineTranslateKey(key: SecretKey?) = throw UnsupportedOperationException()
}

private class StandInCipher : CipherSpi() {
  private val inside = Cipher.getInstance("AES/GCM/NoPadding", "SunJCE")
  private var call = KeystoreCall.SEAL
  private var key: StandInKey? = null

  override fun engineInit(mode: Int, key: Key, random: SecureRandom?) {
    call = KeystoreCall.SEAL
    this.key = key as StandInKey
    inside.init(mode, key.inside)
  }

  override fun engineInit(mode: Int, key: Key, parameters: AlgorithmParameterSpec?, random: SecureRandom?) {
    if (mode == Cipher.ENCRYPT_MODE) {
      throw InvalidAlgorithmParameterException("the Keystore makes the IV itself")
    }
    call = KeystoreCall.OPEN
    this.key = key as StandInKey
    inside.init(mode, key.inside, parameters)
  }

  override fun engineInit(mode: Int, key: Key, parameters: AlgorithmParameters?, random: SecureRandom?) =
    throw UnsupportedOperationException()

  override fun engineUpdateAAD(bytes: ByteArray, offset: Int, length: Int) = inside.updateAAD(bytes, offset, length)

  override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int): ByteArray? =
    inside.update(bytes, offset, length)

  override fun engineUpdate(bytes: ByteArray, offset: Int, length: Int, out: ByteArray, at: Int): Int =
    inside.update(bytes, offset, length, out, at)

  override fun engineDoFinal(bytes: ByteArray, offset: Int, length: Int): ByteArray {
    use()
    return inside.doFinal(bytes, offset, length)
  }

  override fun engineDoFinal(bytes: ByteArray, offset: Int, length: Int, out: ByteArray, at: Int): Int {
    use()
    return inside.doFinal(bytes, offset, length, out, at)
  }

  private fun use() {
    StandInKeystore.fault(call)
    key?.failure?.let { throw it() }
  }

  override fun engineSetMode(mode: String) = Unit
  override fun engineSetPadding(padding: String) = Unit
  override fun engineGetBlockSize() = inside.blockSize
  override fun engineGetOutputSize(length: Int) = inside.getOutputSize(length)
  override fun engineGetIV(): ByteArray = inside.iv
  override fun engineGetParameters(): AlgorithmParameters = inside.parameters
}
