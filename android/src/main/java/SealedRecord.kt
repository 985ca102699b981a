// The layout of a record's file. It is frozen: a change is a new version, and version 1 stays readable.
package app.secure_token

import java.io.ByteArrayOutputStream
import java.nio.BufferUnderflowException
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/**
 * What can be read of a file without the key: which key sealed it, and what it belongs to.
 *
 * ```
 * 's' 't' 'k' version(1)  key id(16)  length(2) service  length(2) account
 * ```
 */
internal class RecordHeader(val keyId: KeyId, val service: String, val account: String) {
  fun encode(): ByteArray =
    ByteArrayOutputStream().apply {
      write(START)
      write(keyId.bytes)
      writeText(service)
      writeText(account)
    }.toByteArray()

  /** What the tag covers besides the value: the header and the app, so that no file passes for another one. */
  fun associatedData(packageName: String): ByteArray =
    ByteArrayOutputStream().apply {
      write(encode())
      writeText(packageName)
    }.toByteArray()

  fun belongsTo(service: String, account: String) = this.service == service && this.account == account

  companion object {
    private val START = byteArrayOf('s'.code.toByte(), 't'.code.toByte(), 'k'.code.toByte(), 1)

    const val LONGEST = 4 + KeyId.LENGTH + 2 + Payload.LONGEST_SERVICE + 2 + Payload.LONGEST_ACCOUNT

    fun decode(bytes: ByteArray): RecordHeader = decode(ByteBuffer.wrap(bytes))

    fun decode(bytes: ByteBuffer): RecordHeader =
      try {
        if (!bytes.take(START.size).contentEquals(START)) throw corrupt("its start is not that of a record")
        RecordHeader(KeyId(bytes.take(KeyId.LENGTH)), bytes.takeText(), bytes.takeText())
      } catch (_: BufferUnderflowException) {
        throw corrupt("it ends too early")
      } catch (_: CharacterCodingException) {
        throw corrupt("its names are not text")
      }
  }
}

/** A whole file: the header, then `length(1) iv`, then the ciphertext with its tag. */
internal class SealedRecord(val header: RecordHeader, val sealed: Sealed) {
  fun encode(): ByteArray = header.encode() + sealed.iv.size.toByte() + sealed.iv + sealed.ciphertext

  companion object {
    /** A file that is longer was not written by us, and is not read to its end. */
    const val LONGEST = RecordHeader.LONGEST + 1 + Sealed.IV_LENGTH + Payload.LONGEST_VALUE + Sealed.TAG_LENGTH

    fun decode(bytes: ByteArray): SealedRecord {
      val rest = ByteBuffer.wrap(bytes)
      val header = RecordHeader.decode(rest)
      if (rest.remaining() <= 1 + Sealed.IV_LENGTH + Sealed.TAG_LENGTH) throw corrupt("it ends too early")
      if (rest.get().toInt() != Sealed.IV_LENGTH) throw corrupt("its IV has another length")
      return SealedRecord(header, Sealed(rest.take(Sealed.IV_LENGTH), rest.take(rest.remaining())))
    }
  }
}

/** What AES-GCM makes of a value. */
internal class Sealed(val iv: ByteArray, val ciphertext: ByteArray) {
  companion object {
    const val IV_LENGTH = 12
    const val TAG_LENGTH = 16
  }
}

internal fun corrupt(why: String) = StoreException(ErrorCode.CORRUPT, "the stored record is damaged or not ours: $why")

private fun ByteArrayOutputStream.writeText(text: String) {
  val bytes = text.toByteArray()
  write(bytes.size shr 8)
  write(bytes.size)
  write(bytes)
}

private fun ByteBuffer.takeText(): String {
  val bytes = take(short.toInt() and 0xffff)
  return Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString()
}

private fun ByteBuffer.take(length: Int): ByteArray {
  if (remaining() < length) throw BufferUnderflowException()
  return ByteArray(length).also { get(it) }
}
