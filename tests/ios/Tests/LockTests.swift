// A device that is locked, or was not unlocked since its start: nothing is taken for absent, and nothing is lost.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class LockTests: KeychainTestCase {
  func test_P1_before_the_first_unlock_a_read_is_locked_and_later_succeeds() {
    assertSuccess(app.set(value))
    keychain.device = .neverUnlocked
    assertRejected(app.get(), .locked, "-25308")
    assertRejected(app.list(), .locked, "-25308")
    keychain.device = .locked
    assertFound(value, app.get())
    XCTAssertEqual(app.list().accounts, ["default"])
  }

  func test_P2_before_the_first_unlock_a_write_is_locked_and_changes_nothing() {
    assertSuccess(app.set(value))
    keychain.device = .neverUnlocked
    assertRejected(app.set(newer), .locked)
    assertRejected(app.set("work", newer), .locked)
    keychain.device = .unlocked
    assertFound(value, app.get())
    assertAbsent(app.get("work"))
  }

  func test_the_default_class_reads_and_writes_in_the_background_of_a_locked_device() {
    assertSuccess(app.set(value))
    keychain.device = .locked
    assertFound(value, app.get())
    assertSuccess(app.set(newer))
    assertFound(newer, app.get())
  }

  func test_P1_the_stricter_class_is_locked_with_the_device() {
    assertSuccess(app.set("default", value, ["accessibility": "when-unlocked"]))
    keychain.device = .locked
    assertRejected(app.get(), .locked)
    assertRejected(app.list(), .locked)
    assertRejected(app.set("default", newer, ["accessibility": "when-unlocked"]), .locked)
    XCTAssertEqual(app.info().json["state"] as? String, "locked")
    keychain.device = .unlocked
    assertFound(value, app.get())
  }

  func test_P1_one_locked_item_locks_the_list() {
    assertSuccess(app.set("background", value))
    assertSuccess(app.set("unlocked", value, ["accessibility": "when-unlocked"]))
    keychain.device = .locked
    assertRejected(app.list(), .locked)
    assertFound(value, app.get("background"))
  }

  func test_P3_a_locked_device_can_sign_out() {
    assertSuccess(app.set(value))
    keychain.device = .neverUnlocked
    assertSuccess(app.delete())
    keychain.device = .unlocked
    assertAbsent(app.get())
  }

  func test_the_info_says_locked_although_nothing_is_stored() {
    keychain.device = .neverUnlocked
    let answer = app.info()
    XCTAssertEqual(answer.json["state"] as? String, "locked")
    XCTAssertTrue((answer.json["detail"] as? String)?.contains("-25308") == true)
    keychain.device = .locked
    XCTAssertEqual(app.info().json["state"] as? String, "available")
  }

  func test_the_trial_write_of_the_info_leaves_nothing_and_is_not_listed() {
    keychain.beforeNext(.delete) { [keychain] in XCTAssertEqual(keychain.items.count, 1) }
    XCTAssertEqual(app.info().json["state"] as? String, "available")
    XCTAssertEqual(keychain.items.count, 0)
    keychain.failNext(.delete, with: errSecNotAvailable)
    XCTAssertEqual(app.info().json["state"] as? String, "unavailable")
    XCTAssertEqual(app.list().accounts, [])
    XCTAssertEqual(app.info().json["state"] as? String, "available")
    XCTAssertEqual(keychain.items.count, 0)
  }
}
