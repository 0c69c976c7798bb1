// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "lifeguard",
  products: [
    .executable(name: "lifeguard", targets: ["lifeguard"]),
    // The Lambda function: a custom runtime's program must have this name.
    .executable(name: "bootstrap", targets: ["bootstrap"]),
    .library(name: "LifeguardCore", targets: ["LifeguardCore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    // C: what Swift cannot import, and the three system libraries, linked statically in a release.
    .target(name: "CLinux"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Decides. No clock, no waiting, no input or output.
    .target(name: "LifeguardCore", swiftSettings: strict),

    .target(
      name: "LifeguardConfiguration", dependencies: ["LifeguardCore", "CYAML"],
      swiftSettings: strict),
    .target(
      name: "LifeguardHost", dependencies: ["LifeguardCore", "CLinux"],
      swiftSettings: strict),
    .target(
      name: "LifeguardStore", dependencies: ["LifeguardCore", "CSQLite"],
      swiftSettings: strict),
    .target(
      name: "LifeguardAWS",
      dependencies: [
        "LifeguardCore",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .target(
      name: "LifeguardAgent",
      dependencies: [
        "CLinux", "CZlib", "LifeguardAWS", "LifeguardCore", "LifeguardConfiguration",
        "LifeguardHost",
        "LifeguardStore",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .target(
      name: "LifeguardServer",
      dependencies: [
        "CZlib", "LifeguardAgent", "LifeguardConfiguration", "LifeguardCore", "LifeguardHost",
        "LifeguardStore",
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "lifeguard",
      dependencies: [
        "LifeguardAWS", "LifeguardAgent", "LifeguardConfiguration", "LifeguardCore",
        "LifeguardHost", "LifeguardServer", "LifeguardStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "bootstrap",
      dependencies: [
        "CZlib", "LifeguardAWS", "LifeguardConfiguration", "LifeguardCore", "LifeguardHost",
      ],
      swiftSettings: strict),

    .testTarget(
      name: "LifeguardAWSTests",
      dependencies: [
        "LifeguardAWS", "LifeguardCore", "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      exclude: ["Oracles"], swiftSettings: strict),
    .testTarget(
      name: "BootstrapTests",
      dependencies: [
        "CZlib", "LifeguardAWS", "LifeguardConfiguration", "LifeguardCore", "TestSupport",
        "bootstrap",
      ],
      exclude: ["Fixtures", "cloud.py"], swiftSettings: strict),
    .testTarget(
      name: "LifeguardAgentTests",
      dependencies: [
        "LifeguardAWS", "LifeguardAgent", "LifeguardConfiguration", "LifeguardCore",
        "LifeguardHost", "LifeguardStore", "TestSupport",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      exclude: ["Notifiers/mail_server.py"],
      swiftSettings: strict),
    .testTarget(
      name: "LifeguardServerTests",
      dependencies: [
        "LifeguardAgent", "LifeguardConfiguration", "LifeguardCore", "LifeguardHost",
        "LifeguardServer", "LifeguardStore", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      exclude: ["browser.py"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: ["LifeguardCore", "TestSupport", "lifeguard"], exclude: ["cloud.py"],
      swiftSettings: strict),
    .testTarget(
      name: "LifeguardCoreTests", dependencies: ["LifeguardCore", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    // Records what the default rules read; for DefaultRulesTests.
    .executableTarget(
      name: "rule-recorder",
      dependencies: ["LifeguardConfiguration", "LifeguardCore", "LifeguardHost"],
      path: "Tests/RuleRecorder", swiftSettings: strict),
    .testTarget(
      name: "DefaultRulesTests",
      dependencies: ["LifeguardConfiguration", "LifeguardCore", "LifeguardHost", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    // Random queries beside a real Prometheus, patterns beside RE2, rule tests beside promtool.
    .testTarget(
      name: "PromQLPeerTests",
      dependencies: ["LifeguardConfiguration", "LifeguardCore", "TestSupport"],
      swiftSettings: strict),
    // Measures queries; for Benchmarks.
    .executableTarget(
      name: "query-bench", dependencies: ["LifeguardCore"], path: "Tests/QueryBench",
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests", dependencies: ["LifeguardCore"], swiftSettings: strict),
    .testTarget(
      name: "LifeguardConfigurationTests",
      dependencies: ["LifeguardConfiguration", "LifeguardCore"], exclude: ["Fixtures"],
      swiftSettings: strict),
    // Writes until it is killed; for LifeguardStoreTests.
    .executableTarget(
      name: "store-writer", dependencies: ["LifeguardCore", "LifeguardStore"],
      path: "Tests/StoreWriter", swiftSettings: strict),
    .testTarget(
      name: "LifeguardStoreTests",
      dependencies: ["LifeguardCore", "LifeguardStore", "TestSupport", "store-writer"],
      swiftSettings: strict),
    .testTarget(
      name: "LifeguardHostTests", dependencies: ["LifeguardHost", "LifeguardCore", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    // What tests share: real programs, temporary folders, waiting, a systemd of their own.
    .target(
      name: "TestSupport", dependencies: ["LifeguardCore"], path: "Tests/Support",
      swiftSettings: strict),
    .testTarget(name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: strict),
    // Real faults against the real command: it is found beside the tests.
    .testTarget(
      name: "ScenarioTests", dependencies: ["LifeguardCore", "TestSupport"],
      path: "Tests/Scenarios", exclude: ["box", "faults.c"], swiftSettings: strict),
    // deploy/ and the workflows: terraform, moto and cfn-lint, started from here.
    .testTarget(
      name: "DeployTests", dependencies: ["TestSupport"], exclude: ["checks"],
      swiftSettings: strict),
    .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
