import LifeguardCore
import Synchronization

/// Memory of one sandbox, where there is no state table: it ends with the sandbox, and no other
/// sandbox knows of it.
final class SandboxTable: StateTable {
  private struct Memory {
    var fleet = StoredFleet()
    /// By key: when it was claimed, and whether it ended.
    var claims: [String: (at: Timestamp, isDone: Bool)] = [:]
  }

  private let memory = Mutex(Memory())
  /// Events remembered; the oldest half goes first.
  private static let claimsMax = 2000

  var isDurable: Bool { false }

  /// Nothing here is waited for.
  func within(_ limit: Duration) -> any StateTable { self }

  func load() async throws(StateTableError) -> StoredFleet { memory.withLock { $0.fleet } }

  func save(
    _ document: [UInt8], after version: Int64, by writer: String
  ) async throws(StateTableError) -> Int64? {
    memory.withLock { memory in
      guard memory.fleet.version == version else { return nil }
      memory.fleet.version += 1
      memory.fleet.document = document
      return memory.fleet.version
    }
  }

  func claim(_ claim: EventClaim) async throws(StateTableError) -> EventClaim.Answer {
    memory.withLock { memory in
      // One invocation at a time: whoever claimed it before is gone.
      if let known = memory.claims[claim.key] { return known.isDone ? .done : .abandoned }
      if memory.claims.count >= Self.claimsMax {
        let kept = memory.claims.sorted { $0.value.at > $1.value.at }.prefix(Self.claimsMax / 2)
        memory.claims = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
      }
      memory.claims[claim.key] = (claim.now, false)
      return .won
    }
  }

  func release(_ claim: EventClaim) async throws(StateTableError) {
    memory.withLock { $0.claims[claim.key] = nil }
  }

  func finish(_ claim: EventClaim, outcome: String) async throws(StateTableError) {
    memory.withLock { $0.claims[claim.key] = (claim.now, true) }
  }
}
