// A stand-in for the Swift part of swift-rs: the one class that Tauri's sources name.

/// A text that crosses from Rust.
public final class SRString {
  private let text: String

  public init(_ text: String) {
    self.text = text
  }

  public func toString() -> String {
    text
  }
}
