// What each failure of the Keystore means: whether it is asked again, and the code that it becomes.
package app.secure_token

import android.os.Build
import android.os.DeadObjectException
import android.security.keystore.KeyExpiredException
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.UserNotAuthenticatedException
import app.secure_token.standin.KeystoreCall
import app.secure_token.standin.StandInKeystore
import java.security.InvalidKeyException
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.IllegalBlockSizeException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class FailureTest : StoreTest() {
  private val pausesOfRetries = listOf(50L, 100L, 200L)

  /** Everything of the Keystore that a stored record meets again. */
  private val uses = listOf(KeystoreCall.LOAD, KeystoreCall.SEAL, KeystoreCall.OPEN)

  /** Failures that pass: one is retried, and one that stays is `unavailable`, with one key all the time. */
  private fun passes(name: String, error: () -> Throwable) {
    set(ACCOUNT, "value")
    for (call in uses) {
      val use = { if (call == KeystoreCall.SEAL) set(ACCOUNT, "value") else assertEquals("value", get(ACCOUNT)) }
      pauses.clear()
      StandInKeystore.fail(call, times = 1, error = error)
      use()
      assertEquals("$name, $call", pausesOfRetries.take(1), pauses)
      pauses.clear()
      StandInKeystore.fail(call, error = error)
      val failure = refused(ErrorCode.UNAVAILABLE) { use() }
      assertEquals("$name, $call: ${failure.message}", pausesOfRetries, pauses)
      StandInKeystore.fault = {}
    }
    assertEquals(name, 1, StandInKeystore.made.size)
    assertEquals("value", get(ACCOUNT))
  }

  /** Failures that a retry cannot help: [code] at once, with one key all the time. */
  private fun isFinal(name: String, code: ErrorCode, error: () -> Throwable) {
    set(ACCOUNT, "value")
    for (call in uses) {
      val use = { if (call == KeystoreCall.SEAL) set(ACCOUNT, "new") else assertEquals("value", get(ACCOUNT)) }
      pauses.clear()
      StandInKeystore.fail(call, error = error)
      refused(code) { use() }
      assertEquals("$name, $call", emptyList<Long>(), pauses)
      StandInKeystore.fault = {}
    }
    assertEquals(name, 1, StandInKeystore.made.size)
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `P1 a Keystore that was restarted is asked again`() =
    passes("SYSTEM_ERROR") { status(SYSTEM_ERROR) }

  @Test
  fun `whatever the Keystore calls a fault of the system may pass`() {
    if (!statusesAreTold) return
    val locked = setOf(NOT_INITIALIZED, DEVICE_LOCKED)
    val ofTheSystem =
      ((-120..30) + UNKNOWN_ERROR - locked).filter { it != 0 && statusException(it).isSystemError }
    assertTrue("$ofTheSystem", SYSTEM_ERROR in ofTheSystem && SECURE_HARDWARE_BUSY in ofTheSystem)
    for (number in ofTheSystem) {
      newDevice()
      passes("$number") { status(number) }
    }
  }

  @Test
  fun `statuses that pass without being marked so are retried`() {
    for (number in listOf(TOO_MANY_OPERATIONS, MEMORY_ALLOCATION_FAILED, CONCURRENT_ACCESS_CONFLICT, BACKEND_BUSY)) {
      newDevice()
      passes("$number") { status(number) }
    }
  }

  @Test
  fun `P1 what the framework lets through while the Keystore is away is retried`() {
    val serviceSpecific =
      Class.forName("android.os.ServiceSpecificException").getConstructor(Int::class.javaPrimitiveType)
    val errors =
      mapOf<String, () -> Throwable>(
        "the service is not there" to { NullPointerException() },
        "of the binder, wrapped" to { IllegalStateException(serviceSpecific.newInstance(SYSTEM_ERROR) as Throwable) },
        "of the binder" to { serviceSpecific.newInstance(SYSTEM_ERROR) as Throwable },
        "a dead object" to { ProviderException("Keystore operation failed", DeadObjectException()) },
        "two threads" to { IllegalThreadStateException("Cannot update the same operation concurrently.") },
        "in a provider's" to { ProviderException("Keystore key generation failed", statusException(SYSTEM_ERROR)) },
        "while finishing" to { IllegalBlockSizeException().apply { initCause(statusException(SYSTEM_ERROR)) } },
        "while loading" to { UnrecoverableKeyException().apply { initCause(statusException(SYSTEM_ERROR)) } },
        "twice wrapped" to { IllegalStateException(ProviderException(statusException(SECURE_HARDWARE_BUSY))) },
        "of a cipher" to { InvalidKeyException("Keystore operation failed") },
      )
    for ((name, error) in errors) {
      newDevice()
      passes(name, error)
    }
  }

  @Test
  fun `a reply without an operation is retried, and internal if it stays so`() {
    set(ACCOUNT, "value")
    val error = { IllegalStateException("Keystore returned null operation token") }
    StandInKeystore.fail(KeystoreCall.OPEN, times = 1, error = error)
    assertEquals("value", get(ACCOUNT))
    StandInKeystore.fail(KeystoreCall.OPEN, error = error)
    refused(ErrorCode.INTERNAL) { get(ACCOUNT) }
    assertEquals(pausesOfRetries.take(1) + pausesOfRetries, pauses)
  }

  @Test
  fun `P1 a user who has to authenticate means locked, with or without a cause`() {
    val errors =
      mapOf<String, () -> Throwable>(
        "bare" to { UserNotAuthenticatedException() },
        "with a cause" to { UserNotAuthenticatedException("", statusException(KEYSTORE_LOCKED)) },
        "in a provider's" to { ProviderException(UserNotAuthenticatedException()) },
        "in a cipher's" to { IllegalBlockSizeException().apply { initCause(UserNotAuthenticatedException()) } },
        "in a loader's" to { UnrecoverableKeyException().apply { initCause(UserNotAuthenticatedException()) } },
        "as a status" to { status(USER_NOT_AUTHENTICATED) },
        "as a status that needs it" to { status(KEYSTORE_LOCKED) },
      )
    for ((name, error) in errors) {
      newDevice()
      isFinal(name, ErrorCode.LOCKED, error)
    }
    if (statusesAreTold) isFinal("as a locked device", ErrorCode.LOCKED) { status(DEVICE_LOCKED) }
  }

  @Test
  fun `an operation that needs a person means locked before API 31`() {
    if (Build.VERSION.SDK_INT >= 31) return
    isFinal("OP_AUTH_NEEDED", ErrorCode.LOCKED) { status(OPERATION_NEEDS_AUTHENTICATION) }
  }

  @Test
  fun `P1 a key that is invalid for good means lost, however it is wrapped`() {
    val errors =
      listOf<() -> Throwable>(
        { KeyPermanentlyInvalidatedException() },
        { ProviderException(KeyPermanentlyInvalidatedException()) },
        { InvalidKeyException(KeyPermanentlyInvalidatedException()) },
        { UnrecoverableKeyException().apply { initCause(KeyPermanentlyInvalidatedException()) } },
        { KeyExpiredException() },
        { status(INVALID_KEY_BLOB) },
      )
    set(ACCOUNT, "value")
    for (error in errors) {
      StandInKeystore.fail(KeystoreCall.OPEN, error = error)
      refused(ErrorCode.LOST) { get(ACCOUNT) }
      StandInKeystore.fault = {}
    }
    assertEquals("a retry cannot help", emptyList<Long>(), pauses)
    assertEquals("the record was kept", "value", get(ACCOUNT))
  }

  @Test
  fun `a refusal of the system is denied`() = isFinal("SecurityException", ErrorCode.DENIED) { SecurityException() }

  @Test
  fun `a call that the Keystore does not understand is internal`() =
    isFinal("IllegalArgumentException", ErrorCode.INTERNAL) { IllegalArgumentException() }

  @Test
  fun `a status that is transient is retried`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN, times = 2) { status(SECURE_HARDWARE_BUSY) }
    assertEquals("value", get(ACCOUNT))
    assertEquals(listOf(50L, 100L), pauses)
  }

  @Test
  fun `a status that is transient for too long is unavailable`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN) { status(SECURE_HARDWARE_BUSY) }
    refused(ErrorCode.UNAVAILABLE) { get(ACCOUNT) }
    assertEquals(3, pauses.size)
    StandInKeystore.fault = {}
    assertEquals("value", get(ACCOUNT))
  }

  @Test
  fun `a status that is final is not retried where the Keystore says so`() {
    set(ACCOUNT, "value")
    StandInKeystore.fail(KeystoreCall.OPEN) { status(INVALID_ARGUMENT) }
    refused(if (statusesAreTold) ErrorCode.INTERNAL else ErrorCode.UNAVAILABLE) { get(ACCOUNT) }
    assertEquals(if (statusesAreTold) 0 else 3, pauses.size)
  }

  @Test
  fun `statuses have the codes of their meaning`() {
    set(ACCOUNT, "value")
    val expected =
      mapOf(
        KEY_NOT_FOUND to ErrorCode.LOST,
        VALUE_CORRUPTED to ErrorCode.LOST,
        INVALID_KEY_BLOB to ErrorCode.LOST,
        NOT_INITIALIZED to ErrorCode.LOCKED,
        KEYSTORE_LOCKED to ErrorCode.LOCKED,
        PERMISSION_DENIED to ErrorCode.DENIED,
      )
    val invalidated = if (statusesAreTold) mapOf(KEY_PERMANENTLY_INVALIDATED to ErrorCode.LOST) else emptyMap()
    for ((number, code) in expected + invalidated) {
      StandInKeystore.fail(KeystoreCall.OPEN) { status(number) }
      val error = refused(code) { get(ACCOUNT) }
      assertTrue(error.message, "android.security.KeyStoreException (" in error.message)
      if (statusesAreTold) assertTrue(error.message, "internal Keystore code: $number " in error.message)
    }
    StandInKeystore.fault = {}
    assertEquals("value", get(ACCOUNT))
  }
}
