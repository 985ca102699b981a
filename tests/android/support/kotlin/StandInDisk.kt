// The system calls of files, done on the real disk, with faults, kills and power cuts between them.
package app.secure_token.standin

import android.system.ErrnoException
import android.system.Os
import android.system.OsConstants
import java.io.File
import java.io.FileDescriptor
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.AccessDeniedException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.StandardCopyOption
import java.nio.file.StandardOpenOption
import java.util.Collections
import java.util.IdentityHashMap
import java.util.concurrent.CopyOnWriteArrayList
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.util.ReflectionHelpers

/** The process ends here: no code of the app runs any more. */
class Killed : Error()

/**
 * Stands for the kernel. Robolectric leaves these calls out.
 *
 * [powerCut] keeps only what was asked to be on the disk: bytes of files that were synced, names of folders that were.
 */
object StandInDisk {
  /** The calls on the records so far, as `fsync draft`. */
  val calls = CopyOnWriteArrayList<String>()

  /** Called before every call on the records; what it throws is the answer. */
  @Volatile var fault: (String) -> Unit = {}

  /** The most bytes that one call writes. */
  @Volatile var mostBytes = Int.MAX_VALUE

  private class Open(val file: File, val channel: FileChannel)

  private val open: MutableMap<FileDescriptor, Open> = Collections.synchronizedMap(IdentityHashMap())
  private val unsyncedBytes = HashSet<File>()
  private val unsyncedNames = ArrayList<Pair<File, () -> Unit>>()

  fun reset() {
    calls.clear()
    fault = {}
    mostBytes = Int.MAX_VALUE
    open.values.forEach { it.channel.close() }
    open.clear()
    unsyncedBytes.clear()
    unsyncedNames.clear()
  }

  val openFiles: Int get() = open.size

  fun fail(call: String, errno: Int) {
    fault = { if (it == call) throw ErrnoException(it, errno) }
  }

  @Synchronized
  fun powerCut() {
    unsyncedNames.asReversed().forEach { (_, undo) -> undo() }
    unsyncedNames.clear()
    unsyncedBytes.filter(File::exists).forEach { file ->
      FileChannel.open(file.toPath(), StandardOpenOption.WRITE).use { it.truncate(it.size() / 2) }
    }
    unsyncedBytes.clear()
  }

  internal fun open(path: String, flags: Int): FileDescriptor = call("open", File(path)) { file ->
    val options =
      if (flags and OsConstants.O_WRONLY == 0) setOf(StandardOpenOption.READ)
      else setOf(StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)
    val isNew = !file.exists()
    val channel = FileChannel.open(file.toPath(), options)
    if (StandardOpenOption.WRITE in options) {
      unsyncedBytes += file
      if (isNew) unsyncedNames += file.parentFile!! to { file.delete() }
    }
    FileDescriptor().also { open[it] = Open(file, channel) }
  }

  internal fun read(descriptor: FileDescriptor, bytes: ByteArray, offset: Int, length: Int): Int =
    call("read", file(descriptor)) {
      if (it.isDirectory) throw ErrnoException("read", OsConstants.EISDIR)
      channel(descriptor).read(ByteBuffer.wrap(bytes, offset, minOf(length, mostBytes))).coerceAtLeast(0)
    }

  internal fun write(descriptor: FileDescriptor, bytes: ByteArray, offset: Int, length: Int): Int =
    call("write", file(descriptor)) {
      channel(descriptor).write(ByteBuffer.wrap(bytes, offset, minOf(length, mostBytes)))
    }

  @Synchronized
  internal fun fsync(descriptor: FileDescriptor) = call("fsync", file(descriptor)) { file ->
    channel(descriptor).force(true)
    unsyncedBytes -= file
    unsyncedNames.removeAll { (folder, _) -> folder == file }
  }

  @Synchronized
  internal fun rename(from: String, to: String) = call("rename", File(from)) {
    val (source, target) = File(from) to File(to)
    val before = if (target.exists()) target.readBytes() else null
    val moved = source.readBytes()
    Files.move(source.toPath(), target.toPath(), StandardCopyOption.ATOMIC_MOVE)
    if (unsyncedBytes.remove(source)) unsyncedBytes += target
    unsyncedNames += target.parentFile!! to {
      if (unsyncedBytes.remove(target)) unsyncedBytes += source
      source.writeBytes(moved)
      if (before == null) target.delete() else target.writeBytes(before)
    }
  }

  @Synchronized
  internal fun remove(path: String) = call("remove", File(path)) { file ->
    val before = if (file.isFile) file.readBytes() else null
    Files.delete(file.toPath())
    unsyncedNames += file.parentFile!! to { before?.let(file::writeBytes) }
  }

