import NIOCore
import Synchronization

/// Closes a connection on which one thing takes too long: a request to arrive, an answer to go.
final class ConnectionLimit: Sendable {
  private let channel: any NIOCore.Channel
  private let scheduled = Mutex<Scheduled<Void>?>(nil)

  init(_ channel: any NIOCore.Channel) { self.channel = channel }

  /// Starts the time anew.
  func start(_ time: TimeAmount) {
    let channel = channel
    let next = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    scheduled.withLock { current in
      current?.cancel()
      current = next
    }
  }

  func stop() {
    scheduled.withLock { current in
      current?.cancel()
      current = nil
    }
  }
}
