// Keychain items outlive the app: what a new install does with those of an earlier one.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class ReinstallTests: KeychainTestCase {
  private let clearing = ["clearOnReinstall": true]

  private func install() -> App {
    let app = App()
    addTeardownBlock { [folder = app.folder] in try? FileManager.default.removeItem(at: folder) }
    return app
  }

  func test_a_new_install_keeps_the_items_unless_it_asks_for_clearing() {
    assertSuccess(app.set(value))
    assertFound(value, install().get())
  }

  func test_a_new_install_that_asks_for_clearing_finds_nothing() {
    assertSuccess(app.set(value))
    assertSuccess(app.set("work", value))
    assertAbsent(install().get("default", clearing))
    XCTAssertEqual(keychain.items.count, 0)
  }

  func test_every_command_clears_before_it_acts() {
    let commands: [(App) -> Answer] = [
      { $0.get("default", ["clearOnReinstall": true]) }, { $0.delete("other", ["clearOnReinstall": true]) },
      { $0.list(["clearOnReinstall": true]) }, { $0.set("work", newer, ["clearOnReinstall": true]) },
    ]
    for command in commands {
      plant("default", value)
      XCTAssertTrue(command(install()).resolved)
      XCTAssertFalse(keychain.items.contains { $0.account == "default" })
    }
    XCTAssertEqual(keychain.items.map(\.account), ["work"])
  }

  func test_P7_an_install_clears_once_and_never_its_own_items() {
    assertSuccess(app.set("default", value, clearing))
    assertFound(value, app.get("default", clearing))
    assertFound(value, App(folder: app.folder).get("default", clearing))
    XCTAssertEqual(App(folder: app.folder).list(clearing).accounts, ["default"])
  }

  func test_P7_an_update_that_starts_to_ask_for_clearing_logs_nobody_out() {
    assertSuccess(app.set(value))
    assertFound(value, App(folder: app.folder).get("default", clearing))
  }

  func test_P7_a_read_alone_marks_an_install_that_does_not_ask_for_clearing() {
    plant("default", value)
    assertFound(value, app.get())
    assertFound(value, App(folder: app.folder).get("default", clearing))
  }

  func test_nothing_is_cleared_before_the_first_unlock() {
    plant("default", value)
    let fresh = install()
    keychain.device = .neverUnlocked
    assertRejected(fresh.get("default", clearing), .locked, "-25308")
    assertRejected(fresh.delete("other", clearing), .locked)
    assertRejected(fresh.list(clearing), .locked)
    assertRejected(fresh.set("other", newer, clearing), .locked)
    XCTAssertEqual(keychain.items.map(\.value), [Data(value.utf8)])
    XCTAssertFalse(FileManager.default.fileExists(atPath: fresh.marker.path))
    keychain.device = .locked
    assertAbsent(fresh.get("default", clearing))
    XCTAssertEqual(keychain.items.count, 0)
  }

  func test_P7_an_early_start_of_an_old_install_clears_nothing() {
    assertSuccess(app.set("default", value, clearing))
    keychain.device = .neverUnlocked
    assertRejected(App(folder: app.folder).get("default", clearing), .locked)
    keychain.device = .unlocked
    assertFound(value, App(folder: app.folder).get("default", clearing))
  }

  func test_P7_a_mark_that_cannot_be_looked_up_is_not_taken_for_absent() throws {
    plant("default", value)
    let fresh = install()
    let parent = fresh.marker.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: fresh.folder, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: parent, withDestinationURL: parent)
    assertFound(value, fresh.get("default", clearing))
  }

  func test_a_clearing_that_fails_is_told_and_tried_again() {
    plant("default", value)
    let fresh = install()
    // The first removal is that of the trial write.
    keychain.beforeNext(.delete) { [keychain] in
      keychain.beforeNext(.delete) { keychain.failNext(.delete, with: errSecNotAvailable) }
    }
    assertRejected(fresh.get("default", clearing), .unavailable, "-25291")
    XCTAssertFalse(FileManager.default.fileExists(atPath: fresh.marker.path))
    assertAbsent(fresh.get("default", clearing))
  }

  func test_a_mark_that_cannot_be_written_is_told_only_where_it_matters() throws {
    let fresh = install()
    // A link to nowhere: the mark is absent, and no folder can be made in its place.
    try FileManager.default.createDirectory(at: fresh.folder, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: fresh.marker.deletingLastPathComponent().path, withDestinationPath: "/proc/nowhere/at/all")
    assertRejected(fresh.set("default", value, clearing), .internal, "mark of this install")
    assertSuccess(fresh.set(value))
  }

  func test_only_the_own_service_and_group_are_cleared() {
    keychain.groups = ["TEAM.app", "TEAM.shared"]
    plant("default", value)
    plant("default", value, group: "TEAM.shared")
    plant("default", value, service: "com.example.other", group: "TEAM.shared")
    assertAbsent(install().get("default", ["clearOnReinstall": true, "accessGroup": "TEAM.shared"]))
    XCTAssertEqual(keychain.items.map(\.group), ["TEAM.app", "TEAM.shared"])
    XCTAssertEqual(keychain.items.map(\.service), [App.service, "com.example.other"])
  }

  func test_the_info_clears_nothing() {
    plant("default", value)
    XCTAssertEqual(install().info(clearing).json["state"] as? String, "available")
    XCTAssertEqual(keychain.items.count, 1)
  }
}
