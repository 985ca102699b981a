// Tells a new install from an old one: Keychain items outlive the app, a file in its container does not.
import Foundation

/// An empty file that says that this install has used the store.
///
/// A file and not an entry of `UserDefaults`: before the first unlock those answer "absent" where they mean
/// "unreadable", while the name of a file can be looked up at any time.
struct InstallMarker: Sendable {
  let file: URL

  /// In Application Support, which goes with the app and comes back with its backup.
  static let ofThisInstall = InstallMarker(
    file: FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)[0]
      .appendingPathComponent("app.secure_token", isDirectory: true)
      .appendingPathComponent("installed", isDirectory: false))

  /// Removes what an earlier install has left, if that is asked for, before this one reads or writes anything.
  ///
  /// Nothing is removed before the device was unlocked once: too little can be known of it until then. While it
  /// waits for that, a first launch of a new install is answered `locked`.
  func settle(_ store: KeychainStore, clearing: Bool) throws(StoreError) {
    guard isAbsent else { return }
    guard clearing else {
      // Left all the same, so that an update of the app that asks for clearing logs nobody out. The command
      // succeeds without it, and the next one tries again.
      try? leave()
      return
    }
    try store.checkFirstUnlock()
    try store.deleteAll()
    do {
      try leave()
    } catch {
      let cause = error as NSError
      throw StoreError(.internal, "the mark of this install cannot be written: \(cause.domain) \(cause.code)")
    }
  }

  /// Whether the file is known not to be there; a file that cannot be looked up is no such knowledge.
  private var isAbsent: Bool {
    file.withUnsafeFileSystemRepresentation { path in
      guard let path else { return false }
      return access(path, F_OK) != 0 && errno == ENOENT
    }
  }

  private func leave() throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data().write(to: file)
  }
}
