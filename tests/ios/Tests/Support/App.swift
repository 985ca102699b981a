// An app as Rust sees it: commands go through Tauri's plugin manager, JSON in and JSON out.
import Foundation
import SwiftRs
import Tauri
import XCTest

@testable import SecureToken

/// What came back for one command.
struct Answer: Sendable {
  let resolved: Bool
  let text: String

  var json: NSDictionary {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? NSDictionary ?? [:]
  }

  var code: String? { resolved ? nil : json["code"] as? String }
  var message: String { json["message"] as? String ?? "" }
  var value: String? { json["value"] as? String }
  var accounts: [String] { (json["accounts"] as? [String] ?? []).sorted() }
}

/// Collects the answers by the id that Rust gave the command.
final class Inbox: @unchecked Sendable {
  static let shared = Inbox()

  private let condition = NSCondition()
  private var answers: [Int: [Answer]] = [:]
  private var lastId = 0

  func nextId() -> Int {
    condition.withLock {
      lastId += 1
      return lastId
    }
  }

  func put(_ id: Int, _ answer: Answer) {
    condition.withLock {
      answers[id, default: []].append(answer)
      condition.broadcast()
    }
  }

  func wait(for id: Int) -> Answer? {
    let deadline = Date() + 60
    return condition.withLock {
      while answers[id] == nil {
        guard condition.wait(until: deadline) else { return nil }
      }
      return answers[id]?.first
    }
  }

  func count(of id: Int) -> Int {
    condition.withLock { answers[id]?.count ?? 0 }
  }
}

/// One install of the app, with a plugin of its own in Tauri's manager.
final class App: Sendable {
  static let service = "com.example.app"

  let folder: URL
  private let name: String

  /// - Parameter folder: the container of an install that is there already.
  init(folder: URL? = nil) {
    self.folder = folder ?? FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    name = "secure-token-\(UUID().uuidString)"
    registerPlugin(
      name: SRString(name), plugin: SecureTokenPlugin(marker: InstallMarker(file: marker)), config: SRString("{}"),
      webview: nil)
  }

  var marker: URL {
    folder.appendingPathComponent("Application Support").appendingPathComponent("installed")
  }

  /// Sends a command without waiting for its answer.
  func send(_ command: String, _ payload: String) -> Int {
    let id = Inbox.shared.nextId()
    runCommand(
      id: id, name: SRString(name), command: SRString(command), data: SRString(payload),
      callback: { id, resolved, json in
        Inbox.shared.put(id, Answer(resolved: resolved, text: String(cString: json)))
      },
      sendChannelData: { _, _ in })
    return id
  }

  /// Sends a command, waits for its answer, and makes sure that no second one comes: what is sent afterwards to the
  /// same queue is answered when everything before it is over.
  func send(_ command: String, raw payload: String, file: StaticString = #filePath, line: UInt = #line) -> Answer {
    let id = send(command, payload)
    guard let answer = Inbox.shared.wait(for: id) else {
      XCTFail("\(command) was not answered", file: file, line: line)
      return Answer(resolved: false, text: "{}")
    }
    XCTAssertNotNil(Inbox.shared.wait(for: send("isTheQueueEmpty", "{}")), file: file, line: line)
    XCTAssertEqual(Inbox.shared.count(of: id), 1, "answers to \(command)", file: file, line: line)
    return answer
  }

  func send(_ command: String, _ payload: [String: Any], file: StaticString = #filePath, line: UInt = #line) -> Answer {
    send(command, raw: App.json(payload), file: file, line: line)
  }

  // MARK: The commands with all that Rust sends along

  func get(_ account: String = "default", _ options: [String: Any] = [:]) -> Answer {
    send("get", App.payload(["account": account], options))
  }

  func set(_ value: String) -> Answer {
    set("default", value)
  }

  func set(_ account: String, _ value: String, _ options: [String: Any] = [:]) -> Answer {
    send("set", App.writing(account, value, options))
  }

  func delete(_ account: String = "default", _ options: [String: Any] = [:]) -> Answer {
    send("delete", App.payload(["account": account], options))
  }

  func list(_ options: [String: Any] = [:]) -> Answer {
    send("list", App.payload([:], options))
  }

  func info(_ options: [String: Any] = [:]) -> Answer {
    send("info", App.payload([:], options))
  }

  static func writing(_ account: String, _ value: String, _ options: [String: Any] = [:]) -> [String: Any] {
    payload(["account": account, "value": value, "accessibility": "after-first-unlock"], options)
  }

  static func payload(_ fields: [String: Any], _ options: [String: Any] = [:]) -> [String: Any] {
    let common: [String: Any] = ["service": service, "clearOnReinstall": false]
    return common.merging(fields) { $1 }.merging(options) { $1 }
  }

  static func json(_ payload: [String: Any]) -> String {
    guard let data = try? JSONSerialization.data(withJSONObject: payload) else { fatalError("not JSON: \(payload)") }
    return String(decoding: data, as: UTF8.self)
  }
}
