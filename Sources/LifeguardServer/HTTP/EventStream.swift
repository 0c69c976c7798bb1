import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardCore
import NIOCore
import Synchronization

/// Writes timeline entries to listeners as they happen (HTML standard, server-sent events).
final class EventStream: Sendable {
  static let listenersMax = 64
  /// Proxies and browsers give up on a silent connection after about a minute.
  static let heartbeat: Duration = .seconds(15)
  /// How long one write may take before a listener that does not read is dropped.
  static let writeLimit: TimeAmount = .seconds(10)

  private let agent: Agent
  private let listeners = Mutex(0)
  private let queues = Mutex<[UInt64: AsyncStream<Line>.Continuation]>([:])
  private let lastNumber = Mutex<UInt64>(0)

  init(agent: Agent) { self.agent = agent }

  /// Takes a place; false when there is none left.
  func enter() -> Bool {
    listeners.withLock { count in
      guard count < EventStream.listenersMax else { return false }
      count += 1
      return true
    }
  }

  func leave() { listeners.withLock { $0 -= 1 } }

  /// Ends every stream, so that the server can end.
  func stop() {
    for queue in queues.withLock({ Array($0.values) }) { queue.finish() }
  }

  private enum Line: Sendable {
    case entry(TimelineEntry)
    case heartbeat
  }

  /// Writes until the listener hangs up or the agent ends.
  func write(to writer: inout any ResponseBodyWriter, on channel: any NIOCore.Channel) async throws
  {
    let entries = agent.feed.subscribe()
    let (lines, queue) = AsyncStream.makeStream(
      of: Line.self, bufferingPolicy: .bufferingNewest(256))
    let number = lastNumber.withLock { number in
      number += 1
      return number
    }
    queues.withLock { $0[number] = queue }
    defer { queues.withLock { _ = $0.removeValue(forKey: number) } }
    try await send(": lifeguard\n\n", to: &writer, on: channel)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await entry in entries { queue.yield(.entry(entry)) }
        queue.finish()
      }
      group.addTask {
        while !Task.isCancelled {
          // Cancellation ends the loop.
          try? await Task.sleep(for: EventStream.heartbeat)
          queue.yield(.heartbeat)
        }
      }
      defer { group.cancelAll() }
      for await line in lines {
        switch line {
        case .heartbeat: try await send(": still here\n\n", to: &writer, on: channel)
        case .entry(let entry):
          let json = try JSONCoder.json(EntryView(entry)).text()
          try await send("event: entry\ndata: \(json)\n\n", to: &writer, on: channel)
        }
      }
    }
  }

  private func send(
    _ text: String, to writer: inout any ResponseBodyWriter, on channel: any NIOCore.Channel
  ) async throws {
    let limit = channel.eventLoop.scheduleTask(in: EventStream.writeLimit) {
      channel.close(promise: nil)
    }
    defer { limit.cancel() }
    try await writer.write(ByteBuffer(string: text))
  }
}
