// A stand-in for the calls by selector of the Objective-C runtime, which Linux does not have.
import Foundation

public struct Selector: Sendable {
  public let name: String

  public init(_ name: String) {
    self.name = name
  }
}

/// A class with commands; the test build derives the table from the `@objc` lines of the plugin.
public protocol Commands {
  func command(_ selector: String) -> ((NSObject) -> Void)?
}

public typealias IMP = OpaquePointer

extension NSObject {
  public func responds(to selector: Selector) -> Bool {
    command(selector) != nil
  }

  public func perform(_ selector: Selector, with argument: NSObject) {
    command(selector)?(argument)
  }

  /// Tauri asks only for methods with a second argument, and the table has none.
  public func method(for selector: Selector) -> IMP {
    fatalError("no implementation of \(selector.name)")
  }

  private func command(_ selector: Selector) -> ((NSObject) -> Void)? {
    (self as? any Commands)?.command(selector.name)
  }
}
