// What is stored is read again, replaced, listed and removed, and nothing else is touched.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class RoundTripTests: KeychainTestCase {
  func test_P2_what_was_acknowledged_is_read_again() {
    assertSuccess(app.set(value))
    assertFound(value, app.get())
  }

  func test_P2_another_start_of_the_app_reads_it_too() {
    assertSuccess(app.set(value))
    assertFound(value, App(folder: app.folder).get())
  }

  func test_P1_nothing_stored_is_absent() {
    assertAbsent(app.get())
  }

  func test_a_write_replaces_what_was_there() {
    assertSuccess(app.set(value))
    assertSuccess(app.set(newer))
    assertFound(newer, app.get())
    XCTAssertEqual(keychain.items.count, 1)
  }

  func test_P3_what_was_removed_is_absent() {
    assertSuccess(app.set(value))
    assertSuccess(app.delete())
    assertAbsent(app.get())
    XCTAssertEqual(keychain.items.count, 0)
  }

  func test_to_remove_what_is_absent_succeeds() {
    assertSuccess(app.delete())
    assertSuccess(app.delete())
  }

  func test_a_removed_account_can_be_stored_again() {
    assertSuccess(app.set(value))
    assertSuccess(app.delete())
    assertSuccess(app.set(newer))
    assertFound(newer, app.get())
  }

  func test_a_token_of_1_MiB_is_stored_whole() {
    let long = String(repeating: "0123456789abcdef", count: 65536)
    assertSuccess(app.set(long))
    XCTAssertEqual(app.get().value?.utf8.count, 1_048_576)
    assertFound(long, app.get())
  }

  func test_every_printable_character_survives() {
    let all = String(decoding: UInt8(0x21)...UInt8(0x7e), as: UTF8.self)
    assertSuccess(app.set(all))
    assertFound(all, app.get())
  }

  func test_accounts_beyond_ASCII_are_kept_apart_byte_by_byte() {
    let accounts = ["Łódź 東京 🔑", "caf\u{e9}", "cafe\u{301}", "CAFE", "cafe", "a:b|c\\d\"e'f*g?"]
    for (index, account) in accounts.enumerated() { assertSuccess(app.set(account, "value-\(index)")) }
    for (index, account) in accounts.enumerated() { assertFound("value-\(index)", app.get(account)) }
    XCTAssertEqual(app.list().accounts.map { Array($0.utf8) }, accounts.sorted().map { Array($0.utf8) })
  }

  func test_the_list_has_every_account_and_no_value() {
    for account in ["work", "default", "Łódź"] { assertSuccess(app.set(account, value)) }
    let answer = app.list()
    XCTAssertEqual(answer.accounts, ["default", "work", "Łódź"].sorted())
    XCTAssertEqual(answer.json.count, 1)
    XCTAssertFalse(answer.text.contains(value))
  }

  func test_the_list_of_an_empty_store_is_empty() {
    let answer = app.list()
    XCTAssertTrue(answer.resolved)
    XCTAssertEqual(answer.text, #"{"accounts":[]}"#)
  }

  func test_items_of_other_services_are_not_seen() {
    plant("default", "theirs", service: "com.example.other")
    plant("default", "theirs", service: "com.example.app.more")
    assertAbsent(app.get())
    XCTAssertEqual(app.list().accounts, [])
    assertSuccess(app.set("work", value))
    assertSuccess(app.delete())
    assertSuccess(app.delete("work"))
    XCTAssertEqual(keychain.items.map(\.value), [Data("theirs".utf8), Data("theirs".utf8)])
  }

  func test_only_the_account_that_is_meant_is_removed() {
    for account in ["a", "b"] { assertSuccess(app.set(account, value)) }
    assertSuccess(app.delete("a"))
    assertAbsent(app.get("a"))
    assertFound(value, app.get("b"))
  }

  func test_P1_an_item_that_is_not_ours_is_corrupt_and_kept() {
    for (account, content) in [("empty", ""), ("line", "a\nb"), ("space", "a b"), ("text", "Łódź"), ("control", "\u{7f}")] {
      plant(account, content)
      assertRejected(app.get(account), .corrupt)
      XCTAssertEqual(keychain.items.last?.value, Data(content.utf8))
      assertSuccess(app.set(account, value))
      assertFound(value, app.get(account))
    }
  }

  func test_the_store_says_what_it_is() {
    let answer = app.info()
    XCTAssertTrue(answer.resolved)
    XCTAssertEqual(
      answer.json,
      [
        "store": "iOS Keychain", "persistent": true, "durable": true, "hardware": true, "state": "available",
        "detail": "",
      ])
    XCTAssertEqual(keychain.items.count, 0)
  }
}
