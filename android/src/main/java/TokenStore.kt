// The store: sealed values under a service and an account, in files of the app.
package app.secure_token

import android.content.Context
import android.os.UserManager
import java.io.File

/** What `info` answers besides what is always so. */
internal class StoreInfo(val state: State, val hardware: Boolean, val detail: String) {
  enum class State(val wire: String) {
    AVAILABLE("available"),
    LOCKED("locked"),
    UNAVAILABLE("unavailable"),
  }
}

/**
 * Keeps values sealed by a key of the Android Keystore in `noBackupFilesDir`.
 *
 * A value that cannot be read stays where it is: only [set] and [delete] change anything. Every failure is a
 * [StoreException]; its code says whether the value is gone for good ([ErrorCode.LOST], [ErrorCode.CORRUPT]) or may
 * be read later. Calls block, and take turns across all instances.
 */
internal class TokenStore(private val context: Context, pause: (Long) -> Unit = Thread::sleep) {
  private val keys = SealingKeys(context, KeystoreCalls(pause))
  private val durableFolders = HashSet<File>()

  /** The value, or null only where there is none. */
  fun get(service: String, account: String): ByteArray? = inTurn {
    requireUnlocked()
    val bytes = files(service).read(account) ?: return null
    val record = SealedRecord.decode(bytes)
    if (!record.header.belongsTo(service, account)) throw corrupt("it is in the place of another one")
    keys.open(record.header.keyId, record.sealed, record.header.associatedData(context.packageName))
  }

  /** Stores [value] in the place of what was there. [strongBox] matters where a key has to be made. */
  fun set(service: String, account: String, value: ByteArray, strongBox: Boolean) = inTurn {
    requireUnlocked()
    val header = { id: KeyId -> RecordHeader(id, service, account) }
    val (id, sealed) = keys.seal(value, strongBox) { header(it).associatedData(context.packageName) }
    files(service).write(account, SealedRecord(header(id), sealed).encode())
  }

  /** Succeeds where there is nothing. */
  fun delete(service: String, account: String) = inTurn {
    requireUnlocked()
    files(service).delete(account)
  }

  fun list(service: String): List<String> = inTurn {
    requireUnlocked()
    files(service).headers().map { it.account }
  }

  /** A store that is locked or missing is an answer, not a failure. */
  fun info(): StoreInfo = inTurn {
    try {
      requireUnlocked()
      val level = keys.level()
      StoreInfo(
        StoreInfo.State.AVAILABLE,
        level?.hardware ?: false,
        level?.detail ?: "the key is made with the first token",
      )
    } catch (e: StoreException) {
      val state = if (e.code == ErrorCode.LOCKED) StoreInfo.State.LOCKED else StoreInfo.State.UNAVAILABLE
      StoreInfo(state, false, e.message)
    }
  }

  /** Before the first unlock the app's files cannot be looked up, and a record would pass for absent. */
  private fun requireUnlocked() {
    if (context.getSystemService(UserManager::class.java)?.isUserUnlocked != true) {
      throw StoreException(ErrorCode.LOCKED, "the device was not unlocked since its start")
    }
  }

  private fun files(service: String) = RecordFiles(context.noBackupFilesDir, service, durableFolders)

  private inline fun <T> inTurn(call: () -> T): T = synchronized(turn, call)

  private companion object {
    /** One for the process: two stores that make a key or write a draft at once would harm each other. */
    val turn = Any()
  }
}
