// The store: sealed values under a service and an account, in files of the app.
package app.secure_token

import android.content.Context
import android.os.Process
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

  /** Whether keys may be left over that no record needs: a process that was killed may not have removed them. */
  private var mayHaveLeftovers = true

  /** The value, or null only where there is none. */
  fun get(service: String, account: String): ByteArray? = inTurn {
    requireUnlocked()
    val bytes = files(service).read(account) ?: return null
    val record = SealedRecord.decode(bytes)
    if (!record.header.belongsTo(service, account)) throw corrupt("it is in the place of another one")
    keys.open(record.header.keyId, record.sealed, record.header.associatedData(context.packageName))
  }

  /**
   * Stores [value] in the place of what was there.
   *
   * It is sealed with the key of the record that it replaces, or else with another one that a record has, or else with
   * one that the Keystore lists. A key is made only if each of them is gone for good. [strongBox] matters for that one.
   */
  fun set(service: String, account: String, value: ByteArray, strongBox: Boolean) = inTurn {
    requireUnlocked()
    val files = files(service)
    val header = { id: KeyId -> RecordHeader(id, service, account) }
    val old = files.keyOf(account)
    val inUse = sequence {
      old?.let { yield(it) }
      yieldAll(RecordFiles.neededKeys(root).ids)
    }
    val (id, sealed) = keys.seal(value, strongBox, inUse) { header(it).associatedData(context.packageName) }
    try {
      files.write(account, SealedRecord(header(id), sealed).encode())
    } catch (e: StoreException) {
      removeUnneeded { listOf(id) }
      throw e
    }
    if (mayHaveLeftovers || old != null && old != id) {
      mayHaveLeftovers = false
      removeUnneeded { keys.listed() + listOfNotNull(old) }
    }
  }

  /** Succeeds if there is nothing. Removes the key as well if no other record needs it. */
  fun delete(service: String, account: String) = inTurn {
    requireUnlocked()
    val files = files(service)
    val id = files.keyOf(account)
    files.delete(account)
    if (id != null) removeUnneeded { listOf(id) }
  }

  fun list(service: String): List<String> = inTurn {
    requireUnlocked()
    files(service).headers().map { it.account }
  }

  /** A store that is locked or missing is an answer, not a failure. */
  fun info(): StoreInfo = inTurn {
    try {
      requireUnlocked()
      val level = keys.level(RecordFiles.neededKeys(root).ids)
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

  /**
   * Removes those of [keysToCheck] that no record needs. Fails silently: the record is as the caller wants it, and a
   * later process tries again.
   */
  private fun removeUnneeded(keysToCheck: () -> List<KeyId>) {
    // Apps with one `sharedUserId` share their keys, and this one does not see the records of the others.
    if (context.packageManager.getPackagesForUid(Process.myUid()).orEmpty().size > 1) return
    val needed = RecordFiles.neededKeys(root)
    if (!needed.complete) return
    try {
      keysToCheck().filterNot(needed.ids::contains).forEach(keys::remove)
    } catch (_: StoreException) {
      return
    }
  }

  private val root: File get() = context.noBackupFilesDir

  private fun files(service: String) = RecordFiles(root, service, durableFolders)

  private inline fun <T> inTurn(call: () -> T): T = synchronized(turn, call)

  private companion object {
    /** One for the process: two stores that make a key or write a draft at once would harm each other. */
    val turn = Any()
  }
}
