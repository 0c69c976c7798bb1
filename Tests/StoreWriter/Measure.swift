import Glibc
import LifeguardCore
import LifeguardStore

extension StoreWriter {
  /// Measures the store and prints JSON: `store-writer FOLDER measure KIND SERIES SECONDS`.
  ///
  /// - `disk`: rows of a realistic mix at one a second, then bytes a sample on disk and bytes
  ///   written a second;
  /// - `ingest`: batches as remote write brings them, at one each 15 s, then samples a CPU-second;
  /// - `query`: a range query over what `disk` has left.
  static func measure(_ directory: DataDirectory, _ arguments: [String]) async throws {
    let kind = arguments.first ?? "disk"
    let series = arguments.count > 1 ? Int(arguments[1]) ?? 600 : 600
    let seconds = arguments.count > 2 ? Int64(arguments[2]) ?? 3600 : 3600
    let store = try SampleStore(in: directory, now: Timestamp(milliseconds: Mix.start))
    let before = Usage.now()
    let opened = before
    switch kind {
    case "ingest": await ingest(store, series: series, seconds: seconds)
    case "query": break
    default: await rows(store, series: series, seconds: seconds)
    }
    let after = Usage.now()
    let statistics = await store.statistics
    let archive = SampleArchive(path: "\(directory.path)/samples.db")
    let stored = try await archive.statistics()
    let query = try await query(archive, series: series)
    let samples = max(statistics.samples, 1)
    let line = """
      {"kind":"\(kind)","series":\(series),"samples":\(statistics.samples),\
      "cpu_seconds":\(after.processor - opened.processor),\
      "samples_per_cpu_second":\(Double(samples) / max(after.processor - opened.processor, 1e-9)),\
      "written_bytes_per_second":\(Double(after.written - before.written) / Double(seconds)),\
      "file_bytes":\(stored.fileBytes),"used_bytes":\(stored.usedBytes),\
      "bytes_per_sample":\(Double(stored.usedBytes) / Double(samples)),\
      "log_bytes":\(stored.logBytes),"folded":\(statistics.folded),\
      "chunk_bytes":\(stored.tiers.reduce(0) { $0 + $1.bytes }),\
      "resident_bytes":\(after.resident),"anonymous_bytes":\(after.anonymous),\
      "query_seconds":\(query)}

      """
    let bytes = Array(line.utf8)
    write(1, bytes, bytes.count)
  }

  private static func rows(_ store: SampleStore, series: Int, seconds: Int64) async {
    var mix = Mix(series: series)
    for second in 0..<seconds {
      let values = mix.next()
      await store.append(
        SampleRow(
          timestamp: Timestamp(milliseconds: Mix.start + second * 1000),
          series: Array(values.indices), values: values,
          introduced: second == 0 ? values.indices.map { ($0, Mix.labels($0)) } : []))
    }
  }

  private static func ingest(_ store: SampleStore, series: Int, seconds: Int64) async {
    var mix = Mix(series: series)
    var journal = SampleJournal()
    for second in stride(from: Int64(0), to: seconds, by: 15) {
      let time = Timestamp(milliseconds: Mix.start + second * 1000)
      let values = mix.next()
      for first in stride(from: 0, to: series, by: 2000) {
        let entries = (first..<min(first + 2000, series)).map {
          (
            SeriesReference(slot: Int32($0), epoch: 1),
            Sample(timestamp: time, value: values[$0])
          )
        }
        await store.append(journal.batch(entries) { (Mix.labels(Int($0.slot)), true) })
      }
    }
  }

  /// CPU-seconds of an hour's rate over all counters.
  private static func query(_ archive: SampleArchive, series: Int) async throws -> Double {
    guard let (oldest, newest) = try await archive.statistics().interval else { return 0 }
    let start = Usage.now().processor
    let query = try Query(parsing: "sum(rate(mix_total[5m]))")
    let source = try await archive.source(
      for: query, from: oldest, to: newest, step: .seconds(60),
      limits: ArchiveLimits(samplesMax: .max, bytesMax: .max))
    _ = try query.range(over: source, from: oldest, to: newest, step: .seconds(60))
    return Usage.now().processor - start
  }
}

/// Series that move like those of a host: a quarter constant, a quarter counters of whole numbers,
/// an eighth counters of seconds, a quarter gauges with two digits, an eighth memory in pages.
struct Mix {
  static let start: Int64 = 1_700_000_000_000
  private var values: [Double]
  private var state: UInt64 = 42

  init(series: Int) { values = (0..<series).map { Double($0 * 4096) } }

  static func labels(_ index: Int) -> Labels {
    [
      "__name__": index % 8 < 2 ? "mix_constant" : index % 8 < 5 ? "mix_total" : "mix_gauge",
      "job": "node", "instance": "host-\(index / 500)", "item": "\(index)",
    ]
  }

  private mutating func random(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }

  mutating func next() -> [Double] {
    for index in values.indices {
      switch index % 8 {
      case 0, 1: break
      // Half of a host's counters stand still in any second.
      case 2, 3: if random(2) == 0 { values[index] += Double(random(200)) }
      case 4: values[index] = ((values[index] * 100).rounded() + Double(random(100))) / 100
      case 5, 6:
        let hundredths = (values[index] * 100).rounded()
        values[index] = (hundredths + Double(random(41) - 20)) / 100
      default: values[index] += Double(random(33) - 16) * 4096
      }
    }
    return values
  }
}

/// What this process has used.
private struct Usage {
  /// CPU-seconds.
  var processor = 0.0
  /// Written to the disk or on the way there (proc_pid_io(5)).
  var written = 0
  var resident = 0
  var anonymous = 0

  static func now() -> Usage {
    var usage = Usage()
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    usage.processor = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    usage.written = number("/proc/self/io", "write_bytes:")
    usage.resident = number("/proc/self/status", "VmRSS:") * 1024
    usage.anonymous = number("/proc/self/status", "RssAnon:") * 1024
    return usage
  }

  private static func number(_ file: String, _ key: String) -> Int {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = read(descriptor, &buffer, buffer.count)
    for line in String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(key) {
      let digits = line.dropFirst(key.count).filter(\.isNumber)
      return Int(digits) ?? 0
    }
    return 0
  }
}
