import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore
import Logging

/// What is made durable, and what is remembered.
extension Agent {
  /// Writes the monitor's state, the timeline and the messages in one transaction.
  ///
  /// A disk that takes nothing stops neither detection nor action nor messages: what waits is kept
  /// in memory and written with the first commit that succeeds.
  func persist(
    _ entries: [LifeguardCore.TimelineEntry], _ messages: [(Announcement, receiver: String)],
    at now: Moment
  ) {
    let monitor = turn.monitor
    guard monitor.revision != persistedRevision || !entries.isEmpty || !messages.isEmpty else {
      return
    }
    do {
      var change = StateChange(state: try JSONCoder.encode(monitor.state))
      change.timeline = try entries.map(record)
      change.incidents = try Set(entries.compactMap(\.incident)).sorted().compactMap { id in
        try monitor.state.incidents[id].map(summary)
      }
      change.outbox = try messages.flatMap { try enqueue($0, receiver: $1, at: now) }
      commit(change)
      persistedRevision = monitor.revision
    } catch {
      // Only a value that cannot be written as JSON comes here, which is an error of ours.
      logger.error("State not written", error: error)
    }
  }

  func commit(_ change: StateChange) {
    let before = keeper.failure
    keeper.commit(change)
    noteStorage(before: before)
  }

  /// Tries again what could not be written.
  func flush() {
    guard let before = keeper.failure else { return }
    keeper.flush()
    noteStorage(before: before)
  }

  private func noteStorage(before: StoreError?) {
    guard (before == nil) != (keeper.failure == nil) else { return }
    let summary = keeper.failure.map {
      "decisions are kept in memory only, and lost if the agent ends: \($0)"
    }
    storageProblem = Problem(
      name: "LifeguardStateNotDurable", labels: ["severity": "critical"],
      summary: summary ?? "", isActive: summary != nil)
  }

  /// The first problem with the store is told in the next turn, not from within a commit.
  func reportStorage() {
    guard let problem = storageProblem else { return }
    storageProblem = nil
    deliver(.problem(problem))
  }

  private func record(_ entry: LifeguardCore.TimelineEntry) throws -> TimelineRecord {
    entrySequence += 1
    return TimelineRecord(
      incident: entry.incident.map(String.init) ?? "", sequence: entrySequence,
      at: entry.at.wall, kind: entry.kind.rawValue,
      json: String(decoding: try JSONCoder.encode(entry), as: UTF8.self))
  }

  private func summary(_ incident: Incident) throws -> IncidentSummary {
    IncidentSummary(
      id: String(incident.id), opened: incident.openedAt.wall,
      closed: incident.isOpen ? nil : incident.endedAt?.wall,
      target: incident.target?.description ?? "",
      json: String(decoding: try JSONCoder.encode(incident), as: UTF8.self))
  }

  /// A supervised child is remembered before anything is decided about it.
  func remember(_ child: ChildRecord) {
    children.removeAll { $0.service == child.service }
    children.append(child)
    var change = StateChange()
    change.children = [
      .put(
        SupervisedChild(
          service: child.service, process: child.identity.pid,
          startTicks: child.identity.startTicks, logPath: ""))
    ]
    commit(change)
  }

  var storageStatus: StorageStatus {
    StorageStatus(
      state: keeper.failure.map { "in memory only: \($0)" } ?? "durable",
      samples: sampleWatch.state, directory: parts.dataDirectory)
  }

  /// Long evidence goes to a file beside the state; the timeline names it.
  func keep(_ report: EvidenceReport, of incident: Int) async {
    guard !report.sections.isEmpty else { return }
    let folder = parts.evidence
    let name = "\(incident)-\(parts.clock().wall.milliseconds)"
    await folder.write(report, name: name)
  }
}
