import Synchronization

/// A bounded number of something at once.
final class Room: Sendable {
  private let taken = Mutex(0)
  private let max: Int

  init(_ max: Int) { self.max = max }

  /// Takes a place; false when there is none left.
  func enter() -> Bool {
    taken.withLock { count in
      guard count < max else { return false }
      count += 1
      return true
    }
  }

  func leave() { taken.withLock { $0 -= 1 } }
}
