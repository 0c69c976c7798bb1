import Glibc
import LifeguardCore
import Synchronization

/// One JSON object a line on standard output, as CloudWatch Logs shows and filters them.
///
/// The event itself is never written: the function's log group may be subscribed to, and events
/// hold whatever a server logs.
final class RuntimeLog: Sendable {
  enum Level: Int, Sendable, Comparable {
    case debug
    case info
    case warn
    case error

    var name: String {
      switch self {
      case .debug: "DEBUG"
      case .info: "INFO"
      case .warn: "WARN"
      case .error: "ERROR"
      }
    }

    /// Lambda's names (`AWS_LAMBDA_LOG_LEVEL`); `TRACE` and `FATAL` have no lines of their own
    /// here.
    init?(lambda name: String) {
      switch name.uppercased() {
      case "TRACE", "DEBUG": self = .debug
      case "INFO": self = .info
      case "WARN": self = .warn
      case "ERROR", "FATAL": self = .error
      default: return nil
      }
    }

    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  private let level: Level
  private let write: @Sendable ([UInt8]) -> Void
  private let now: @Sendable () -> Timestamp
  /// Of the invocation at hand.
  private let request = Mutex("")

  init(
    level: Level, now: @escaping @Sendable () -> Timestamp,
    write: @escaping @Sendable ([UInt8]) -> Void = RuntimeLog.standardOutput
  ) {
    self.level = level
    self.now = now
    self.write = write
  }

  func begin(request id: String) { request.withLock { $0 = id } }

  func debug(_ message: String, _ fields: [(String, JSON)] = []) { log(.debug, message, fields) }
  func info(_ message: String, _ fields: [(String, JSON)] = []) { log(.info, message, fields) }
  func warn(_ message: String, _ fields: [(String, JSON)] = []) { log(.warn, message, fields) }
  func error(_ message: String, _ fields: [(String, JSON)] = []) { log(.error, message, fields) }

  /// The message is constant; what belongs to the case is in the fields.
  func log(_ level: Level, _ message: String, _ fields: [(String, JSON)]) {
    guard level >= self.level else { return }
    var line = JSONObject([
      ("timestamp", .string(now().text)), ("level", .string(level.name)),
      ("message", .string(message)),
    ])
    let id = request.withLock { $0 }
    if !id.isEmpty { line["requestId"] = .string(id) }
    for (key, value) in fields { line[key] = Self.bounded(value) }
    write(JSON.object(line).bytes() + [UInt8(ascii: "\n")])
  }

  /// Long texts from outside are cut: a line must fit into one log event.
  private static func bounded(_ value: JSON) -> JSON {
    guard case .string(let text) = value, text.utf8.count > textMax else { return value }
    return .string(String(text.prefix(textMax)) + "…")
  }

  private static let textMax = 4096

  static func standardOutput(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(1, buffer.baseAddress! + done, buffer.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        done += count
      }
    }
  }
}
