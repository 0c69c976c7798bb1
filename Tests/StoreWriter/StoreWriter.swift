import Glibc
import LifeguardCore
import LifeguardStore

/// Writes to a store as fast as it can until it is killed; for the tests of LifeguardStore.
///
/// After each commit that returned it writes the number of the commit to standard output, so a
/// reader knows what must be there.
@main
struct StoreWriter {
  static func main() throws {
    let directory = try DataDirectory(path: CommandLine.arguments[1])
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