  internal fun mkdir(path: String) = call("mkdir", File(path)) { folder ->
    Files.createDirectory(folder.toPath())
    unsyncedNames += folder.parentFile!! to { folder.deleteRecursively() }
  }

  internal fun close(descriptor: FileDescriptor) {
    open.remove(descriptor)?.channel?.close() ?: throw ErrnoException("close", OsConstants.EBADF)
  }

  internal fun access(path: String): Boolean = call("access", File(path)) { file ->
    if (!file.exists()) throw NoSuchFileException(path)
    true
  }

  private fun file(descriptor: FileDescriptor) = openFile(descriptor).file
  private fun channel(descriptor: FileDescriptor) = openFile(descriptor).channel
  private fun openFile(descriptor: FileDescriptor) = open[descriptor] ?: throw ErrnoException("", OsConstants.EBADF)

  private inline fun <T> call(name: String, file: File, perform: (File) -> T): T {
    if (ofRecords(file)) {
      val call = "$name ${kind(file)}"
      fault(call)
      calls += call
    }
    try {
      return perform(file)
    } catch (_: NoSuchFileException) {
      throw ErrnoException(name, OsConstants.ENOENT)
    } catch (_: FileAlreadyExistsException) {
      throw ErrnoException(name, OsConstants.EEXIST)
    } catch (_: AccessDeniedException) {
      throw ErrnoException(name, OsConstants.EACCES)
    }
  }

  private fun ofRecords(file: File) = file.name == "no_backup" || "secure-token" in file.path

  private fun kind(file: File) =
    when {
      file.name.endsWith(".new") -> "draft"
      file.name == "no_backup" -> "root"
      file.name == "secure-token" -> "folder of all"
      file.parentFile?.name == "secure-token" -> "folder"
      else -> "record"
    }
}

/** Sends the calls of the framework's class to the stand-in. */
@Implements(Os::class)
object ShadowOs {
  @JvmStatic @Implementation
  fun open(path: String, flags: Int, @Suppress("UNUSED_PARAMETER") mode: Int) = StandInDisk.open(path, flags)

  @JvmStatic @Implementation
  fun read(descriptor: FileDescriptor, bytes: ByteArray, offset: Int, length: Int) =
    StandInDisk.read(descriptor, bytes, offset, length)

  @JvmStatic @Implementation
  fun write(descriptor: FileDescriptor, bytes: ByteArray, offset: Int, length: Int) =
    StandInDisk.write(descriptor, bytes, offset, length)

  @JvmStatic @Implementation
  fun fsync(descriptor: FileDescriptor) = StandInDisk.fsync(descriptor)

  @JvmStatic @Implementation
  fun close(descriptor: FileDescriptor) = StandInDisk.close(descriptor)

  @JvmStatic @Implementation
  fun rename(from: String, to: String) = StandInDisk.rename(from, to)

  @JvmStatic @Implementation
  fun remove(path: String) = StandInDisk.remove(path)

  @JvmStatic @Implementation
  fun mkdir(path: String, @Suppress("UNUSED_PARAMETER") mode: Int) = StandInDisk.mkdir(path)

  @JvmStatic @Implementation
  fun access(path: String, @Suppress("UNUSED_PARAMETER") mode: Int) = StandInDisk.access(path)
}

/** Robolectric leaves the error numbers at zero; these are those of Linux. */
@Implements(OsConstants::class)
object ShadowOsConstants {
  private val values =
    mapOf(
      "EPERM" to 1, "ENOENT" to 2, "EIO" to 5, "EBADF" to 9, "EACCES" to 13, "EEXIST" to 17, "EISDIR" to 21,
      "EINVAL" to 22, "ENOSPC" to 28, "EROFS" to 30, "EDQUOT" to 122,
      "O_RDONLY" to 0, "O_WRONLY" to 1, "O_RDWR" to 2, "O_ACCMODE" to 3, "O_CREAT" to 0x40, "O_EXCL" to 0x80,
      "O_TRUNC" to 0x200, "O_APPEND" to 0x400, "F_OK" to 0,
      "S_IFMT" to 0xf000, "S_IFDIR" to 0x4000, "S_IFREG" to 0x8000, "S_IFLNK" to 0xa000,
      "S_IRWXU" to 0x1c0, "S_IRUSR" to 0x100, "S_IWUSR" to 0x80,
    )

  @JvmStatic @Implementation
  fun initConstants() {
    values.forEach { (name, value) -> ReflectionHelpers.setStaticField(OsConstants::class.java, name, value) }
  }
}
