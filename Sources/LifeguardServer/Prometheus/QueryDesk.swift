import Glibc
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import NIOCore

/// Where queries are evaluated: a few threads of their own, behind a queue.
///
/// ```
///  request ─▶ queue (256) ─▶ thread 1…concurrency ─▶ evaluate, write, compress ─▶ answer
///                 └─ the deadline, or a client that hangs up, ends the wait and the work
/// ```
///
/// Neither the agent nor the cooperative pool ever evaluates a query, and the threads give way to
/// both: they run at a lower priority, so that a heavy query cannot delay the one-second turn even
/// where it takes every core that is free.
final class QueryDesk: Sendable {
  /// Requests that wait or run; the server takes no more connections than this anyway.
  static let waitingMax = 256
  /// Nice values of the threads (setpriority(2)): half a default thread's share or less.
  private static let niceness: Int32 = 10
  /// The parser allows 200 levels of nesting; a thousand bytes of stack for each function and level
  /// is plenty. Only what is touched costs memory.
  private static let stackBytes = 16 << 20

  private let threads: BlockingThreads

  /// - Throws: when the process has no thread left.
  init(concurrency: Int) throws(SystemCallError) {
    threads = try BlockingThreads(
      threadsMax: concurrency, jobsMax: QueryDesk.waitingMax, name: "queries",
      stackBytes: QueryDesk.stackBytes)
  }

  deinit { threads.stop() }

  /// Runs `work` when its turn comes.
  ///
  /// The answer comes at the deadline at the latest; a thread that is busy then stops at its next
  /// look at the ticket.
  func run(
    until deadline: ContinuousClock.Instant, for watch: DisconnectWatch?, timer: any EventLoop,
    _ work: @escaping @Sendable (QueryTicket) -> Reply
  ) async -> Reply {
    let ticket = QueryTicket(deadline: deadline)
    let answer = OneShot<Reply>()
    let isAccepted = threads.submit {
      // PRIO_PROCESS of 0 is the calling thread alone (setpriority(2), C library differences).
      setpriority(__priority_which_t(0), 0, QueryDesk.niceness)
      guard ticket.begin() else { return }
      answer.finish(work(ticket))
    }
    guard isAccepted else {
      return APIFailure(.unavailable, "\(QueryDesk.waitingMax) queries wait already").reply
    }
    let left = max((deadline - .now).milliseconds, 1)
    let limit = timer.scheduleTask(in: .milliseconds(left)) {
      answer.finish(APIFailure(.timeout, ticket.timeoutMessage).reply)
    }
    let canceled = APIFailure(.interrupted(.canceled)).reply
    watch?.onDisconnect {
      ticket.cancel()
      answer.finish(canceled)
    }
    let reply = await withTaskCancellationHandler {
      await answer.value
    } onCancel: {
      // The server ends: nobody waits any more.
      ticket.cancel()
      answer.finish(canceled)
    }
    limit.cancel()
    watch?.onDisconnect(nil)
    return reply
  }
}
