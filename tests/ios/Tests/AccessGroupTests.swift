// An access group names where to look and to write; without one it is every group of the app, and its first.
import Security
import XCTest

@testable import SecureToken

final class AccessGroupTests: KeychainTestCase {
  private let shared = ["accessGroup": "TEAM.shared"]

  override func setUp() {
    super.setUp()
    keychain.groups = ["TEAM.app", "TEAM.shared"]
  }

  func test_without_a_group_the_first_of_the_app_is_written() {
    assertSuccess(app.set(value))
    XCTAssertEqual(keychain.items.map(\.group), ["TEAM.app"])
  }

  func test_a_group_is_used_by_every_command() {
    assertSuccess(app.set("default", value, shared))
    XCTAssertEqual(keychain.items.map(\.group), ["TEAM.shared"])
    assertFound(value, app.get("default", shared))
    XCTAssertEqual(app.list(shared).accounts, ["default"])
    XCTAssertEqual(app.info(shared).json["state"] as? String, "available")
    assertSuccess(app.delete("default", shared))
    XCTAssertEqual(keychain.items.count, 0)
    for call in keychain.calls {
      XCTAssertEqual(call.query[kSecAttrAccessGroup as String] as? String, "TEAM.shared")
    }
  }

  func test_items_of_another_group_are_not_seen() {
    plant("default", value)
    assertAbsent(app.get("default", shared))
    assertSuccess(app.delete("default", shared))
    XCTAssertEqual(app.list(shared).accounts, [])
    assertFound(value, app.get())
  }

  func test_a_group_without_the_entitlement_is_misconfigured() {
    let foreign = ["accessGroup": "TEAM.foreign"]
    let answers = [app.get("a", foreign), app.set("a", value, foreign), app.delete("a", foreign), app.list(foreign)]
    for answer in answers {
      assertRejected(answer, .misconfigured, "-34018")
    }
    XCTAssertEqual(app.info(foreign).json["state"] as? String, "unavailable")
  }
}
