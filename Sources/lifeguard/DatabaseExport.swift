import ArgumentParser
import Glibc
import LifeguardCore
import LifeguardStore

/// `lifeguard db export`.
struct DatabaseExport: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case csv
    case openmetrics
  }

  enum Figure: String, CaseIterable, ExpressibleByArgument {
    case last
    case min
    case max
    case sum
    case avg

    var use: SampleUse {
      switch self {
      case .last: .last
      case .min: .minimum
      case .max: .maximum
      case .sum: .sum
      case .avg: .average
      }
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes stored samples as CSV or OpenMetrics.",
    discussion: """
      CSV has the columns series, timestamp and value, and keeps staleness markers as `stale`; \
      OpenMetrics leaves them out. Both can be read back with `lifeguard db import`, and \
      OpenMetrics with `promtool tsdb create-blocks-from openmetrics`.

      Example: lifeguard db export 'node_load1' --from 2026-01-31T00:00:00Z --output load.csv
               lifeguard db export --format openmetrics > all.txt
      """)

  @Argument(help: "Which series, as a PromQL selector; all of them without one.")
  var selector: String?

  @Option(help: "csv or openmetrics.")
  var format = Format.csv

  @Option(help: "The figure of down-sampled data: last, min, max, sum or avg.")
  var figure = Figure.last

  @Option(name: .customLong("output"), help: ArgumentHelp("A new file.", valueName: "file"))
  var outputFile: String?

  @OptionGroup var interval: DatabaseInterval
  @OptionGroup var database: DatabaseOptions

  func run() throws {
    try database.withErrors {
      let matchers = try matchers()
      let file = try SampleFile(path: database.path)
      let sink = try outputFile.map { try DatabaseSink(creating: $0) } ?? DatabaseSink()
      var progress = DatabaseProgress()
      var count = 0
      var family = ""
      if format == .csv { sink.write(SampleCSV.header) }
      try file.series(
        matchers, from: interval.start, to: interval.end, use: figure.use,
        progress: { if outputFile != nil { progress.show("exporting", $0, of: $1) } }
      ) { series in
        let name = series.labels.seriesText
        if format == .openmetrics, series.labels.metric != family {
          family = series.labels.metric
          sink.write("# TYPE \(series.labels.metricText) unknown\n")
        }
        for sample in series.samples {
          if format == .csv {
            sink.write(SampleCSV.line(name, sample))
          } else if !sample.isStaleMarker {
            let value = SampleText.value(sample.value)
            sink.write("\(name) \(value) \(SampleText.timestamp(sample.timestamp))\n")
          }
          count += 1
        }
      }
      if format == .openmetrics { sink.write("# EOF\n") }
      progress.end()
      try sink.finish()
      if let outputFile { print("\(count) samples in \(outputFile)") }
    }
  }

  private func matchers() throws -> [Matcher] {
    guard let selector else { return [] }
    let query = try Query(parsing: selector)
    guard case .vectorSelector(let parsed) = query.expression.unwrapped,
      parsed.offset == nil, parsed.fixedTime == nil
    else {
      throw ValidationError("\"\(selector)\" is no selector: write name{label=\"value\"}")
    }
    return parsed.matchers
  }
}

/// Where an export goes: standard output or a file, in writes of 64 KiB.
final class DatabaseSink {
  /// A write that failed.
  struct Failure: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "\(path) cannot be written: \(reason)" }
  }

  private let descriptor: Int32
  private let path: String
  private var buffer: [UInt8] = []
  private var failure: Failure?

  init() {
    descriptor = STDOUT_FILENO
    path = "standard output"
  }

  /// - Throws: when the file exists, because it may be somebody's only copy.
  init(creating path: String) throws(Failure) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Failure(path: path, reason: String(cString: strerror(errno)))
    }
  }

  deinit { if descriptor != STDOUT_FILENO { close(descriptor) } }

  func write(_ text: String) {
    buffer += text.utf8
    if buffer.count >= 65_536 { flush() }
  }

  /// - Throws: the first write that failed.
  func finish() throws(Failure) {
    flush()
    if let failure { throw failure }
  }

  private func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    var start = 0
    while start < buffer.count, failure == nil {
      let count = buffer.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, $0.count - start)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        failure = Failure(path: path, reason: String(cString: strerror(errno)))
        return
      }
      start += count
    }
  }
}
