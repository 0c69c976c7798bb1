import Synchronization

/// Lets a few remote write requests in at a time; some wait in order, and more are sent away.
///
/// Each holds its body decompressed, so their number is what bounds the memory.
final class WriteGate: Sendable {
  /// Being decoded or appended: two keep one decoding while the other appends.
  static let insideMax = 2
  /// Prometheus opens up to 50 connections to one store (`max_shards`).
  static let waitingMax = 50
  /// Of all bodies that wait.
  static let waitingBytesMax = 64 << 20

  private struct State {
    var inside = 0
    var waiting: [(CheckedContinuation<Void, Never>, bytes: Int)] = []
    var waitingBytes = 0
  }

  private let state = Mutex(State())

  /// Waits for a place; false when too many wait already.
  func enter(bytes: Int) async -> Bool {
    let isTurnedAway = state.withLock { state in
      state.inside >= WriteGate.insideMax
        && (state.waiting.count >= WriteGate.waitingMax
          || state.waitingBytes + bytes > WriteGate.waitingBytesMax)
    }
    if isTurnedAway { return false }
    await withCheckedContinuation { continuation in
      let goesOn = state.withLock { state in
        if state.inside < WriteGate.insideMax {
          state.inside += 1
          return true
        }
        state.waiting.append((continuation, bytes: bytes))
        state.waitingBytes += bytes
        return false
      }
      if goesOn { continuation.resume() }
    }
    return true
  }

  /// Gives the place to whoever has waited longest.
  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiting.isEmpty else {
        state.inside -= 1
        return nil
      }
      let (continuation, bytes) = state.waiting.removeFirst()
      state.waitingBytes -= bytes
      return continuation
    }
    next?.resume()
  }
}
