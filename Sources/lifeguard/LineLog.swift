import LifeguardCore
import LifeguardServer
import Logging

/// Log lines on standard error: level, message, data in name order.
struct LineLog: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  init(_ level: Logger.Level) { logLevel = level }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    var line = "\(WallClock.now().text) \(event.level) \(event.message)"
    if let error = event.error { line += " error=\"\(error)\"" }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\"\(value)\"" }
    StandardError.write(Printable.text(line, limit: 16_000) + "\n")
  }
}
