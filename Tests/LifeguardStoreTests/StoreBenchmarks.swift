import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

#if BENCHMARKS
  /// Prints what storing costs. No test: it is compiled only by
  /// `swift test -c release -Xswiftc -enable-testing -Xswiftc -DBENCHMARKS --filter benchmarks`.
  @Suite(.serialized)
  struct `Store benchmarks` {
    /// In a folder of a real disk: /tmp may live in memory.
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [1_000, 20_000, 100_000, 256_000])
    func `commit of a decision`(stateBytes: Int) throws {
      let store = try StateStore.open("\(folder.path)/state\(stateBytes)")
      var random = Seeded(state: 1)
      var state = [UInt8](repeating: 65, count: stateBytes)
      let io = bytesWritten()
      let cpu = processorTime()
      var walls: [Double] = []
      let count = 500
      for number in 0..<count {
        for _ in 0..<20 { state[.random(in: state.indices, using: &random)] &+= 1 }
        var change = StateChange(state: state)
        change.timeline = [
          TimelineRecord(
            incident: "i", sequence: number, at: milliseconds(Int64(number)), kind: "intent",
            json: #"{"step":"restart","reason":"3 probes failed in a row"}"#)
        ]
        let start = clock()
        try store.commit(change)
        walls.append(clock() - start)
      }
      walls.sort()
      report(
        "state \(stateBytes) B: median \(walls[count / 2] * 1e6) us, p99 \(walls[count * 99 / 100] * 1e6)"
          + " us, cpu \((processorTime() - cpu) / Double(count) * 1e6) us,"
          + " written \(Double(bytesWritten() - io) / Double(count) / 1024) KiB a commit")
    }

    @Test func `a row of 600 series each second`() async throws {
      let store = try SampleStore(
        in: DataDirectory(path: "\(folder.path)/samples"), now: milliseconds(0))
      var host = SyntheticHost(series: 600)
      let rows = (0..<3600).map { host.row(at: Int64($0) * 1000) }
      let io = bytesWritten()
      let cpu = processorTime()
      for row in rows { await store.append(row) }
      let passed = processorTime() - cpu
      let written = Double(bytesWritten() - io)
      let statistics = await store.statistics
      report(
        "samples: cpu \(passed / 3600 * 1e6) us a row, written \(written / 3600 / 1024) KiB a row,"
          + " encoded \(Double(statistics.bytes) / Double(statistics.samples)) B a sample")
    }

    /// Rows of a real host, one a line, from the file that `LIFEGUARD_BENCH_ROWS` names.
    @Test(.enabled(if: getenv("LIFEGUARD_BENCH_ROWS") != nil, "LIFEGUARD_BENCH_ROWS is not set"))
    func `rows recorded on a real host are encoded`() throws {
      guard let file = fopen(getenv("LIFEGUARD_BENCH_ROWS"), "re") else { return }
      defer { fclose(file) }
      var encoder = RowEncoder()
      var (bytes, samples, rows) = (0, 0, 0)
      var line = [CChar](repeating: 0, count: 1 << 20)
      while fgets(&line, Int32(line.count), file) != nil {
        let text = String(
          decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let values = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap {
          Double($0)
        }
        if encoder.rows == SampleSchema.segmentRows { encoder = RowEncoder() }
        bytes += encoder.encode(Array(values.indices), values).count
        samples += values.count
        rows += 1
      }
      report(
        "recorded: \(rows) rows, \(samples / max(rows, 1)) series, encoded \(Double(bytes) / Double(samples)) B a sample"
      )
    }

    @Test func `JSON of a state`() throws {
      let incidents = (0..<200).map { index in
        ["id": "incident-\(index)", "target": "service:web", "reason": "3 probes failed in a row"]
      }
      var bytes: [UInt8] = []
      let start = processorTime()
      for _ in 0..<100 { bytes = try JSONCoder.encode(incidents) }
      let middle = processorTime()
      for _ in 0..<100 { _ = try JSONCoder.decode([[String: String]].self, from: bytes) }
      let end = processorTime()
      report(
        "JSON of \(bytes.count) B: encode \((middle - start) * 1e4) us,"
          + " decode \((end - middle) * 1e4) us")
    }

    private func report(_ line: String) {
      let bytes = Array("bench \(line)\n".utf8)
      write(2, bytes, bytes.count)
    }

    private func clock() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func processorTime() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// `write_bytes` of /proc/self/io (proc_pid_io(5)): what went, or will go, to the disk.
    private func bytesWritten() -> Int {
      let descriptor = open("/proc/self/io", O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      var buffer = [UInt8](repeating: 0, count: 1024)
      let count = read(descriptor, &buffer, buffer.count)
      let text = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
      for line in text.split(separator: "\n") where line.hasPrefix("write_bytes: ") {
        return Int(line.dropFirst(13)) ?? 0
      }
      return 0
    }
  }
#endif
