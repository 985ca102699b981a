// swift-tools-version:5.3
// The Swift package that Tauri links into an iOS app; the build of the crate puts `../.tauri/tauri-api` there.
import PackageDescription

let package = Package(
  name: "tauri-plugin-secure-token",
  platforms: [
    .macOS(.v10_13),
    .iOS(.v13),
  ],
  products: [
    .library(name: "tauri-plugin-secure-token", type: .static, targets: ["tauri-plugin-secure-token"])
  ],
  dependencies: [
    .package(name: "Tauri", path: "../.tauri/tauri-api")
  ],
  targets: [
    .target(
      name: "tauri-plugin-secure-token",
      dependencies: [.byName(name: "Tauri")],
      path: "Sources"
    )
  ]
)
