// The error codes that all four languages share, and what the statuses of the Keychain mean.
import Security

/// What went wrong, as a stable name. The list is that of `tests/fixtures/error-codes.json`.
enum ErrorCode: String, CaseIterable {
  case locked
  case unavailable
  case denied
  case misconfigured
  case lost
  case corrupt
  case tooLarge = "too-large"
  case invalidArgument = "invalid-argument"
  case conflict
  case forbidden
  case timeout
  case `internal`
}

/// A code to decide on and a message to read, which never holds a stored value.
struct StoreError: Error, Equatable {
  let code: ErrorCode
  let message: String

  init(_ code: ErrorCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The meaning of a status (`SecBase.h`) that is neither success nor the absence of an item. The message keeps the number.
  init(status: OSStatus, of call: String) {
    let answer = "the Keychain answers \(status) to \(call)"
    switch status {
    case errSecInteractionNotAllowed, errSecInteractionRequired:
      self.init(.locked, "\(answer): the device is locked, or was not unlocked since its start")
    case errSecMissingEntitlement:
      self.init(.misconfigured, "\(answer): the app is signed without the entitlement for this Keychain access group")
    case errSecUserCanceled, errSecAuthFailed:
      self.init(.denied, answer)
    case errSecNotAvailable:
      self.init(.unavailable, answer)
    case errSecDecode:
      self.init(.corrupt, answer)
    default:
      self.init(.internal, answer)
    }
  }
}
