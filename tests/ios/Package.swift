// swift-tools-version:6.0
// The test build for Linux. `scripts/lib/ios-package.mjs` adds Tauri's Swift sources and those of `ios/`.
import PackageDescription

let ours: [SwiftSetting] = [.swiftLanguageMode(.v6), .unsafeFlags(["-warnings-as-errors"])]
let taken: [SwiftSetting] = [.swiftLanguageMode(.v5), .unsafeFlags(["-suppress-warnings"])]

let package = Package(
  name: "secure-token-ios-tests",
  targets: [
    .systemLibrary(name: "os"),
    .target(name: "SwiftRs", swiftSettings: ours),
    .target(name: "UIKit", dependencies: ["os"], swiftSettings: ours),
    .target(name: "WebKit", dependencies: ["UIKit"], swiftSettings: ours),
    .target(name: "Security", swiftSettings: ours),
    .target(name: "Tauri", dependencies: ["SwiftRs", "UIKit", "WebKit", "os"], swiftSettings: taken),
    .target(name: "SecureToken", dependencies: ["Tauri", "Security", "UIKit"], swiftSettings: ours),
    .testTarget(
      name: "SecureTokenTests", dependencies: ["SecureToken", "Tauri", "SwiftRs", "Security", "UIKit"],
      path: "Tests", swiftSettings: ours),
  ]
)
