import LifeguardCore
import LifeguardHost
import NIOCore
import Synchronization

/// Lets few questions read stored samples at a time; the others wait in order, each until its
/// deadline.
///
/// What a question has read from the disk, up to 64 MiB, stays in memory until its answer is
/// written, so their number is what bounds that memory. The disk reads for one at a time: two keep
/// it busy while another is evaluated.
final class DiskGate: Sendable {
  static let insideMax = 2

  private struct State {
    var inside = 0
    var waiting: [OneShot<Bool>] = []
  }

  private let state = Mutex(State())

  /// How many have entered and not left.
  var inside: Int { state.withLock { $0.inside } }

  /// Waits for a place.
  ///
  /// - Returns: false when the time is up or the client has gone: then there is nothing to leave.
  func enter(
    until deadline: ContinuousClock.Instant, for watch: DisconnectWatch?, timer: any EventLoop
  ) async -> Bool {
    let place = OneShot<Bool>()
    let isFree = state.withLock { state in
      guard state.inside >= DiskGate.insideMax else {
        state.inside += 1
        return true
      }
      state.waiting.append(place)
      return false
    }
    if isFree { return true }
    let left = max((deadline - .now).milliseconds, 1)
    let limit = timer.scheduleTask(in: .milliseconds(left)) { place.finish(false) }
    watch?.onDisconnect { place.finish(false) }
    let hasEntered = await withTaskCancellationHandler {
      await place.value
    } onCancel: {
      // The server ends.
      place.finish(false)
    }
    limit.cancel()
    watch?.onDisconnect(nil)
    if !hasEntered { state.withLock { $0.waiting.removeAll { $0 === place } } }
    return hasEntered
  }

  /// Gives the place to whoever has waited longest and still waits.
  func leave() {
    state.withLock { state in
      while !state.waiting.isEmpty {
        if state.waiting.removeFirst().finish(true) { return }
      }
      state.inside -= 1
    }
  }
}
