import LifeguardCore
import Synchronization

/// Makes calls that may never return, without waiting longer than a deadline for any of them.
///
/// Each call has a thread of its own. One that misses the deadline is left to itself, since a
/// thread in an uninterruptible wait cannot be ended, and its key is refused until it has come
/// back. So there is never more than one stuck thread and one descriptor for a key, however often
/// it is asked.
struct HangGuard<Output: Sendable> {
  enum Answer {
    case finished(Output)
    /// The deadline has passed just now.
    case timedOut
    /// An earlier call still has not come back; no new one was made.
    case stuck
  }

  private final class Call: Sendable {
    let output = Mutex<Output?>(nil)
    let done: EventDescriptor
    init() throws(CollectorError) { done = try EventDescriptor() }
  }

  private var stuck: [String: Call] = [:]

  /// How many keys have a call that has not come back.
  var stuckCount: Int { stuck.count }

  /// Calls `body` for `key`, waiting for at most `deadline`.
  ///
  /// - Throws: `unavailable` when no thread or descriptor could be had.
  mutating func call(
    _ key: String, deadline: Duration, _ body: @escaping @Sendable () -> Output
  ) throws(CollectorError) -> Answer {
    if let earlier = stuck[key] {
      guard earlier.done.take() else { return .stuck }
      stuck[key] = nil
    }
    let call = try Call()
    do throws(SystemCallError) {
      try Thread.start(name: "guarded call", stackBytes: 64 * 1024) {
        let output = body()
        call.output.withLock { $0 = output }
        call.done.signal()
      }
    } catch {
      throw CollectorError(error)
    }
    if call.done.wait(milliseconds: Int32(clamping: deadline.milliseconds)),
      let output = call.output.withLock({ $0 })
    {
      return .finished(output)
    }
    stuck[key] = call
    return .timedOut
  }

  /// Forgets keys that are not asked about any more and whose call has come back.
  mutating func forget(except keys: Set<String>) {
    for (key, call) in stuck where !keys.contains(key) && call.done.take() { stuck[key] = nil }
  }
}
