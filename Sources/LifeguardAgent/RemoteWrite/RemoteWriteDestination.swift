import AsyncHTTPClient
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Logging
import NIOCore
import Synchronization

/// A store that samples are sent to: what waits in memory for its queue, the queue on disk, and the
/// sender.
///
/// ```
/// Agent ─offer─▶ inbox ─absorb─▶ RemoteWriteQueue (relabelling, spool) ─send─▶ HTTP
///        (never waits)            (a thread of its own)                 (one request at a time)
/// ```
final class RemoteWriteDestination: Sendable {
  /// Samples that may wait for the disk; the newest go first when it hangs.
  private static let inboxMax = 500_000

  let settings: RemoteWriteSettings
  let status: RemoteWriteStatus
  private let queue: RemoteWriteQueue
  private let sender: RemoteWriteSender
  private let clock: @Sendable () -> Moment
  private let logger: Logger
  private let arrived = Bell()
  private let inbox = Mutex(Inbox())

  private struct Inbox {
    var batch = RemoteWriteBatch()
    /// By slot: the epoch of the series whose labels were handed over.
    var announced: [UInt32] = []
  }

  /// - Parameter folder: where the queues of all stores are.
  init(
    _ settings: RemoteWriteSettings, folder: String, externalLabels: [String: String],
    group: any EventLoopGroup, clock: @escaping @Sendable () -> Moment, logger: Logger
  ) {
    self.settings = settings
    self.clock = clock
    self.logger = logger
    status = RemoteWriteStatus(name: settings.name)
    queue = RemoteWriteQueue(
      settings, folder: "\(folder)/queue-\(settings.name)", externalLabels: externalLabels,
      status: status)
    sender = RemoteWriteSender(settings, group: group)
  }

  /// Takes samples without waiting; labels are asked for series that are new here.
  func offer(_ entries: [JournalEntry], labels: (SeriesReference) -> Labels) {
    let lost = inbox.withLock { inbox -> Int in
      guard inbox.batch.entries.count + entries.count <= Self.inboxMax else { return entries.count }
      for entry in entries {
        let slot = Int(entry.reference.slot)
        if slot >= inbox.announced.count {
          let missing = slot + 1 - inbox.announced.count
          inbox.announced += Array(repeating: 0, count: missing)
        }
        guard inbox.announced[slot] != entry.reference.epoch else { continue }
        inbox.announced[slot] = entry.reference.epoch
        inbox.batch.introduced.append((entry.reference, labels(entry.reference)))
      }
      inbox.batch.entries += entries
      return 0
    }
    if lost > 0 {
      status.drop(lost, because: "the disk of the queue does not answer", at: clock().boottime)
    }
    arrived.ring()
  }

  /// Writes what was offered to the queue, for as long as the task lives.
  func absorb() async {
    while !Task.isCancelled {
      await arrived.wait()
      await absorbInbox()
    }
  }

  private func absorbInbox() async {
    let batch = inbox.withLock { inbox in
      let batch = inbox.batch
      inbox.batch = RemoteWriteBatch()
      return batch
    }
    if !batch.entries.isEmpty { await queue.take(batch, at: clock().boottime) }
  }

  /// Sends what waits, in order, for as long as the task lives.
  func send() async {
    var backoff = settings.backoffMin
    while !Task.isCancelled {
      guard let request = await queue.next(at: clock().boottime, isLast: false) else {
        // Cancellation ends the loop.
        try? await Task.sleep(for: min(settings.batchDeadline, .seconds(1)))
        continue
      }
      let answer = await sender.send(request)
      guard case .later(let after, let why) = answer else {
        await settle(request, answer)
        backoff = settings.backoffMin
        continue
      }
      status.retry(request, why)
      logger.debug("Remote write is tried again", metadata: ["reason": "\(why)"])
      // As above; whoever says when to come back is believed, within reason.
      try? await Task.sleep(for: max(backoff, min(after ?? .zero, .seconds(300))))
      backoff = min(backoff * 2, settings.backoffMax)
    }
  }

  private func settle(_ request: RemoteWriteRequest, _ answer: RemoteWriteSender.Answer) async {
    switch answer {
    case .accepted: status.sent(request)
    case .refused(let why):
      status.fail(request, why, at: clock().boottime)
      logger.warning(
        "Remote write refused",
        metadata: ["name": "\(settings.name)", "reason": "\(why)"])
    case .later: return
    }
    await queue.acknowledge(request, at: clock().boottime)
  }

  /// Sends what there is, once each, until the time is up; the rest stays on disk.
  func finish(within limit: Duration) async {
    await absorbInbox()
    let end = clock().boottime + limit
    while clock().boottime < end, let request = await queue.next(at: end, isLast: true) {
      let answer = await sender.send(request, timeout: end - clock().boottime)
      if case .later = answer { return }
      await settle(request, answer)
    }
  }

  /// Writes the rest of what was offered and gives the connections back.
  func close() async {
    await absorbInbox()
    await queue.close()
    await sender.close()
  }

  /// Whether samples were lost in the last minute.
  var isDropping: Bool { status.hasDropped(within: .seconds(60), at: clock().boottime) }
  var dropReason: String { status.dropReason }
}

/// Samples on their way to a queue, and the labels of series that it does not know.
struct RemoteWriteBatch: Sendable {
  var introduced: [(reference: SeriesReference, labels: Labels)] = []
  var entries: [JournalEntry] = []
}

/// One request as it is sent: a compressed body, which stays the same however often it is sent.
struct RemoteWriteRequest: Sendable {
  var body: [UInt8]
  var samples: Int
  /// The time of its newest sample.
  var newest: Timestamp
  /// Where the queue goes on once it is settled.
  var end: Spool.Position
}
