// A stand-in for Apple's WebKit: the one class that Tauri's sources name.
@_exported import UIKit

public final class WKWebView: NSObject {}
