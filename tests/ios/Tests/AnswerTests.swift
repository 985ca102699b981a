// Every command is answered exactly once, and its answer tells no token.
import Foundation
import Security
import UIKit
import XCTest

@testable import SecureToken

final class AnswerTests: KeychainTestCase {
  private let commands = ["get", "set", "delete", "list", "info"]
  private let canary = "secure-token.v1.canary-4f1d8a.00000000"

  /// `App.send` counts the answers to every command of every test; here all of them are on their way at once.
  func test_P6_every_command_is_answered_exactly_once() {
    keychain.failNext(.delete, with: errSecNotAvailable)
    let sent = (0..<200).map { index in
      let payload = index % 2 == 0 ? App.json(App.writing("a", value)) : App.json(App.payload(["account": "a"]))
      return app.send(commands[index % commands.count], payload)
    }
    for id in sent { XCTAssertNotNil(Inbox.shared.wait(for: id)) }
    XCTAssertNotNil(Inbox.shared.wait(for: app.send("isTheQueueEmpty", "{}")))
    XCTAssertEqual(sent.map { Inbox.shared.count(of: $0) }, sent.map { _ in 1 })
  }

  func test_P6_a_command_is_answered_on_the_queue_that_called_it() {
    keychain.beforeNext(.copyMatching) { [app] in
      let later = app.send("isTheQueueEmpty", "{}")
      XCTAssertEqual(Inbox.shared.count(of: later), 0)
    }
    assertAbsent(app.get())
  }

  func test_a_command_that_is_not_there_is_rejected() {
    let answer = app.send("setToken", raw: "{}")
    XCTAssertFalse(answer.resolved)
    XCTAssertNil(answer.code)
  }

  func test_the_plugin_is_made_by_its_init_function() {
    XCTAssertTrue(initPlugin() is SecureTokenPlugin)
  }

  func test_the_mark_is_in_Application_Support() {
    XCTAssertEqual(InstallMarker.ofThisInstall.file.pathComponents.suffix(2), ["app.secure_token", "installed"])
  }

  func test_P4_no_answer_but_that_to_a_read_has_a_stored_value() {
    assertSuccess(app.set(canary))
    var answers = [app.set(canary), app.list(), app.info(), app.set("a\n", canary), app.set(canary + " ")]
    answers += [app.set("a", canary, ["accessibility": canary]), app.set("a", canary, [canary: canary])]
    answers += [app.send("set", raw: canary), app.send("set", raw: "{\"service\":\"\(canary)"), app.get(canary, ["value": canary])]
    for function in [StandInKeychain.Function.update, .copyMatching, .delete] {
      keychain.failNext(function, with: errSecParam)
    }
    answers += [app.set(canary), app.get(), app.delete()]
    for answer in answers { XCTAssertFalse(answer.text.contains("canary"), answer.text) }
    assertFound(canary, app.get())
  }

  func test_P4_nothing_is_logged_or_printed() throws {
    let printed = try printedWhile {
      assertSuccess(app.set(canary))
      assertFound(canary, app.get())
      _ = (app.list(), app.info(), app.set("a\n", canary), app.send("set", raw: canary))
      keychain.failNext(.update, with: errSecParam)
      _ = (app.set(canary), app.get("none"))
      keychain.device = .neverUnlocked
      _ = (app.get(), app.set(canary), app.delete())
    }
    XCTAssertEqual(printed, "")
    XCTAssertEqual(LogBook.shared.text, "")
  }

  /// What reaches standard output and standard error meanwhile.
  private func printedWhile(_ action: () -> Void) throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    XCTAssertTrue(FileManager.default.createFile(atPath: file.path, contents: nil))
    defer { try? FileManager.default.removeItem(at: file) }
    let handle = try FileHandle(forWritingTo: file)
    fflush(nil)
    let saved = [dup(1), dup(2)]
    dup2(handle.fileDescriptor, 1)
    dup2(handle.fileDescriptor, 2)
    action()
    fflush(nil)
    for (target, descriptor) in zip([Int32(1), 2], saved) {
      dup2(descriptor, target)
      close(descriptor)
    }
    return try String(contentsOf: file, encoding: .utf8)
  }
}
