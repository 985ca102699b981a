// A stand-in for Apple's unified log that keeps what was logged, for the tests to search.
import Foundation

public struct OSLogType: Sendable {
  public static let `default` = OSLogType()
  public static let info = OSLogType()
  public static let debug = OSLogType()
  public static let error = OSLogType()
}

public final class OSLog: Sendable {
  public init(subsystem: String, category: String) {}
}

public func os_log(_ format: StaticString, log: OSLog, type: OSLogType, _ text: String) {
  LogBook.shared.write(text)
}

/// Everything that was logged.
public final class LogBook: @unchecked Sendable {
  public static let shared = LogBook()

  private let lock = NSLock()
  private var lines: [String] = []

  public var text: String {
    lock.withLock { lines.joined(separator: "\n") }
  }

  func write(_ line: String) {
    lock.withLock { lines.append(line) }
  }
}
