import ArgumentParser
import LifeguardCore
import LifeguardStore

/// Samples in a file from elsewhere, one after the other.
struct SampleFileReader {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case csv
    case openmetrics
  }

  private enum Reader {
    case csv(SampleCSV)
    case openmetrics(SampleOpenMetrics)
  }

  private let path: String
  private let consequence: String
  private var lines: DatabaseLines
  private var reader: Reader

  var bytesRead: Int { lines.bytesRead }
  var bytesTotal: Int { lines.bytesTotal }

  /// - Parameters:
  ///   - format: by default what the name ends in (.csv), else OpenMetrics.
  ///   - series: that of files which have times and values only.
  ///   - consequence: what a line that cannot be read means, for the message about it.
  init(_ path: String, format: Format?, series: Labels?, consequence: String) throws {
    self.path = path
    self.consequence = consequence
    lines = try DatabaseLines(path)
    switch format ?? (path.hasSuffix(".csv") ? .csv : .openmetrics) {
    case .csv: reader = .csv(SampleCSV(named: series))
    case .openmetrics: reader = .openmetrics(SampleOpenMetrics())
    }
  }

  /// The next sample; nil after the last one.
  ///
  /// - Throws: `ImportFault` with file, line and column.
  mutating func next() throws -> SampleCSV.Entry? {
    while let line = try lines.next() {
      do throws(SampleCSV.Fault) {
        if let entry = try read(line) { return entry }
      } catch {
        throw ImportFault(text: "\(path):\(error); \(consequence)")
      }
    }
    return nil
  }

  private mutating func read(_ line: [UInt8]) throws(SampleCSV.Fault) -> SampleCSV.Entry? {
    switch reader {
    case .csv(var csv):
      defer { reader = .csv(csv) }
      return try csv.read(line)
    case .openmetrics(var text):
      defer { reader = .openmetrics(text) }
      return try text.read(line)
    }
  }
}
