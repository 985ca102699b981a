// Files by the system calls themselves: they tell absent from unreadable, and say what is on the disk for sure.
package app.secure_token

import android.system.ErrnoException
import android.system.Os
import android.system.OsConstants.EACCES
import android.system.OsConstants.EDQUOT
import android.system.OsConstants.EEXIST
import android.system.OsConstants.ENOENT
import android.system.OsConstants.ENOSPC
import android.system.OsConstants.EPERM
import android.system.OsConstants.EROFS
import android.system.OsConstants.F_OK
import android.system.OsConstants.O_CREAT
import android.system.OsConstants.O_RDONLY
import android.system.OsConstants.O_TRUNC
import android.system.OsConstants.O_WRONLY
import android.system.OsConstants.S_IRUSR
import android.system.OsConstants.S_IRWXU
import android.system.OsConstants.S_IWUSR
import java.io.File
import java.io.FileDescriptor

internal object Disk {
  /** At most [limit] bytes from the start of [file]; null only where there is no such file. */
  fun read(file: File, limit: Int): ByteArray? =
    calling("read a record") {
      val descriptor = openIfThere(file) ?: return null
      closing(descriptor) { read(descriptor, limit) }
    }

  /**
   * Puts [bytes] in the place of what [file] held. Whatever happens on the way, it holds the old or the new whole.
   *
   * When it returns, the new bytes and the name are on the disk. When it throws, nothing has changed; only where the
   * very last step fails, the new bytes are there already and may still be lost with the power.
   */
  fun replace(file: File, draft: File, bytes: ByteArray) {
    calling("write a record") {
      try {
        val descriptor = Os.open(draft.path, O_WRONLY or O_CREAT or O_TRUNC, S_IRUSR or S_IWUSR)
        closing(descriptor) {
          write(descriptor, bytes)
          Os.fsync(descriptor)
        }
        Os.rename(draft.path, file.path)
      } catch (e: Exception) {
        discard(draft, e)
        throw e
      }
      sync(file.parentFile!!)
    }
  }

  /** When it returns, none of [files] of the folder is on the disk any more. */
  fun remove(folder: File, vararg files: File) {
    calling("remove a record") {
      if (!isThere(folder)) return
      files.forEach(::removeIfThere)
      sync(folder)
    }
  }

  /** Makes [folder] in its parent, which is there. When it returns, the name is on the disk. */
  fun makeFolder(folder: File) {
    calling("make a folder") {
      try {
        Os.mkdir(folder.path, S_IRWXU)
      } catch (e: ErrnoException) {
        if (e.errno != EEXIST) throw e
      }
      sync(folder.parentFile!!)
    }
  }

  /** The names in [folder]; none where there is no such folder. */
  fun names(folder: File): List<String> =
    calling("list the records") {
      if (!isThere(folder)) return emptyList()
      folder.list()?.toList() ?: throw StoreException(ErrorCode.INTERNAL, "the app's storage cannot list the records")
    }

  private fun read(descriptor: FileDescriptor, limit: Int): ByteArray {
    var bytes = ByteArray(minOf(limit, 4096))
    var length = 0
    while (true) {
      if (length == bytes.size) {
        if (length == limit) return bytes
        bytes = bytes.copyOf(minOf(limit, 2 * length))
      }
      val count = Os.read(descriptor, bytes, length, bytes.size - length)
      if (count == 0) return bytes.copyOf(length)
      length += count
    }
  }

  private fun write(descriptor: FileDescriptor, bytes: ByteArray) {
    var length = 0
    while (length < bytes.size) length += Os.write(descriptor, bytes, length, bytes.size - length)
  }

  /** A name is durable once its folder is. */
  private fun sync(folder: File) = closing(Os.open(folder.path, O_RDONLY, 0), Os::fsync)

  private fun openIfThere(file: File): FileDescriptor? = unlessAbsent { Os.open(file.path, O_RDONLY, 0) }

  private fun isThere(folder: File): Boolean = unlessAbsent { Os.access(folder.path, F_OK) } ?: false

  private fun removeIfThere(file: File) {
    unlessAbsent { Os.remove(file.path) }
  }

  private fun discard(draft: File, cause: Exception) {
    try {
      removeIfThere(draft)
    } catch (e: ErrnoException) {
      cause.addSuppressed(e)
    }
  }

  private inline fun <T> unlessAbsent(call: () -> T): T? =
    try {
      call()
    } catch (e: ErrnoException) {
      if (e.errno != ENOENT) throw e
      null
    }

  private inline fun <T> closing(descriptor: FileDescriptor, use: (FileDescriptor) -> T): T =
    try {
      use(descriptor)
    } finally {
      Os.close(descriptor)
    }

  private inline fun <T> calling(task: String, call: () -> T): T =
    try {
      call()
    } catch (e: ErrnoException) {
      val code =
        when (e.errno) {
          EACCES, EPERM, EROFS -> ErrorCode.DENIED
          ENOSPC, EDQUOT -> ErrorCode.UNAVAILABLE
          else -> ErrorCode.INTERNAL
        }
      // Not the message of `e`: it may name the folders of the device's owner.
      throw StoreException(code, "the app's storage cannot $task: errno ${e.errno}")
    }
}
