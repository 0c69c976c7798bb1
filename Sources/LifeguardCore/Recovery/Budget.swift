/// Counts uses in sliding windows, so that no window of the limit's length ever holds more (G4).
public struct Budget: Hashable, Sendable, Codable {
  /// The moments of past uses by key, oldest first; as many as the limit needs.
  private var uses: [String: [Moment]] = [:]

  public init() {}

  /// nil when one more use fits; otherwise how long until one does.
  public func wait(for key: String, limit: UsageLimit, at moment: Moment) -> Duration? {
    guard limit.count > 0 else { return limit.window }
    let recent = (uses[key] ?? []).filter { moment.elapsed(since: $0) < limit.window }
    guard recent.count >= limit.count else { return nil }
    let oldest = recent[recent.count - limit.count]
    return limit.window - moment.elapsed(since: oldest)
  }

  /// Uses in the last `window`.
  public func used(_ key: String, window: Duration, at moment: Moment) -> Int {
    (uses[key] ?? []).count { moment.elapsed(since: $0) < window }
  }

  /// Uses in the last `window` under all keys that begin with one of the prefixes.
  public func used(prefixes: [String], window: Duration, at moment: Moment) -> Int {
    uses.reduce(0) { sum, entry in
      guard prefixes.contains(where: { entry.key.hasPrefix($0) }) else { return sum }
      return sum + entry.value.count { moment.elapsed(since: $0) < window }
    }
  }

  /// Counts one use.
  public mutating func use(_ key: String, at moment: Moment) {
    uses[key, default: []].append(moment)
  }

  /// Counts as fully spent: what was used before is not known.
  public mutating func spend(_ key: String, limit: UsageLimit, at moment: Moment) {
    uses[key] = Array(repeating: moment, count: limit.count)
  }

  /// Forgets uses that no window can reach any more.
  public mutating func prune(longest: Duration, at moment: Moment) {
    uses = uses.compactMapValues { moments in
      let kept = moments.filter { moment.elapsed(since: $0) < longest }
      return kept.isEmpty ? nil : kept
    }
  }
}
