import Glibc

/// The environment of the test run.
enum ProcessEnvironment {
  static func isSet(_ name: String) -> Bool { getenv(name) != nil }
}
