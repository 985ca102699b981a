// The Keychain as a store: generic passwords by service and account, in the four `SecItem` calls.
import Foundation
import Security

/// When the OS lets an item be read. Both stay on this device: no backup carries them to another one.
enum Accessibility: String {
  /// From the first unlock after a start of the device on, also in the background.
  case afterFirstUnlock = "after-first-unlock"
  /// Only while the device is unlocked.
  case whenUnlocked = "when-unlocked"

  fileprivate var attribute: CFString {
    switch self {
    case .afterFirstUnlock: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
    case .whenUnlocked: kSecAttrAccessibleWhenUnlockedThisDeviceOnly
    }
  }
}

/// The items of one service.
///
/// An item is found by class, service, account and access group, and by nothing else. Its accessibility is never part
/// of a query: as a filter it would hide the items that were written with another one.
struct KeychainStore: Sendable {
  let service: String
  /// Where to look and to write; without it, look in every group of the app and write into its first one.
  let accessGroup: String?

  /// The value of an item, or `nil` where there is none.
  func get(_ account: String) throws(StoreError) -> String? {
    var query = self.query(account)
    query[kSecReturnData as String] = true
    query[kSecMatchLimit as String] = kSecMatchLimitOne
    var found: CFTypeRef?
    let status = SecItemCopyMatching(query as CFDictionary, &found)
    if status == errSecItemNotFound { return nil }
    guard status == errSecSuccess else { throw StoreError(status: status, of: "a read") }
    guard let data = found as? Data, let value = storedValue(data) else {
      throw StoreError(.corrupt, "the Keychain item holds something that this plugin did not write")
    }
    return value
  }

  /// Stores a value in the place of what was there, with the accessibility that is asked for now.
  ///
  /// Updates first and adds only where there is nothing, so that a failure leaves the old value as it was. Whoever
  /// added the item in between has lost to this write, which came later: it is updated.
  func set(_ account: String, to value: String, accessibility: Accessibility) throws(StoreError) {
    let query = self.query(account)
    let attributes: [String: Any] = [
      kSecValueData as String: Data(value.utf8),
      kSecAttrAccessible as String: accessibility.attribute,
    ]
    var status = SecItemUpdate(query as CFDictionary, attributes as CFDictionary)
    if status == errSecItemNotFound {
      status = SecItemAdd(query.merging(attributes) { $1 } as CFDictionary, nil)
    }
    if status == errSecDuplicateItem {
      status = SecItemUpdate(query as CFDictionary, attributes as CFDictionary)
    }
    guard status == errSecSuccess else { throw StoreError(status: status, of: "a write") }
  }

  /// Removes an item; succeeds where there is none.
  func delete(_ account: String) throws(StoreError) {
    try delete(matching: query(account))
  }

  /// Removes every item of the service.
  func deleteAll() throws(StoreError) {
    try delete(matching: query())
  }

  /// The accounts of the service's items, each once.
  ///
  /// Other code of the app, or of another app in the access group, may use the same service. An item whose account
  /// this plugin could not have written is left out: nothing here can read, replace or remove it.
  func list() throws(StoreError) -> [String] {
    var query = self.query()
    query[kSecReturnAttributes as String] = true
    query[kSecMatchLimit as String] = kSecMatchLimitAll
    var found: CFTypeRef?
    let status = SecItemCopyMatching(query as CFDictionary, &found)
    if status == errSecItemNotFound { return [] }
    guard status == errSecSuccess, let items = found as? [[String: Any]] else {
      throw StoreError(status: status, of: "a search")
    }
    var listed: Set<[UInt8]> = []
    return items.compactMap { $0[kSecAttrAccount as String] as? String }.filter { account in
      // By bytes, as the Keychain compares: Swift calls two spellings of "é" equal. An account in two access groups is
      // found twice.
      ruleBroken(byAccount: account) == nil && listed.insert(Array(account.utf8)).inserted
    }
  }

  /// Fails unless items can be written and all of the service's can be read now. Changes none of them.
  func check() throws(StoreError) {
    try checkFirstUnlock()
    _ = try list()
  }

  /// Fails unless the device was unlocked since its start, which is when protected data becomes available.
  ///
  /// A search cannot tell: where there is no item, it answers "not found" on a locked device too. Neither can a
  /// removal, which needs no key. Only adding an item needs the key of its class.
  func checkFirstUnlock() throws(StoreError) {
    let probe = KeychainStore(service: "app.secure_token.probe", accessGroup: accessGroup)
    var item = probe.query(service)
    item[kSecValueData as String] = Data("probe".utf8)
    item[kSecAttrAccessible as String] = Accessibility.afterFirstUnlock.attribute
    let status = SecItemAdd(item as CFDictionary, nil)
    // A duplicate is the probe of a process that ended before it could remove it.
    guard status == errSecSuccess || status == errSecDuplicateItem else {
      throw StoreError(status: status, of: "a trial write")
    }
    try probe.deleteAll()
  }

  private func delete(matching query: [String: Any]) throws(StoreError) {
    let status = SecItemDelete(query as CFDictionary)
    guard status == errSecSuccess || status == errSecItemNotFound else {
      throw StoreError(status: status, of: "a removal")
    }
  }

  private func query(_ account: String? = nil) -> [String: Any] {
    var query: [String: Any] = [
      kSecClass as String: kSecClassGenericPassword,
      kSecAttrService as String: service,
      kSecAttrSynchronizable as String: false,
    ]
    query[kSecAttrAccount as String] = account
    query[kSecAttrAccessGroup as String] = accessGroup
    return query
  }
}
