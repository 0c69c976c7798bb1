/// Deadlines in order: a binary heap, with cancelled entries dropped when they come up.
struct TimerQueue {
  private struct Entry {
    var deadline: Duration
    var number: UInt64
  }

  private var heap: [Entry] = []
  private var actions: [UInt64: @Sendable () -> Void] = [:]

  /// Entries held, those cancelled but not yet dropped included.
  var entryCount: Int { heap.count }

  mutating func add(
    number: UInt64, deadline: Duration, action: @escaping @Sendable () -> Void
  ) {
    actions[number] = action
    heap.append(Entry(deadline: deadline, number: number))
    siftUp(heap.count - 1)
  }

  mutating func cancel(_ number: UInt64) {
    actions[number] = nil
    // Cancelled entries must not pile up: probes cancel a timeout each time they succeed.
    guard heap.count > 64, heap.count > 2 * actions.count else { return }
    heap = heap.filter { actions[$0.number] != nil }
    heap.sort { $0.deadline < $1.deadline }
  }

  /// The deadline of the next action that was not cancelled.
  mutating func next() -> Duration? {
    while let first = heap.first {
      if actions[first.number] != nil { return first.deadline }
      removeFirst()
    }
    return nil
  }

  /// Takes the actions due at `now`, in order.
  mutating func takeDue(at now: Duration) -> [@Sendable () -> Void] {
    var due: [@Sendable () -> Void] = []
    while let deadline = next(), deadline <= now {
      if let action = actions.removeValue(forKey: heap[0].number) { due.append(action) }
      removeFirst()
    }
    return due
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].deadline < heap[parent].deadline else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
        if heap[child].deadline < heap[least].deadline { least = child }
      }
      guard least != index else { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
