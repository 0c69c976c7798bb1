import LifeguardCore

/// A script that an earlier agent was running when it was killed, and that goes on.
///
/// It may finish within the time that it was given; at its timeout, and before anything else is
/// done to what it acts on, it is ended as its own agent would have ended it.
public struct LeftoverRun: Sendable {
  private let record: RunRecord
  private let containment: Containment

  /// What it acts on.
  public var subject: String { record.subject }

  init?(_ record: RunRecord, groups: ControlGroups?, bootID: String) {
    self.record = record
    let name = CommandRunner.groupPrefix + record.marker
    containment = Containment(
      // Nobody's number: found by its group or its marker alone.
      leader: record.leader ?? ProcessIdentity(pid: -1, startTicks: 0),
      group: groups?.groups(prefix: name).first { $0.path.hasSuffix("/\(name)") },
      marker: record.marker)
    guard record.bootID == bootID, isRunning else {
      record.remove()
      return nil
    }
  }

  /// Whether the script itself runs; what it has left running by then is meant to stay.
  public var isRunning: Bool {
    if let leader = record.leader { return ProcessIdentity.current(pid: leader.pid) == leader }
    return !containment.survivors().isEmpty
  }

  /// Waits until it has finished or its time is up, and ends it then.
  public func watch(on reactor: Reactor) async {
    while isRunning, BootClock.now() < record.deadline, !Task.isCancelled {
      await reactor.sleep(for: .milliseconds(200))
    }
    if !Task.isCancelled { await end(on: reactor) }
  }

  /// SIGTERM to all of it and, after the grace, SIGKILL; returns when it has ended, or cannot be.
  public func end(on reactor: Reactor, grace: Duration = .seconds(5)) async {
    defer {
      record.remove()
      // Only an empty group goes; a daemon that the script has started keeps its own.
      _ = containment.remove()
    }
    guard isRunning else { return }
    containment.terminate()
    let killing = BootClock.now() + grace
    let giveUp = killing + .seconds(2)
    while !containment.survivors().isEmpty, BootClock.now() < giveUp {
      if BootClock.now() >= killing { containment.kill() }
      await reactor.sleep(for: .milliseconds(20))
    }
  }
}

extension CommandRunner {
  /// The scripts that earlier agents have left running; `folder` is where they were recorded.
  public func leftovers(in folder: String) -> [LeftoverRun] {
    RunRecord.all(in: folder).compactMap {
      LeftoverRun($0, groups: launcher.groups, bootID: bootID)
    }
  }
}
