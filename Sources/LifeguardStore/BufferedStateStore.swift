/// A `StateStore` that goes on in memory while the disk does not take anything.
///
/// What could not be committed is kept, newest version of each thing, and goes out whole with the
/// next commit that succeeds. The timeline keeps `timelineEntriesMax` entries; those lost beyond
/// that are counted.
public final class BufferedStateStore {
  public enum Outcome: Sendable {
    /// On the disk, and all that waited with it.
    case durable
    /// Kept in memory, because of this.
    case kept(StoreError)
  }

  /// About 2 MiB of entries: hours of trouble.
  public static let timelineEntriesMax = 10_000

  public let store: StateStore
  /// Nil when everything is on the disk.
  public private(set) var failure: StoreError?
  /// Timeline entries given up for lack of memory.
  public private(set) var entriesLost = 0
  private var waiting: StateChange?

  public init(_ store: StateStore) { self.store = store }

  /// Commits the change and all that waits.
  @discardableResult
  public func commit(_ change: StateChange) -> Outcome {
    var change = change
    if var waiting {
      waiting.merge(change)
      change = waiting
    }
    do throws(StoreError) {
      try store.commit(change)
      waiting = nil
      failure = nil
      return .durable
    } catch {
      let excess = change.timeline.count - BufferedStateStore.timelineEntriesMax
      if excess > 0 {
        change.timeline.removeFirst(excess)
        entriesLost += excess
      }
      waiting = change
      failure = error
      return .kept(error)
    }
  }

  /// Tries again, if anything waits; call it every few seconds while `failure` is set.
  @discardableResult
  public func flush() -> Outcome {
    waiting == nil ? .durable : commit(StateChange())
  }
}

extension StateChange {
  /// Adds a newer change; of two versions of one thing only the newer stays.
  public mutating func merge(_ newer: StateChange) {
    state = newer.state ?? state
    let incidentIDs = Set(newer.incidents.map(\.id))
    incidents.removeAll { incidentIDs.contains($0.id) }
    incidents += newer.incidents
    timeline += newer.timeline
    let keys = Set(newer.outbox.map(\.key))
    outbox.removeAll { keys.contains($0.key) }
    outbox += newer.outbox
    let services = Set(newer.children.map(\.service))
    children.removeAll { services.contains($0.service) }
    children += newer.children
  }
}
