// A test that starts with an empty, unlocked keychain and a fresh install.
import Foundation
import Security
import XCTest

@testable import SecureToken

let value = "secure-token.v1.eyJ0b2tlbiI6Im9wYXF1ZSJ9.00000000"
let newer = "secure-token.v1.eyJ0b2tlbiI6Im5ld2VyIn0.11111111"

class KeychainTestCase: XCTestCase {
  let keychain = StandInKeychain.shared
  private(set) var app = App()

  override func setUp() {
    keychain.reset()
    app = App()
  }

  override func tearDown() {
    try? FileManager.default.removeItem(at: app.folder)
  }

  /// An item that another program, or an earlier version of the app, has put there.
  func plant(
    _ account: Any?, _ value: String, service: String = App.service, accessible: CFString? = nil,
    group: String? = nil, synchronizable: Bool = false
  ) {
    var item: [String: Any] = [
      kSecClass as String: kSecClassGenericPassword,
      kSecAttrService as String: service,
      kSecAttrSynchronizable as String: synchronizable,
      kSecValueData as String: Data(value.utf8),
    ]
    item[kSecAttrAccount as String] = account
    item[kSecAttrAccessible as String] = accessible ?? kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
    item[kSecAttrAccessGroup as String] = group
    XCTAssertEqual(SecItemAdd(item as CFDictionary, nil), errSecSuccess)
    keychain.forgetCalls()
  }

  func assertSuccess(_ answer: Answer, file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertEqual(answer.text, "{}", file: file, line: line)
    XCTAssertTrue(answer.resolved, file: file, line: line)
  }

  func assertFound(_ expected: String, _ answer: Answer, file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertTrue(answer.resolved, answer.message, file: file, line: line)
    XCTAssertEqual(answer.json, ["found": true, "value": expected], file: file, line: line)
  }

  func assertAbsent(_ answer: Answer, file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertTrue(answer.resolved, answer.message, file: file, line: line)
    XCTAssertEqual(answer.json, ["found": false], file: file, line: line)
  }

  func assertRejected(
    _ answer: Answer, _ code: ErrorCode, _ part: String = "", file: StaticString = #filePath, line: UInt = #line
  ) {
    XCTAssertFalse(answer.resolved, file: file, line: line)
    XCTAssertEqual(answer.code, code.rawValue, answer.message, file: file, line: line)
    XCTAssertEqual(Set(answer.json.allKeys.compactMap { $0 as? String }), ["code", "message"], file: file, line: line)
    XCTAssertTrue(part.isEmpty || answer.message.contains(part), answer.message, file: file, line: line)
  }

  func fixture<Content: Decodable>(_ name: String) throws -> Content {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let data = try Data(contentsOf: package.appendingPathComponent("fixtures/\(name)"))
    return try JSONDecoder().decode(Content.self, from: data)
  }
}
