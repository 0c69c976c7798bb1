import Synchronization

/// A bounded number of something at once, and of what all of it weighs.
final class Room: Sendable {
  private let taken = Mutex((count: 0, weight: 0))
  private let max: Int
  private let weightMax: Int

  init(_ max: Int, weight: Int) {
    self.max = max
    weightMax = weight
  }

  /// Takes a place; false when there is none left.
  func enter(_ weight: Int) -> Bool {
    taken.withLock { taken in
      guard taken.count < max, taken.weight + weight <= weightMax else { return false }
      taken.count += 1
      taken.weight += weight
      return true
    }
  }

  func leave(_ weight: Int) {
    taken.withLock { taken in
      taken.count -= 1
      taken.weight -= weight
    }
  }
}
