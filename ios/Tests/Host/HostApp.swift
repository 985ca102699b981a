// The empty app that the device tests run in.
import UIKit

@main
final class HostApp: UIResponder, UIApplicationDelegate {}
