// Two stores at once, as two threads or two windows would have them; run under the thread sanitizer too.
import Foundation
import Security
import XCTest

@testable import SecureToken

final class RaceTests: KeychainTestCase {
  private let stores = [
    KeychainStore(service: App.service, accessGroup: nil), KeychainStore(service: App.service, accessGroup: nil),
  ]
  private let rounds = 200

  func test_race_writers_leave_one_item_with_the_whole_value_of_one_of_them() throws {
    let values = ["first-" + String(repeating: "a", count: 4096), "second-" + String(repeating: "b", count: 4096)]
    DispatchQueue.concurrentPerform(iterations: rounds) { [stores] index in
      succeed { try stores[index % 2].set("default", to: values[index % 2], accessibility: .afterFirstUnlock) }
    }
    XCTAssertEqual(keychain.items.count, 1)
    XCTAssertTrue(values.contains(try XCTUnwrap(stores[0].get("default"))))
  }

  func test_race_readers_see_a_whole_value_or_none() {
    let whole = String(repeating: "x", count: 4096)
    DispatchQueue.concurrentPerform(iterations: rounds) { [stores] index in
      let store = stores[index % 2]
      do {
        switch index % 4 {
        case 0: try store.set("default", to: whole, accessibility: .afterFirstUnlock)
        case 1: try store.delete("default")
        default: if let found = try store.get("default") { XCTAssertEqual(found, whole) }
        }
      } catch {
        // Only this: added and removed again by others within one write.
        XCTAssertTrue((error as? StoreError)?.message.contains("-25300 to a write") == true, "\(error)")
      }
    }
  }

  func test_race_accounts_do_not_disturb_each_other() throws {
    DispatchQueue.concurrentPerform(iterations: rounds) { [stores] index in
      succeed { try stores[index % 2].set("account-\(index)", to: "value-\(index)", accessibility: .whenUnlocked) }
    }
    XCTAssertEqual(try stores[0].list().count, rounds)
    for index in 0..<rounds { XCTAssertEqual(try stores[1].get("account-\(index)"), "value-\(index)") }
  }

  func test_race_commands_from_many_threads_are_each_answered_once() {
    let app = self.app
    DispatchQueue.concurrentPerform(iterations: rounds) { index in
      let write = App.json(App.writing("a", "value-\(index)"))
      let id = app.send(index % 3 == 0 ? "get" : "set", index % 3 == 0 ? App.json(App.payload(["account": "a"])) : write)
      XCTAssertTrue(Inbox.shared.wait(for: id)?.resolved == true)
      XCTAssertEqual(Inbox.shared.count(of: id), 1)
    }
    XCTAssertEqual(keychain.items.count, 1)
  }

  func test_race_two_installs_mark_themselves_at_once() {
    let markers = [InstallMarker(file: app.marker), InstallMarker(file: app.marker)]
    DispatchQueue.concurrentPerform(iterations: rounds) { [stores] index in
      succeed { try markers[index % 2].settle(stores[index % 2], clearing: index % 2 == 0) }
    }
    XCTAssertTrue(FileManager.default.fileExists(atPath: app.marker.path))
    XCTAssertEqual(keychain.items.count, 0)
  }
}

private func succeed(_ action: () throws -> Void) {
  do { try action() } catch { XCTFail("\(error)") }
}
