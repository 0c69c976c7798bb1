import Glibc
import LifeguardConfiguration
import LifeguardCore
import TestSupport

@testable import LifeguardAgent
@testable import LifeguardHost

/// The acting side and who asks it, over a real socket pair in one process.
struct ActingWorld: Sendable {
  let folder: TemporaryFolder
  let hands: LocalHands
  let remote: RemoteHands
  let processes: ProcessWatch
  let configuration: Configuration

  struct CouldNotLoad: Error {
    var problems: [ConfigurationProblem]
  }

  /// Runs `body` beside an acting side with this configuration, in which FOLDER is a private one.
  static func with(
    _ text: String, _ body: @escaping @Sendable (ActingWorld) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let file = folder / "lifeguard.yaml"
    let filled = text.replacing("FOLDER", with: folder.path)
    try TextFile.write("mode: auto\ndefault_rules: false\n" + filled, to: file, mode: 0o600)
    try TextFile.write(
      "#!/bin/sh\necho \"$LIFEGUARD_ATTEMPT\" >> \(folder.path)/runs\n", to: folder / "fix.sh",
      mode: 0o755)
    let load: @Sendable () -> (LoadedConfiguration, RecordedFiles) = {
      let recorder = FileRecorder(.system)
      let loader = ConfigurationLoader(
        files: recorder.access, environment: { _ in nil }, user: geteuid())
      return (loader.load(mainFile: file), recorder.recorded)
    }
    let loaded = load().0
    guard let configuration = loaded.configuration else {
      throw CouldNotLoad(problems: loaded.problems)
    }
    let hands = try LocalHands(
      tools: try HandsTools(), configuration: configuration, childLogs: folder / "act",
      load: { load().0 }, isStopped: { TextFile.exists(folder / "freeze") }, topProcesses: { "" })
    var pair: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
      throw LifeguardHost.SystemCallError(call: "socketpair")
    }
    let server = ActServer(descriptor: pair[0], hands: hands, load: load)
    let processes = ProcessWatch()
    let remote = RemoteHands(
      descriptor: pair[1], threads: try BlockingThreads(threadsMax: 1, jobsMax: 16),
      processes: processes, onReload: {}, onGone: {})
    try remote.begin()
    let world = ActingWorld(
      folder: folder, hands: hands, remote: remote, processes: processes,
      configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      do {
        try await body(world)
      } catch {
        await world.end(server)
        throw error
      }
      await world.end(server)
    }
  }

  private func end(_ server: ActServer) async {
    for service in configuration.services { await hands.supervisor.stop(service.name) }
    server.stop()
  }

  /// Puts a list of processes in, with one of them in it.
  func list(_ name: String, at boottime: Duration, unread: [ProcessIdentity] = []) {
    let entry = ProcessEntry(
      pid: 7, parent: 1, name: name, state: "R", processorPercent: 97, residentBytes: 1 << 20,
      threads: 1, startTicks: 7)
    processes.finishScan(
      ProcessTable.Scan(
        snapshot: ProcessSnapshot(
          takenAt: Timestamp(milliseconds: 0), boottime: boottime, processes: 1, threads: 1,
          states: ["R": 1], byProcessor: [entry], byMemory: [], byStorage: [], byDescriptors: []),
        members: [], unread: unread))
  }

  /// An order for a rung of the plan `fix`, true in every part that is not given.
  func order(
    fence: Int, rung: Int = 0, hash: String? = nil, target: Target = Target(.service, "web"),
    plan: String = "fix"
  ) -> StepOrder {
    let known = configuration.allPlans[plan]
    return StepOrder(
      attempt: "1/\(rung)/\(fence)", fence: fence, plan: plan,
      planHash: hash ?? known.map(PlanHash.of) ?? "", rung: rung, target: target,
      alert: AlertContext(
        name: "ServiceDown", labels: ["service": "web"], annotations: [:], value: 0,
        since: Timestamp(milliseconds: 0), incident: 1, target: target))
  }

  /// The attempts whose script has run.
  var runs: [String] {
    // try?: before the first there is no file.
    ((try? TextFile.read(folder / "runs")) ?? "").split(separator: "\n").map(String.init)
  }
}

extension StepResult {
  /// Why it was refused; nil when it was not.
  var refusalCode: String? {
    if case .refused(let refusal) = status { refusal.code } else { nil }
  }
}
