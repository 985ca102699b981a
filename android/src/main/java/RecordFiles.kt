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
  fun headers(): List<RecordHeader> =
    Disk.names(folder).filter(RECORD::matches).sorted().mapNotNull { name ->
      Disk.read(File(folder, name), RecordHeader.LONGEST)?.let { start ->
        val header = RecordHeader.decode(start)
        if (sha256(header.service) != folder.name || sha256(header.account) != name) {
          throw corrupt("it is in the place of another one")
        }
        header
      }
    }

  private fun file(account: String) = File(folder, sha256(account))

  private fun draft(account: String) = File(folder, sha256(account) + ".new")

  private companion object {
    val RECORD = Regex("[0-9a-f]{64}")
  }
}
