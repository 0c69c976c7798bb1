import Logging

/// Keeps the test's output clean.
enum TestLogger {
  static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
