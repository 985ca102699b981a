// What the commands answer to the Rust side.

/// `get`: the value, or the certainty that there is none.
struct Found: Encodable {
  let found: Bool
  let value: String?
}

/// `list`: the accounts that have an item.
struct Accounts: Encodable {
  let accounts: [String]
}

/// `set` and `delete`: nothing but success.
struct Done: Encodable {}

/// `info`: what the store is and how it is now.
struct StoreInfo: Encodable {
  enum State: String, Encodable {
    case available, locked, unavailable
  }

  let store = "iOS Keychain"
  let persistent = true
  let durable = true
  let hardware: Bool
  let state: State
  /// The remedy where the state is not `available`.
  let detail: String

  init(of keychain: KeychainStore) {
    #if targetEnvironment(simulator)
      // The simulator has no Secure Enclave: its keychain is a file of the Mac.
      hardware = false
    #else
      hardware = true
    #endif
    do throws(StoreError) {
      try keychain.check()
      (state, detail) = (.available, "")
    } catch {
      (state, detail) = (error.code == .locked ? .locked : .unavailable, error.message)
    }
  }

  private enum CodingKeys: CodingKey {
    case store, persistent, durable, hardware, state, detail
  }
}
