// What the statuses of the Keychain become, and that only one of them means that there is nothing.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class StatusTests: KeychainTestCase {
  private let table: [(status: OSStatus, code: ErrorCode)] = [
    (errSecInteractionNotAllowed, .locked),
    (errSecInteractionRequired, .locked),
    (errSecMissingEntitlement, .misconfigured),
    (errSecUserCanceled, .denied),
    (errSecAuthFailed, .denied),
    (errSecNotAvailable, .unavailable),
    (errSecDecode, .corrupt),
    (errSecParam, .internal),
    (-909, .internal),
  ]

  func test_the_codes_are_those_of_the_shared_fixture() throws {
    struct Entry: Decodable { let code: String }
    let shared: [Entry] = try fixture("error-codes.json")
    XCTAssertEqual(ErrorCode.allCases.map(\.rawValue), shared.map(\.code))
  }

  func test_P1_a_read_that_fails_is_an_error_with_the_number() {
    plant("default", value)
    for (status, code) in table {
      keychain.failNext(.copyMatching, with: status)
      assertRejected(app.get(), code, "\(status)")
    }
    assertFound(value, app.get())
  }

  func test_P1_only_not_found_means_absent() {
    plant("default", value)
    keychain.failNext(.copyMatching, with: errSecItemNotFound)
    assertAbsent(app.get())
  }

  func test_a_write_that_fails_is_an_error_with_the_number() {
    for (status, code) in table {
      keychain.failNext(.update, with: status)
      assertRejected(app.set(value), code, "\(status)")
      keychain.failNext(.add, with: status)
      assertRejected(app.set(value), code, "\(status)")
    }
    XCTAssertEqual(keychain.items.count, 0)
  }

  func test_P3_a_removal_that_fails_is_an_error_with_the_number() {
    plant("default", value)
    for (status, code) in table {
      keychain.failNext(.delete, with: status)
      assertRejected(app.delete(), code, "\(status)")
    }
    XCTAssertEqual(keychain.items.count, 1)
  }

  func test_P1_a_list_that_fails_is_an_error_with_the_number() {
    plant("default", value)
    for (status, code) in table {
      keychain.failNext(.copyMatching, with: status)
      assertRejected(app.list(), code, "\(status)")
    }
  }

  func test_a_success_without_a_result_is_an_error() {
    plant("default", value)
    keychain.failNext(.copyMatching, with: errSecSuccess)
    assertRejected(app.get(), .corrupt)
    keychain.failNext(.copyMatching, with: errSecSuccess)
    assertRejected(app.list(), .internal)
  }

  func test_the_info_tells_every_failure_and_rejects_none() {
    for (status, code) in table {
      keychain.failNext(.add, with: status)
      let answer = app.info()
      XCTAssertTrue(answer.resolved)
      XCTAssertEqual(answer.json["state"] as? String, code == .locked ? "locked" : "unavailable")
      XCTAssertTrue((answer.json["detail"] as? String)?.contains("\(status)") == true)
    }
  }

  func test_without_an_entitlement_every_command_is_misconfigured() {
    keychain.groups = []
    for answer in [app.get(), app.set(value), app.delete(), app.list()] {
      assertRejected(answer, .misconfigured, "-34018")
    }
    XCTAssertEqual(app.info().json["state"] as? String, "unavailable")
  }
}
