// What breaks the rules is refused before the Keychain is asked for anything.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class RequestTests: KeychainTestCase {
  private let full: [String: [String: Any]] = [
    "get": App.payload(["account": "default"]),
    "set": App.writing("default", value),
    "delete": App.payload(["account": "default"]),
    "list": App.payload([:]),
    "info": App.payload([:]),
  ]

  override func tearDown() {
    super.tearDown()
    XCTAssertEqual(keychain.items.count, 0)
  }

  private func assertRefused(
    _ answer: Answer, _ code: ErrorCode = .invalidArgument, _ part: String = "", line: UInt = #line
  ) {
    assertRejected(answer, code, part, line: line)
    XCTAssertEqual(keychain.calls.count, 0, line: line)
  }

  func test_the_shared_rules_for_accounts_hold() throws {
    let rules: [AccountRule] = try fixture("account-rules.json")
    XCTAssertGreaterThan(rules.count, 20)
    for rule in rules {
      let account = rule.text
      keychain.forgetCalls()
      if rule.valid {
        assertSuccess(app.set(account, value))
        assertFound(value, app.get(account))
        XCTAssertEqual(app.list().accounts, [account], rule.name)
        assertSuccess(app.delete(account))
      } else {
        assertRefused(app.set(account, value), .invalidArgument, "account")
        assertRefused(app.get(account), .invalidArgument, "account")
        assertRefused(app.delete(account), .invalidArgument, "account")
      }
    }
  }

  func test_every_field_is_needed() {
    for (command, payload) in full {
      for field in payload.keys {
        assertRefused(app.send(command, payload.filter { $0.key != field }), .invalidArgument, field)
      }
    }
  }

  func test_null_is_refused_for_every_field() {
    for (command, payload) in full {
      for field in payload.keys.sorted() + ["accessGroup"] {
        assertRefused(app.send(command, payload.merging([field: NSNull()]) { $1 }), .invalidArgument, field)
      }
    }
  }

  func test_a_wrong_type_is_refused_for_every_field() {
    for (command, payload) in full {
      for field in payload.keys.sorted() + ["accessGroup"] {
        for wrong in [7, ["a"], ["a": "b"], "true"] as [Any] where field == "clearOnReinstall" || !(wrong is String) {
          assertRefused(app.send(command, payload.merging([field: wrong]) { $1 }), .invalidArgument, field)
        }
      }
    }
  }

  func test_a_number_is_not_a_flag_and_a_flag_is_not_text() {
    for number in [0, 1] {
      assertRefused(app.list(["clearOnReinstall": number]), .invalidArgument, "clearOnReinstall")
    }
    assertRefused(app.get("a", ["service": true]), .invalidArgument, "service")
  }

  func test_a_field_that_is_not_known_is_refused() {
    for (command, payload) in full {
      assertRefused(app.send(command, payload.merging(["strongBox": false]) { $1 }), .invalidArgument, "not know")
    }
    assertRefused(app.get("a", ["value": value]))
    assertRefused(app.list(["account": "a"]))
  }

  func test_what_is_not_an_object_is_refused() {
    for payload in ["null", "[]", "\"text\"", "7", "", "{", "{\"service\":}"] {
      for command in full.keys {
        assertRefused(app.send(command, raw: payload), .invalidArgument, "not a JSON object")
      }
    }
  }

  func test_a_service_has_1_to_255_bytes() {
    for service in ["", String(repeating: "a", count: 256), String(repeating: "é", count: 128)] {
      for (command, payload) in full {
        assertRefused(app.send(command, payload.merging(["service": service]) { $1 }), .invalidArgument, "service")
      }
    }
    assertAbsent(app.get("a", ["service": String(repeating: "a", count: 255)]))
  }

  func test_an_empty_access_group_is_refused() {
    assertRefused(app.get("a", ["accessGroup": ""]), .invalidArgument, "accessGroup")
  }

  func test_a_value_is_printable_ASCII_without_spaces() {
    for wrong in ["", " ", "a b", "a\n", "a\u{0}b", "\u{1f}", "\u{7f}", "Łódź", "a\u{e9}"] {
      assertRefused(app.set(wrong), .invalidArgument, "value")
    }
  }

  func test_an_accessibility_is_one_of_two() {
    for wrong in ["", "always", "When-Unlocked", "after-first-unlock "] {
      assertRefused(app.set("a", value, ["accessibility": wrong]), .invalidArgument, "accessibility")
    }
  }

  func test_a_value_over_17_MiB_is_too_large() {
    // Written by hand: Foundation for Linux takes seconds for such a text.
    let limit = 17 * 1024 * 1024
    let empty = App.json(App.writing("default", "VALUE"))
    func set(_ length: Int) -> Answer {
      app.send("set", raw: empty.replacingOccurrences(of: "VALUE", with: String(repeating: "a", count: length)))
    }
    assertRefused(set(limit + 1), .tooLarge, "value")
    assertSuccess(set(limit))
    XCTAssertEqual(keychain.items.first?.value.count, limit)
    assertSuccess(app.delete())
  }

  func test_a_refusal_of_a_write_leaves_the_old_value() {
    assertSuccess(app.set(value))
    keychain.forgetCalls()
    assertRefused(app.set("a b"))
    assertFound(value, app.get())
    assertSuccess(app.delete())
  }
}
