// The bridge: takes the commands of `src/store/mobile.rs` from Tauri and answers each exactly once.
import Foundation
import Tauri

/// Keeps the records of the Rust side in the Keychain.
///
/// Tauri calls the commands one after another on a queue of its own. No item of ours can ask a person for anything,
/// so every command answers before it returns. No state is kept between commands: the options come with each of them.
class SecureTokenPlugin: Plugin {
  private let marker: InstallMarker

  init(marker: InstallMarker = .ofThisInstall) {
    self.marker = marker
    super.init()
  }

  /// Answers `{ found: false }` only where the item is known to be absent.
  @objc func get(_ invoke: Invoke) {
    answer(invoke, with: read)
  }

  /// Stores a value in the place of what was there.
  @objc func set(_ invoke: Invoke) {
    answer(invoke, with: write)
  }

  /// Removes an item; succeeds where there is none.
  @objc func delete(_ invoke: Invoke) {
    answer(invoke, with: remove)
  }

  /// Answers the accounts of the service, never their values.
  @objc func list(_ invoke: Invoke) {
    answer(invoke, with: accounts)
  }

  /// Says what the store is and how it is now; a store that is locked or missing is an answer too.
  @objc func info(_ invoke: Invoke) {
    answer(invoke, with: describe)
  }

  private func read(_ request: AccountRequest) throws(StoreError) -> Found {
    let value = try open(request.store).get(request.account)
    return Found(found: value != nil, value: value)
  }

  private func write(_ request: WriteRequest) throws(StoreError) -> Done {
    try open(request.store).set(request.account, to: request.value, accessibility: request.accessibility)
    return Done()
  }

  private func remove(_ request: AccountRequest) throws(StoreError) -> Done {
    try open(request.store).delete(request.account)
    return Done()
  }

  private func accounts(_ request: StoreRequest) throws(StoreError) -> Accounts {
    Accounts(accounts: try open(request).list())
  }

  private func describe(_ request: StoreRequest) throws(StoreError) -> StoreInfo {
    StoreInfo(of: KeychainStore(service: request.service, accessGroup: request.accessGroup))
  }

  private func open(_ request: StoreRequest) throws(StoreError) -> KeychainStore {
    let store = KeychainStore(service: request.service, accessGroup: request.accessGroup)
    try marker.settle(store, clearing: request.clearOnReinstall)
    return store
  }

  /// The only place that answers: either resolves or rejects, once.
  ///
  /// `reject` gets no `error:`; Tauri would answer "invalidObject" in the place of the message and the code.
  private func answer<Request: Decodable, Answer: Encodable>(
    _ invoke: Invoke, with command: (Request) throws(StoreError) -> Answer
  ) {
    let answer: Answer
    do throws(StoreError) {
      answer = try command(parse(invoke))
    } catch {
      invoke.reject(error.message, code: error.code.rawValue)
      return
    }
    invoke.resolve(answer)
  }

  private func parse<Request: Decodable>(_ invoke: Invoke) throws(StoreError) -> Request {
    do {
      return try invoke.parseArgs(Request.self)
    } catch let error as StoreError {
      throw error
    } catch {
      // What the decoder says may repeat a part of the payload.
      throw StoreError(.invalidArgument, "the payload is not a JSON object")
    }
  }
}

/// Makes the plugin for Tauri's Rust side, which finds this function by its C name.
///
/// It is public so that no linker takes it for unused.
@_cdecl("init_plugin_secure_token")
public func initPlugin() -> Plugin {
  SecureTokenPlugin()
}
