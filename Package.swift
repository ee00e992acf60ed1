// swift-tools-version: 6.2
// Divert's modules and who may import whom; docs/architecture.md says why.
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "divert",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CEpoll"),
    .target(
      name: "DivertCore",
      dependencies: [.product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(
      name: "DivertConfig",
      dependencies: ["DivertCore", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict,
      plugins: ["EmbedFiles"]),
    .plugin(name: "EmbedFiles", capability: .buildTool(), dependencies: ["embed-files"]),
    .executableTarget(name: "embed-files", swiftSettings: strict),
    .target(
      name: "DivertStore",
      dependencies: [
        "DivertCore", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "DivertTransport",
      dependencies: ["DivertCore", "CCurl", "CEpoll"],
      swiftSettings: strict),
    .target(
      name: "DivertServer",
      dependencies: [
        "DivertCore", "DivertConfig", "DivertStore", "DivertTransport",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "divert",
      dependencies: [
        "DivertCore", "DivertConfig", "DivertServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "DivertCoreTests", dependencies: ["DivertCore"], swiftSettings: strict),
    .target(
      name: "ConfigFuzz", dependencies: ["DivertConfig", "DivertCore"], path: "Tests/ConfigFuzz", swiftSettings: strict),
    .executableTarget(
      name: "config-fuzz", dependencies: ["ConfigFuzz"], path: "Tests/ConfigFuzzRunner", swiftSettings: strict),
    .testTarget(
      name: "DivertConfigTests",
      dependencies: ["ConfigFuzz", "DivertConfig", "DivertCore", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "DivertStoreTests",
      dependencies: ["DivertStore", "DivertCore", .product(name: "GRDBSQLite", package: "GRDB.swift")],
      swiftSettings: strict),
    .testTarget(
      name: "DivertTransportTests",
      dependencies: ["DivertTransport", "DivertCore", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DivertServerTests",
      dependencies: [
        "DivertConfig", "DivertCore", "DivertServer", "DivertStore",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "DivertCore", "DivertStore", "DivertTransport", "TestSupport", "divert",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "VendorTests",
      dependencies: [
        "DivertConfig", "DivertCore", "DivertServer", "DivertStore", "TestSupport",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Schemas"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
