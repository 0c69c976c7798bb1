/// The times at which an expression is evaluated: one for an instant query.
struct Steps: Hashable, Sendable {
  /// Milliseconds.
  var start: Int64
  /// Milliseconds; any positive number when there is only one step.
  var interval: Int64
  var count: Int

  /// Every `interval` from `start` to `end`, which may lie before it.
  init(from start: Int64, through end: Int64, interval: Int64) {
    self.start = start
    self.interval = interval
    count = end < start ? 0 : Int((end - start) / interval) + 1
  }

  init(at time: Int64) {
    self.init(from: time, through: time, interval: 1)
  }

  func time(_ index: Int) -> Int64 { start + Int64(index) * interval }
  var last: Int64 { time(count - 1) }
  var first: Steps { Steps(at: start) }
}
