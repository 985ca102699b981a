// A stand-in for the keychain of an iOS device: what Apple documents of it, and nothing that was seen on a device.
//
// The rules and where each is from. [doc] is developer.apple.com/documentation/security, [src] is Apple's published
// source of the keychain's server (github.com/apple-oss-distributions/Security, keychain/securityd), [guide] is the
// Apple Platform Security guide, "Keychain data protection".
//  1. Identity. Generic passwords are unique by access group, service, account and whether they synchronise; adding
//     another is errSecDuplicateItem. [doc] errSecDuplicateItem, "composite primary keys"
//  2. A query finds the items that have all the attributes it names, accessibility among them. [doc] "Searching for
//     keychain items"; texts are compared byte by byte. [src] SecItemDb.c, SecDbAppendWhereAttrs
//  3. Without kSecAttrSynchronizable, or with false, only items that do not synchronise are found or added.
//     [doc] kSecAttrSynchronizable
//  4. One item is answered unless kSecMatchLimitAll asks for all. [doc] kSecMatchLimit
//  5. Nothing that matches is errSecItemNotFound. [doc] SecItemCopyMatching, SecItemUpdate, SecItemDelete
//  6. An update and a removal change every item that matches, and take no limit; an update changes the attributes it
//     names, accessibility too, and keeps the rest. [doc] SecItemUpdate, SecItemDelete; [src] s3dl_query_update
//  7. A dictionary without a class, or with a key that the call does not know, is errSecParam. [doc] errSecParam
//  8. Without an access group, every group of the app is searched, and an item is added to the first. A group that the
//     app is not entitled to, and an app with no group at all, is errSecMissingEntitlement. [doc] kSecAttrAccessGroup,
//     "Sharing access to keychain items among a collection of apps"; [src] SecItemServer.c
//  9. The key of "after first unlock" exists from the first unlock to the shutdown, that of "when unlocked" while the
//     device is unlocked; the default is the latter. [guide]; [doc] kSecAttrAccessible
// 10. To read or change an item without its key is errSecInteractionNotAllowed, and one such item among several ends
//     the search with it. [doc] errSecInteractionNotAllowed; [src] s3dl_query_row, s3dl_query
// 11. To add an item takes the key of its class, and is refused for the lack of it before a duplicate is noticed, since
//     the row is sealed first. [src] SecDbItem.c, SecDbItemInsert
// 12. To remove an item takes no key. [src] s3dl_query_delete
import Foundation

public final class StandInKeychain: @unchecked Sendable {
  public static let shared = StandInKeychain()

  public enum Device: Sendable {
    case neverUnlocked, locked, unlocked
  }

  public enum Function: Sendable {
    case add, update, copyMatching, delete
  }

  public struct Call {
    public let function: Function
    public let query: [String: Any]
    public let changes: [String: Any]
  }

  public struct Item {
    public let service: String
    public let account: String
    /// The account as it was given: other code may write data or a number, or leave it out.
    public let accountAttribute: Any?
    public let group: String
    public let synchronizable: Bool
    public fileprivate(set) var accessible: CFString
    public fileprivate(set) var value: Data
  }

  private let lock = NSRecursiveLock()
  private var content = Content()

  private struct Content {
    var items: [Item] = []
    var device = Device.unlocked
    var groups = ["TEAM.app"]
    var calls: [Call] = []
    var failures: [(function: Function, status: OSStatus)] = []
    var interruptions: [(function: Function, action: () -> Void)] = []
  }

  // MARK: For the tests

  public func reset() {
    lock.withLock { content = Content() }
  }

  public var items: [Item] {
    lock.withLock { content.items }
  }

  public var calls: [Call] {
    lock.withLock { content.calls }
  }

  public var device: Device {
    get { lock.withLock { content.device } }
    set { lock.withLock { content.device = newValue } }
  }

  /// The groups that the app is entitled to.
  public var groups: [String] {
    get { lock.withLock { content.groups } }
    set { lock.withLock { content.groups = newValue } }
  }

  public func forgetCalls() {
    lock.withLock { content.calls = [] }
  }

  /// For what an interruption has done: it was not the plugin.
  public func forgetLastCall() {
    lock.withLock { _ = content.calls.popLast() }
  }

  /// Lets the next call of a function fail.
  public func failNext(_ function: Function, with status: OSStatus) {
    lock.withLock { content.failures.append((function, status)) }
  }

  /// Does something just before the next call of a function, as another process would.
  public func beforeNext(_ function: Function, do action: @escaping () -> Void) {
    lock.withLock { content.interruptions.append((function, action)) }
  }

  // MARK: The four calls

  func add(_ attributes: [String: Any]) -> OSStatus {
    enter(.add, attributes) {
      guard knows(attributes, identity + [kSecAttrAccessible, kSecValueData]) else { return errSecParam }
      guard let group = permitted(attributes)?.first else { return errSecMissingEntitlement }
      let item = Item(
        service: text(attributes, kSecAttrService) ?? "",
        account: text(attributes, kSecAttrAccount) ?? "",
        accountAttribute: attributes[kSecAttrAccount as String],
        group: group,
        synchronizable: attributes[kSecAttrSynchronizable as String] as? Bool ?? false,
        accessible: attributes[kSecAttrAccessible as String] as? CFString ?? kSecAttrAccessibleWhenUnlocked,
        value: attributes[kSecValueData as String] as? Data ?? Data())
      guard hasKey(of: item.accessible) else { return errSecInteractionNotAllowed }
      guard !content.items.contains(where: { isSame($0, item) }) else { return errSecDuplicateItem }
      content.items.append(item)
      return errSecSuccess
    }
  }

