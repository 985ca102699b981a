// The store over Apple's own Keychain, in a simulator or on a device. `npm test` does not run these; they have not been run yet.
import Foundation
import Security
import XCTest

/// What the stand-in of `tests/ios` takes from Apple's documents is asked of the system itself here.
final class KeychainTests: XCTestCase {
  private let store = KeychainStore(service: "app.secure-token.tests", accessGroup: nil)
  private let other = KeychainStore(service: "app.secure-token.tests.other", accessGroup: nil)
  private let value = "secure-token.v1.eyJ0b2tlbiI6Im9wYXF1ZSJ9.00000000"

  override func setUpWithError() throws {
    try store.deleteAll()
    try other.deleteAll()
  }

  func test_P2_what_was_acknowledged_is_read_again() throws {
    XCTAssertNil(try store.get("default"))
    try store.set("default", to: "first", accessibility: .afterFirstUnlock)
    try store.set("default", to: value, accessibility: .afterFirstUnlock)
    XCTAssertEqual(try store.get("default"), value)
    XCTAssertEqual(try store.list(), ["default"])
  }

  func test_P3_what_was_removed_is_absent() throws {
    try store.set("default", to: value, accessibility: .afterFirstUnlock)
    try store.delete("default")
    try store.delete("default")
    XCTAssertNil(try store.get("default"))
    XCTAssertEqual(try store.list(), [])
  }

  func test_items_of_other_services_are_not_touched() throws {
    try other.set("default", to: value, accessibility: .afterFirstUnlock)
    XCTAssertEqual(try store.list(), [])
    try store.delete("default")
    try store.deleteAll()
    XCTAssertEqual(try other.get("default"), value)
  }

  func test_accounts_beyond_ASCII_are_kept_apart_byte_by_byte() throws {
    let accounts = ["Łódź 東京 🔑", "caf\u{e9}", "cafe\u{301}", "CAFE", "cafe"]
    for (index, account) in accounts.enumerated() {
      try store.set(account, to: "value-\(index)", accessibility: .afterFirstUnlock)
    }
    for (index, account) in accounts.enumerated() { XCTAssertEqual(try store.get(account), "value-\(index)") }
    XCTAssertEqual(try store.list().count, accounts.count)
  }

  func test_a_token_of_1_MiB_is_stored_whole() throws {
    let long = String(repeating: "0123456789abcdef", count: 65536)
    try store.set("default", to: long, accessibility: .afterFirstUnlock)
    XCTAssertEqual(try store.get("default"), long)
  }

  func test_P7_an_update_carries_a_new_class() throws {
    try store.set("default", to: value, accessibility: .whenUnlocked)
    XCTAssertEqual(try accessibleOfTheItem(), kSecAttrAccessibleWhenUnlockedThisDeviceOnly as String)
    try store.set("default", to: value, accessibility: .afterFirstUnlock)
    XCTAssertEqual(try accessibleOfTheItem(), kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly as String)
    XCTAssertEqual(try store.list().count, 1)
  }

  func test_a_duplicate_is_refused_whatever_its_class() throws {
    try store.set("default", to: value, accessibility: .whenUnlocked)
    let item: [String: Any] = [
      kSecClass as String: kSecClassGenericPassword, kSecAttrService as String: store.service,
      kSecAttrAccount as String: "default", kSecValueData as String: Data("other".utf8),
    ]
    XCTAssertEqual(SecItemAdd(item as CFDictionary, nil), errSecDuplicateItem)
  }

  func test_a_foreign_access_group_is_misconfigured() {
    let foreign = KeychainStore(service: store.service, accessGroup: "TEAM.of.somebody.else")
    XCTAssertThrowsError(try foreign.set("default", to: value, accessibility: .afterFirstUnlock)) { error in
      XCTAssertEqual((error as? StoreError)?.code, .misconfigured)
    }
  }

  func test_the_store_is_available_and_its_check_leaves_nothing() {
    XCTAssertEqual(StoreInfo(of: store).state, .available)
    XCTAssertEqual(try store.list(), [])
    XCTAssertEqual(try KeychainStore(service: "app.secure_token.probe", accessGroup: nil).list(), [])
  }

  func test_a_new_install_that_asks_for_clearing_finds_nothing() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let marker = InstallMarker(file: folder.appendingPathComponent("installed"))
    try store.set("default", to: value, accessibility: .afterFirstUnlock)
    try marker.settle(store, clearing: true)
    XCTAssertNil(try store.get("default"))
    try store.set("default", to: value, accessibility: .afterFirstUnlock)
    try marker.settle(store, clearing: true)
    XCTAssertEqual(try store.get("default"), value)
  }

  func test_race_two_writers_leave_one_whole_value() throws {
    let values = [String(repeating: "a", count: 4096), String(repeating: "b", count: 4096)]
    DispatchQueue.concurrentPerform(iterations: 50) { [store] index in
      do {
        try store.set("default", to: values[index % 2], accessibility: .afterFirstUnlock)
      } catch {
        XCTFail("\(error)")
      }
    }
    XCTAssertEqual(try store.list(), ["default"])
    XCTAssertTrue(values.contains(try XCTUnwrap(store.get("default"))))
  }

  private func accessibleOfTheItem() throws -> String? {
    let query: [String: Any] = [
      kSecClass as String: kSecClassGenericPassword, kSecAttrService as String: store.service,
      kSecReturnAttributes as String: true,
    ]
    var found: CFTypeRef?
    XCTAssertEqual(SecItemCopyMatching(query as CFDictionary, &found), errSecSuccess)
    return (found as? [String: Any])?[kSecAttrAccessible as String] as? String
  }
}
