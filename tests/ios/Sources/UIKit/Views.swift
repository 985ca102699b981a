// A stand-in for Apple's UIKit: the names that Tauri's sources compile against.
@_exported import Foundation

public final class UIView: NSObject {
  public var center = CGPoint.zero
}

public enum UIPopoverArrowDirection: Sendable {
  case up
}

public final class UIPopoverPresentationController: NSObject {
  public var sourceRect = CGRect.zero
  public var sourceView: UIView?
  public var permittedArrowDirections = UIPopoverArrowDirection.up
}

public final class UIViewController: NSObject {
  public var view: UIView! = UIView()
  public var popoverPresentationController: UIPopoverPresentationController?
}

/// `Darwin.pipe` in Tauri's sources.
public enum Darwin {
  public static func pipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 {
    Foundation.pipe(ends)
  }
}