  func update(_ query: [String: Any], with changes: [String: Any]) -> OSStatus {
    enter(.update, query, changes) {
      guard knows(query, identity + [kSecAttrAccessible]), changes[kSecClass as String] == nil else { return errSecParam }
      guard let groups = permitted(query) else { return errSecMissingEntitlement }
      let found = content.items.indices.filter { matches(content.items[$0], query, groups) }
      guard !found.isEmpty else { return errSecItemNotFound }
      let accessible = changes[kSecAttrAccessible as String] as? CFString
      guard found.allSatisfy({ hasKey(of: content.items[$0].accessible) }), accessible.map(hasKey) ?? true else {
        return errSecInteractionNotAllowed
      }
      for index in found {
        if let accessible { content.items[index].accessible = accessible }
        if let value = changes[kSecValueData as String] as? Data { content.items[index].value = value }
      }
      return errSecSuccess
    }
  }

  func copyMatching(_ query: [String: Any]) -> (OSStatus, CFTypeRef?) {
    var answer: CFTypeRef?
    let status = enter(.copyMatching, query) {
      let known = identity + [kSecAttrAccessible, kSecReturnData, kSecReturnAttributes, kSecMatchLimit]
      guard knows(query, known) else { return errSecParam }
      guard let groups = permitted(query) else { return errSecMissingEntitlement }
      let all = query[kSecMatchLimit as String] as? CFString == kSecMatchLimitAll
      let found = content.items.filter { matches($0, query, groups) }.prefix(all ? Int.max : 1)
      guard !found.isEmpty else { return errSecItemNotFound }
      guard found.allSatisfy({ hasKey(of: $0.accessible) }) else { return errSecInteractionNotAllowed }
      let answers = found.map { result($0, for: query) }
      answer = all ? answers as NSArray : answers[0]
      return errSecSuccess
    }
    return (status, answer)
  }

  func delete(_ query: [String: Any]) -> OSStatus {
    enter(.delete, query) {
      guard knows(query, identity + [kSecAttrAccessible]) else { return errSecParam }
      guard let groups = permitted(query) else { return errSecMissingEntitlement }
      let before = content.items.count
      content.items.removeAll { matches($0, query, groups) }
      return content.items.count < before ? errSecSuccess : errSecItemNotFound
    }
  }

  // MARK: The rules

  private func enter(
    _ function: Function, _ query: [String: Any], _ changes: [String: Any] = [:], _ body: () -> OSStatus
  ) -> OSStatus {
    lock.withLock {
      content.calls.append(Call(function: function, query: query, changes: changes))
      if let index = content.interruptions.firstIndex(where: { $0.function == function }) {
        content.interruptions.remove(at: index).action()
      }
      if let index = content.failures.firstIndex(where: { $0.function == function }) {
        return content.failures.remove(at: index).status
      }
      return body()
    }
  }

  private let identity = [
    kSecClass, kSecAttrService, kSecAttrAccount, kSecAttrAccessGroup, kSecAttrSynchronizable,
  ]

  private func knows(_ dictionary: [String: Any], _ keys: [CFString]) -> Bool {
    dictionary[kSecClass as String] as? CFString == kSecClassGenericPassword
      && dictionary.keys.allSatisfy { key in keys.contains { $0 as String == key } }
  }

  /// The groups that a call reaches, or nil where it reaches none.
  private func permitted(_ query: [String: Any]) -> [String]? {
    guard let group = text(query, kSecAttrAccessGroup) else { return content.groups.isEmpty ? nil : content.groups }
    return content.groups.contains(group) ? [group] : nil
  }

  private func hasKey(of accessible: CFString) -> Bool {
    switch accessible {
    case kSecAttrAccessibleAfterFirstUnlock, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly:
      content.device != .neverUnlocked
    default:
      content.device == .unlocked
    }
  }

  private func matches(_ item: Item, _ query: [String: Any], _ groups: [String]) -> Bool {
    groups.contains(item.group)
      && item.synchronizable == (query[kSecAttrSynchronizable as String] as? Bool ?? false)
      && text(query, kSecAttrService).map { isSame($0, item.service) } ?? true
      && text(query, kSecAttrAccount).map { isSame($0, item.account) } ?? true
      && (query[kSecAttrAccessible as String] as? CFString).map { $0 == item.accessible } ?? true
  }

  private func result(_ item: Item, for query: [String: Any]) -> NSObject {
    guard query[kSecReturnAttributes as String] as? Bool == true else { return item.value as NSData }
    var attributes: [String: Any] = [
      kSecAttrService as String: item.service,
      kSecAttrAccessGroup as String: item.group,
      kSecAttrAccessible as String: item.accessible,
    ]
    attributes[kSecAttrAccount as String] = item.accountAttribute
    return attributes as NSDictionary
  }

  private func text(_ dictionary: [String: Any], _ key: CFString) -> String? {
    dictionary[key as String] as? String
  }

  private func isSame(_ one: Item, _ other: Item) -> Bool {
    one.group == other.group && one.synchronizable == other.synchronizable
      && isSame(one.service, other.service) && isSame(one.account, other.account)
  }

  /// Swift takes canonically equivalent texts for equal; the keychain does not.
  private func isSame(_ one: String, _ other: String) -> Bool {
    one.utf8.elementsEqual(other.utf8)
  }
}
