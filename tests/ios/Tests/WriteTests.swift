// How a write reaches the Keychain: update, add, update again; never removing first, never asking for accessibility.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class WriteTests: KeychainTestCase {
  private var functions: [StandInKeychain.Function] { keychain.calls.map(\.function) }

  func test_P2_an_item_that_is_there_is_updated_in_one_call() {
    plant("default", value)
    assertSuccess(app.set(newer))
    XCTAssertEqual(functions, [.update])
  }

  func test_P2_an_item_that_is_not_there_is_updated_then_added() {
    assertSuccess(app.set(value))
    XCTAssertEqual(functions, [.update, .add])
  }

  func test_P2_a_write_that_fails_leaves_the_old_value() {
    plant("default", value)
    keychain.failNext(.update, with: errSecNotAvailable)
    assertRejected(app.set(newer), .unavailable)
    XCTAssertEqual(functions, [.update])
    assertFound(value, app.get())
  }

  func test_P2_a_first_write_that_fails_leaves_nothing() {
    keychain.failNext(.add, with: errSecParam)
    assertRejected(app.set(value), .internal, "-50")
    assertAbsent(app.get())
  }

  func test_race_an_item_that_appears_before_it_is_added_is_updated() {
    keychain.beforeNext(.add) { [self] in addBehindTheBack("theirs") }
    assertSuccess(app.set(value))
    XCTAssertEqual(functions, [.update, .add, .update])
    assertFound(value, app.get())
  }

  func test_race_the_second_update_tells_its_own_failure() {
    keychain.beforeNext(.add) { [self] in
      addBehindTheBack("theirs")
      keychain.failNext(.update, with: errSecInteractionNotAllowed)
    }
    assertRejected(app.set(value), .locked, "-25308")
    assertFound("theirs", app.get())
  }

  func test_race_an_item_that_comes_and_goes_is_an_error_and_not_a_success() {
    keychain.failNext(.add, with: errSecDuplicateItem)
    assertRejected(app.set(value), .internal, "-25300")
    assertAbsent(app.get())
  }

  func test_accessibility_is_never_part_of_a_query() {
    _ = (app.set(value), app.set(newer), app.get(), app.list(), app.info(), app.delete())
    for call in keychain.calls where call.function != .add {
      XCTAssertNil(call.query[kSecAttrAccessible as String], "\(call.function)")
    }
  }

  func test_nothing_synchronises() {
    _ = (app.set(value), app.set(newer), app.get(), app.list(), app.info(), app.delete())
    for call in keychain.calls {
      XCTAssertEqual(call.query[kSecAttrSynchronizable as String] as? Bool, false, "\(call.function)")
      XCTAssertNil(call.changes[kSecAttrSynchronizable as String])
    }
  }

  func test_items_that_synchronise_are_not_seen() {
    plant("default", "theirs", synchronizable: true)
    assertAbsent(app.get())
    assertSuccess(app.set(value))
    assertSuccess(app.delete())
    XCTAssertEqual(app.list().accounts, [])
    XCTAssertEqual(keychain.items.map(\.synchronizable), [true])
  }

  func test_both_classes_stay_on_this_device() {
    assertSuccess(app.set("background", value, ["accessibility": "after-first-unlock"]))
    assertSuccess(app.set("unlocked", value, ["accessibility": "when-unlocked"]))
    XCTAssertEqual(
      keychain.items.map(\.accessible),
      [kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, kSecAttrAccessibleWhenUnlockedThisDeviceOnly])
  }

  func test_P7_an_item_of_another_class_is_read_and_takes_the_new_class_at_the_next_write() {
    let classes = [
      kSecAttrAccessibleWhenUnlocked, kSecAttrAccessibleAfterFirstUnlock,
      kSecAttrAccessibleWhenUnlockedThisDeviceOnly, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
    ]
    for (index, old) in classes.enumerated() {
      plant("\(index)", value, accessible: old)
      assertFound(value, app.get("\(index)"))
      XCTAssertEqual(keychain.items[index].accessible, old)
      assertSuccess(app.set("\(index)", newer))
      assertFound(newer, app.get("\(index)"))
      XCTAssertEqual(keychain.items[index].accessible, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly)
    }
    XCTAssertEqual(keychain.items.count, classes.count)
  }

  private func addBehindTheBack(_ text: String) {
    let item: [String: Any] = [
      kSecClass as String: kSecClassGenericPassword, kSecAttrService as String: App.service,
      kSecAttrAccount as String: "default", kSecValueData as String: Data(text.utf8),
      kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
    ]
    XCTAssertEqual(SecItemAdd(item as CFDictionary, nil), errSecSuccess)
    keychain.forgetLastCall()
  }
}
