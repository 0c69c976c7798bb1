import LifeguardCore
import LifeguardHost
import Synchronization

/// Tells which processes belong to the groups that are watched: the side that measures them has no
/// right to look at the executables of others.
extension LocalHands {
  /// As often as the list of processes is taken while nothing is pending, halved: a process that
  /// is new is measured within ten seconds.
  private static let groupsEvery: Duration = .seconds(5)

  /// Counts for the side that may not read them.
  func look(at processes: [ProcessIdentity]) async -> [CloseLook] {
    await tools.threads.run { CloseLook.take(processes) } ?? []
  }

  /// Reports members whenever they change, until the task is cancelled.
  func watchGroups(_ report: @escaping @Sendable (HandsReport) -> Void) async {
    var told: [String: [Int32]]?
    while !Task.isCancelled {
      let wanted = knowledge.withLock { $0.groups }
      if !wanted.isEmpty,
        let members = await tools.threads.run({ ProcessSearch.members(of: wanted) }),
        members != told
      {
        told = members
        report(.members(members))
      }
      await tools.reactor.sleep(for: Self.groupsEvery)
    }
  }
}
