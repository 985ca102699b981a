// Items that other code has put under the app's service: they neither fail a list nor show up in it.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class ForeignItemTests: KeychainTestCase {
  func test_an_account_that_breaks_the_rules_is_not_listed_and_fails_no_list() throws {
    let rules: [AccountRule] = try fixture("account-rules.json")
    let broken = rules.filter { !$0.valid }.map(\.text)
    XCTAssertGreaterThan(broken.count, 10)
    for account in broken { plant(account, "theirs") }
    XCTAssertEqual(app.list().accounts, [])
    for account in ["work", "Łódź"] { assertSuccess(app.set(account, value)) }
    XCTAssertEqual(app.list().accounts, ["work", "Łódź"].sorted())
    XCTAssertEqual(keychain.items.filter { $0.value == Data("theirs".utf8) }.count, broken.count)
  }

  func test_every_account_that_keeps_the_rules_is_listed() throws {
    let rules: [AccountRule] = try fixture("account-rules.json")
    let valid = rules.filter(\.valid).map(\.text)
    for account in valid { plant(account, value) }
    XCTAssertEqual(app.list().accounts, valid.sorted())
  }

  func test_an_account_that_is_no_text_or_is_left_out_is_not_listed() {
    for account in [Data([0xff, 0xfe]), NSNumber(value: 7), nil] as [Any?] {
      keychain.reset()
      assertSuccess(app.set(value))
      plant(account, "theirs")
      XCTAssertEqual(keychain.items.count, 2)
      XCTAssertEqual(app.list().accounts, ["default"])
    }
  }

  func test_P1_a_foreign_item_under_an_account_of_ours_is_listed_and_corrupt() {
    plant("default", "not of this plugin")
    XCTAssertEqual(app.list().accounts, ["default"])
    assertRejected(app.get(), .corrupt)
  }

  func test_P1_a_list_that_fails_is_an_error_beside_foreign_items_too() {
    plant("", "theirs")
    keychain.failNext(.copyMatching, with: errSecInteractionNotAllowed)
    assertRejected(app.list(), .locked)
  }

  func test_an_account_in_two_groups_is_listed_once() {
    keychain.groups = ["TEAM.app", "TEAM.shared"]
    plant("default", value)
    plant("default", value, group: "TEAM.shared")
    XCTAssertEqual(app.list().accounts, ["default"])
  }

  func test_the_info_of_a_store_with_foreign_items_is_available() {
    plant("", "theirs")
    XCTAssertEqual(app.info().json["state"] as? String, "available")
  }

  func test_P3_a_removal_leaves_foreign_items_alone() {
    plant("", "theirs")
    assertSuccess(app.set(value))
    assertSuccess(app.delete())
    XCTAssertEqual(keychain.items.map(\.value), [Data("theirs".utf8)])
  }
}
