import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

@Suite struct `Damage to stored samples` {
  private static let names: [Labels] = (0..<12).map { ["__name__": "m\($0)", "job": "node"] }

  /// A file with log, chunks and buckets, all in the file itself.
  private static func write(_ path: String) async throws {
    let store = try SampleStore(
      in: DataDirectory(path: path), now: milliseconds(0),
      settings: .init(retention: Retention(raw: .seconds(2400))))
    for step in Int64(0)..<4000 {
      await store.append(
        SampleRow(
          timestamp: milliseconds(step * 2000), series: Array(names.indices),
          values: names.indices.map { Double(step) * Double($0) + Double(step % 7) / 10 },
          introduced: step == 0 ? names.enumerated().map { ($0.offset, $0.element) } : []))
    }
    let database = try Database(path: "\(path)/samples.db")
    try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
  }

  private static func value(_ series: Int, _ milliseconds: Int64) -> Double {
    let step = milliseconds / 2000
    return Double(step) * Double(series) + Double(step % 7) / 10
  }

  /// Whatever is read is either what was written or an error; single samples only.
  private func check(_ file: String) async {
    do {
      let found = try await SampleArchive(path: file).read(
        from: milliseconds(0), to: milliseconds(1 << 40))
      for series in found.series {
        guard let index = Self.names.firstIndex(of: series.labels) else { continue }
        for sample in series.samples {
          #expect(sample.value == Self.value(index, sample.timestamp.milliseconds))
        }
      }
      let query = try Query(parsing: "max_over_time(m3[1h])")
      let source = try await SampleArchive(path: file).source(
        for: query, from: milliseconds(3_600_000), to: milliseconds(3_600_000))
      if case .vector(let elements) = try query.instant(
        over: source, at: milliseconds(3_600_000)
      ).value, source.damaged == 0, let element = elements.first {
        #expect(
          element.value == Self.value(3, 3_598_000) || element.value == Self.value(3, 3_600_000))
      }
    } catch {
      // An error says what is wrong; nothing was told that is not so.
      #expect(!"\(error)".isEmpty)
    }
  }

  @Test(arguments: 0..<4)
  func `bytes changed anywhere are found, left out or refused, and the store starts`(
    seed: UInt64
  ) async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/data"
    try await Self.write(path)
    let file = "\(path)/samples.db"
    let original = try #require(contents(file))
    var random = Seeded(state: seed)
    for _ in 0..<12 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        // The first page is the schema's; damage there is tested on its own.
        let offset = Int.random(in: 100..<bytes.count, using: &random)
        bytes[offset] = UInt8.random(in: .min ... .max, using: &random)
      }
      try replace(file, bytes)
      await check(file)
      let store = try SampleStore(in: DataDirectory(path: path), now: milliseconds(9_000_000))
      for second in Int64(0)..<3 {
        await store.append(
          SampleRow(
            timestamp: milliseconds(9_000_000 + second * 1000), series: [0], values: [1],
            introduced: second == 0 ? [(0, ["__name__": "fresh"])] : []))
      }
      #expect(await store.statistics.rowsLost <= 1)
    }
  }

  @Test func `a file cut short at any length is set aside or read, and the store starts`()
    async throws
  {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/data"
    try await Self.write(path)
    let file = "\(path)/samples.db"
    let original = try #require(contents(file))
    var random = Seeded(state: 5)
    for _ in 0..<12 {
      try replace(file, Array(original.prefix(Int.random(in: 0..<original.count, using: &random))))
      await check(file)
      let store = try SampleStore(in: DataDirectory(path: path), now: milliseconds(9_000_000))
      await store.append(
        SampleRow(
          timestamp: milliseconds(9_000_000), series: [0], values: [1],
          introduced: [(0, ["__name__": "fresh"])]))
      await store.append(
        SampleRow(timestamp: milliseconds(9_001_000), series: [0], values: [1]))
      #expect(await store.statistics.rowsLost <= 1)
    }
  }

  private func contents(_ file: String) -> [UInt8]? {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: size(file))
    return read(descriptor, &bytes, bytes.count) == bytes.count ? bytes : nil
  }

  private func replace(_ file: String, _ bytes: [UInt8]) throws {
    for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) }
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
  }
}
