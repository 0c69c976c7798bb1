import Synchronization

/// Looks names up for probes, on threads of its own, and remembers the answers for a while.
///
/// A resolver that hangs for ten seconds must hold up neither a probe's timeout nor the threads
/// that start programs.
final class NameCache: Sendable {
  private struct Entry {
    var addresses: [SocketAddress]
    var expires: Duration
  }

  private struct Key: Hashable {
    var host: String
    var port: Int
  }

  private let threads: BlockingThreads
  private let entries = Mutex<[Key: Entry]>([:])
  /// Short, because a name that moved is often the very reason of a failure.
  private static let lifetime = Duration.seconds(30)
  private static let entriesMax = 1024

  init() throws(SystemCallError) {
    threads = try BlockingThreads(threadsMax: 4, jobsMax: 128)
  }

  /// Calls `body` with the addresses; empty when the name is not known or nobody could be asked.
  func resolve(_ host: String, port: Int, then body: @escaping @Sendable ([SocketAddress]) -> Void)
  {
    let numeric = SocketAddress.find(host, port: port, numericOnly: true)
    if !numeric.isEmpty { return body(numeric) }
    let key = Key(host: host, port: port)
    let now = BootClock.now()
    let known = entries.withLock { $0[key] }
    if let known, known.expires > now { return body(known.addresses) }
    let accepted = threads.submit {
      let found = SocketAddress.find(host, port: port, numericOnly: false)
      self.entries.withLock { entries in
        if entries.count >= Self.entriesMax { entries.removeAll() }
        // A name that cannot be looked up is asked for again by the next probe.
        entries[key] =
          found.isEmpty ? nil : Entry(addresses: found, expires: now + Self.lifetime)
      }
      body(found)
    }
    if !accepted { body([]) }
  }

  func stop() { threads.stop() }
}
