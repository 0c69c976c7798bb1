import Glibc
import LifeguardCore
import LifeguardStore

/// Writes to a store as fast as it can until it is killed; for the tests of LifeguardStore.
///
/// After each commit that returned it writes the number of the commit to standard output, so a
/// reader knows what must be there.
@main
struct StoreWriter {
  static func main() async throws {
    let directory = try DataDirectory(path: CommandLine.arguments[1])
    switch CommandLine.arguments.dropFirst(2).first {
    case "samples": try await writeSamples(directory)
    case "measure": try await measure(directory, Array(CommandLine.arguments.dropFirst(3)))
    default: try writeState(directory)
    }
  }

  /// A second of time for each row, so that folding and rolling up never stop.
  private static func writeSamples(_ directory: DataDirectory) async throws {
    let retention = Retention(
      raw: .seconds(1200), minute: .seconds(7200), hour: .seconds(1 << 32))
    let store = try SampleStore(
      in: directory, now: Timestamp(milliseconds: 0), settings: .init(retention: retention))
    let path = "\(directory.path)/samples.db"
    var number =
      (try await SampleArchive(path: path).statistics().interval?.newest).map {
        ($0.milliseconds + 999) / 1000
      } ?? 0
    var isNew = true
    while true {
      number += 1
      await store.append(
        SampleRow(
          timestamp: Timestamp(milliseconds: number * 1000), series: Array(0..<8),
          values: (0..<8).map { Double(number) * Double($0 + 1) },
          introduced: isNew ? (0..<8).map { ($0, ["__name__": "m\($0)"]) } : []))
      isNew = false
      if await store.statistics.rowsLost > 0 { return }
      let line = Array("\(number)\n".utf8)
      write(1, line, line.count)
    }
  }

  private static func writeState(_ directory: DataDirectory) throws {
    let store = try StateStore(in: directory, now: Timestamp(milliseconds: 0))
    let restored = try store.restore()
    var number =
      restored.state.flatMap { Int64(String(decoding: $0.prefix(12), as: UTF8.self)) } ?? 0
    while true {
      number += 1
      let digits = String(number)
      let text = String(repeating: "0", count: 12 - digits.count) + digits
      var change = StateChange(state: Array(text.utf8) + [UInt8](repeating: 7, count: 20_000))
      change.timeline = [
        TimelineRecord(
          incident: "i", sequence: Int(number), at: Timestamp(milliseconds: number), kind: "k",
          json: "{}")
      ]
      change.outbox = [
        .put(
          OutboxMessage(
            key: "k\(number)", receiver: "r", channel: "c", incident: "i", payload: "{}",
            nextAttempt: Timestamp(milliseconds: number))),
        .remove(key: "k\(number - 3)"),
      ]
      try store.commit(change)
      let line = Array("\(number)\n".utf8)
      write(1, line, line.count)
    }
  }
}
