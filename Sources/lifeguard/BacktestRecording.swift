import Glibc
import LifeguardCore
import LifeguardStore

/// Recorded samples, a part of the time after the other.
protocol BacktestRecording {
  /// The series of the next part, each in order of time; nil after the last one.
  mutating func next() throws -> [StoredSeries]?
  /// How far it is, of how much, in a unit of its own.
  var done: Int { get }
  var total: Int { get }
}

/// The samples of `samples.db`, ten minutes at a time.
struct StoreRecording: BacktestRecording {
  private static let part: Duration = .seconds(600)
  /// Reading ten minutes takes milliseconds; a disk may be slow.
  private static let secondsMax = 120

  private let archive: SampleArchive
  private let end: Timestamp
  private let start: Timestamp
  private var position: Timestamp

  init(_ directory: String, from: Timestamp, to: Timestamp) throws {
    let path = "\(directory)/samples.db"
    guard access(path, R_OK) == 0 else {
      throw ImportFault(
        text: "\(path) cannot be read: \(String(cString: strerror(errno))); name the agent's"
          + " directory with --data, or files with --csv")
    }
    let archive = SampleArchive(path: path)
    self.archive = archive
    let found = try Self.wait { try await archive.statistics().interval }
    guard let found else { throw ImportFault(text: "\(path) has no samples") }
    start = max(from, found.oldest)
    end = min(to, found.newest)
    position = start
  }

  var done: Int { Int((position - start).milliseconds / 1000) }
  var total: Int { max(Int((end - start).milliseconds / 1000), 1) }

  mutating func next() throws -> [StoredSeries]? {
    guard position <= end else { return nil }
    let (archive, from) = (archive, position)
    let to = min(from + Self.part - .milliseconds(1), end)
    position = to + .milliseconds(1)
    return try Self.wait { try await archive.read(from: from, to: to, samplesMax: .max).series }
  }

  private static func wait<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let answer = Blocking<Result<Value, ImportFault>>.wait(seconds: secondsMax) {
      do { return .success(try await body()) } catch {
        return .failure(ImportFault(text: "\(error)"))
      }
    }
    guard let answer else {
      throw ImportFault(text: "samples.db does not answer within \(secondsMax) s")
    }
    return try answer.get()
  }
}

/// The samples of files, all at once.
struct FileRecording: BacktestRecording {
  /// 16 bytes each.
  private static let samplesMax = 20_000_000

  private var series: [StoredSeries]?
  let total = 1
  private(set) var done = 0

  init(_ files: [String], series named: Labels?, from: Timestamp, to: Timestamp) throws {
    var places: [Labels: Int] = [:]
    var found: [StoredSeries] = []
    var count = 0
    for file in files {
      var reader = try SampleFileReader(
        file, format: nil, series: named, consequence: "nothing was replayed")
      var progress = DatabaseProgress()
      defer { progress.end() }
      while let entry = try reader.next() {
        progress.show("reading \(file)", reader.bytesRead, of: reader.bytesTotal)
        guard entry.sample.timestamp >= from, entry.sample.timestamp <= to else { continue }
        count += 1
        guard count <= Self.samplesMax else {
          throw ImportFault(
            text:
              "\(file) has more than \(Self.samplesMax) samples; choose fewer with --from and --to")
        }
        let place = places[entry.series] ?? found.count
        if place == found.count {
          places[entry.series] = place
          found.append(StoredSeries(labels: entry.series, samples: []))
        }
        found[place].samples.append(entry.sample)
      }
    }
    for index in found.indices { found[index].samples.sort { $0.timestamp < $1.timestamp } }
    series = found
  }

  mutating func next() -> [StoredSeries]? {
    defer {
      series = nil
      done = 1
    }
    return series
  }
}
