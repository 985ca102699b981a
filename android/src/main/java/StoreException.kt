// The error codes that all four languages share, and the error that carries one.
package app.secure_token

/** What went wrong, as a stable name. The list is that of `tests/fixtures/error-codes.json`. */
internal enum class ErrorCode(val wire: String) {
  LOCKED("locked"),
  UNAVAILABLE("unavailable"),
  DENIED("denied"),
  MISCONFIGURED("misconfigured"),
  LOST("lost"),
  CORRUPT("corrupt"),
  TOO_LARGE("too-large"),
  INVALID_ARGUMENT("invalid-argument"),
  CONFLICT("conflict"),
  FORBIDDEN("forbidden"),
  TIMEOUT("timeout"),
  INTERNAL("internal"),
}

/** A code to decide on and a message to read, which never holds a stored value. */
internal class StoreException(val code: ErrorCode, override val message: String) : Exception(message)
