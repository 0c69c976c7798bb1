import ArgumentParser
import Glibc
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// `lifeguard db import`.
struct DatabaseImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Puts samples from CSV or OpenMetrics files into the store.",
    discussion: """
      Each file is taken in whole or, when something in it is wrong, not at all. CSV needs a \
      header with the columns timestamp, value and series, or columns for labels; \
      `--series` names the series of a file that has times and values only. Where a series has a \
      sample at a time already, that one stays. No agent may use the data directory.

      Example: lifeguard db import load.csv --data /var/lib/lifeguard
               lifeguard db import cpu.csv --series 'CPUUtilization{instance="web"}'
      """)

  @Argument(help: "The files.")
  var files: [String]

  @Option(help: "csv or openmetrics; by default what the name ends in (.csv), else openmetrics.")
  var format: SampleFileReader.Format?

  @Option(help: ArgumentHelp("The series of files without one.", valueName: "series"))
  var series: String?

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let series, Labels(seriesText: series) == nil {
      throw ValidationError("\"\(series)\" is no series: write name{label=\"value\"}")
    }
  }

  func run() throws {
    try database.withErrors {
      let directory = try DataDirectory(path: database.directory)
      var results: [JSON] = []
      for file in files {
        let outcome = try take(file, directory)
        results.append([
          "file": .string(file), "series": .integer(Int64(outcome.series)),
          "samples": .integer(Int64(outcome.samples)),
          "conflicts": .integer(Int64(outcome.conflicts)),
        ])
        if output.json { continue }
        let conflicts = outcome.conflicts > 0 ? ", \(outcome.conflicts) at times twice" : ""
        print("\(file): \(outcome.samples) samples of \(outcome.series) series\(conflicts)")
      }
      output.print(.array(results)) {}
    }
  }

  private func take(
    _ file: String, _ directory: DataDirectory
  ) throws -> SampleImport.Outcome {
    let target = try SampleImport(in: directory, now: WallClock.now())
    var reader = try SampleFileReader(
      file, format: format, series: series.flatMap { Labels(seriesText: $0) },
      consequence: "nothing of this file was imported")
    var progress = DatabaseProgress()
    defer { progress.end() }
    while let entry = try reader.next() {
      progress.show("importing \(file)", reader.bytesRead, of: reader.bytesTotal)
      try target.append(target.number(of: entry.series), entry.sample)
    }
    try target.commit()
    return target.outcome
  }
}

/// A file that cannot be imported, with the place.
struct ImportFault: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}

/// Reads a file line by line, 64 KiB at a time.
struct DatabaseLines {
  private let descriptor: Int32
  private let path: String
  private var buffer: [UInt8] = []
  private var position = 0
  private var hasEnded = false
  private(set) var bytesRead = 0
  private(set) var bytesTotal = 0

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.fault(path) }
    var status = stat()
    if fstat(descriptor, &status) == 0 { bytesTotal = Int(status.st_size) }
  }

  private static func fault(_ path: String) -> ImportFault {
    ImportFault(text: "\(path) cannot be read: \(String(cString: strerror(errno)))")
  }

  /// The next line without its end; nil after the last one.
  mutating func next() throws -> [UInt8]? {
    while true {
      if let end = buffer[position...].firstIndex(of: 0x0A) {
        defer { position = end + 1 }
        return Array(buffer[position..<end])
      }
      if hasEnded {
        guard position < buffer.count else {
          close(descriptor)
          return nil
        }
        defer { position = buffer.count }
        return Array(buffer[position...])
      }
      // A line without an end is refused by its reader before it fills the memory.
      if buffer.count - position > SampleCSV.lineMax + 65_536 {
        defer { position = buffer.count }
        return Array(buffer[position...])
      }
      buffer.removeSubrange(..<position)
      position = 0
      try fill()
    }
  }

  private mutating func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var count = read(descriptor, &chunk, chunk.count)
    while count < 0, errno == EINTR { count = read(descriptor, &chunk, chunk.count) }
    guard count >= 0 else { throw Self.fault(path) }
    hasEnded = count == 0
    bytesRead += count
    buffer += chunk[..<count]
  }
}
