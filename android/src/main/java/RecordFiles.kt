// The files of one service: a file an account, named by a hash, where no backup looks.
package app.secure_token

import java.io.File

/**
 * Names are frozen: `secure-token/<SHA-256 of the service>/<SHA-256 of the account>`.
 *
 * [root] is a folder that Android leaves out of backups. [durable] are the folders that this process knows to be on the
 * disk with their names: one that is only there may have been made by a process that was killed before it said so.
 */
internal class RecordFiles(private val root: File, service: String, private val durable: MutableSet<File>) {
  private val all = File(root, "secure-token")
  private val folder = File(all, sha256(service))

  /** Null only where there is no such file. */
  fun read(account: String): ByteArray? {
    val bytes = Disk.read(file(account), SealedRecord.LONGEST + 1) ?: return null
    if (bytes.size > SealedRecord.LONGEST) throw corrupt("it is too long")
    return bytes
  }

  /** The key that sealed the record of [account]; null if there is no record, or none that says it. */
  fun keyOf(account: String): KeyId? =
    try {
      headerOf(file(account))?.keyId
    } catch (_: StoreException) {
      null
    }

  fun write(account: String, bytes: ByteArray) {
    if (folder !in durable || !folder.isDirectory) {
      // Android makes the root, and does not wait for the disk.
      listOf(root, all, folder).forEach(Disk::makeFolder)
      durable += folder
    }
    Disk.replace(file(account), draft(account), bytes)
  }

  /** Removes what a write left unfinished too. */
  fun delete(account: String) = Disk.remove(folder, file(account), draft(account))

  /** The headers of all records. A file of ours that is damaged could be any account's, so it is an error. */
  fun headers(): List<RecordHeader> = namesIn(folder).mapNotNull { headerOf(File(folder, it)) }

  private fun file(account: String) = File(folder, sha256(account))

  private fun draft(account: String) = File(folder, sha256(account) + ".new")

  companion object {
    private val HASH = Regex("[0-9a-f]{64}")

    /** The keys that the records of the app need, whichever service they belong to. */
    fun neededKeys(root: File): NeededKeys {
      val all = File(root, "secure-token")
      val ids = LinkedHashSet<KeyId>()
      var complete = true
      fun <T> unlessUnreadable(read: () -> List<T>): List<T> =
        try {
          read()
        } catch (_: StoreException) {
          complete = false
          emptyList()
        }
      for (folder in unlessUnreadable { namesIn(all) }) {
        for (name in unlessUnreadable { namesIn(File(all, folder)) }) {
          ids += unlessUnreadable { listOfNotNull(headerOf(File(all, "$folder/$name"))?.keyId) }
        }
      }
      return NeededKeys(ids, complete)
    }

    private fun namesIn(folder: File) = Disk.names(folder).filter(HASH::matches).sorted()

    /** Null only if there is no such file. */
    private fun headerOf(file: File): RecordHeader? {
      val header = RecordHeader.decode(Disk.read(file, RecordHeader.LONGEST) ?: return null)
      if (sha256(header.service) != file.parentFile!!.name || sha256(header.account) != file.name) {
        throw corrupt("it is in the place of another one")
      }
      return header
    }
  }
}

/** [complete] is false if a record could not be read: it may need a key that is not among [ids]. */
internal class NeededKeys(val ids: Set<KeyId>, val complete: Boolean)
