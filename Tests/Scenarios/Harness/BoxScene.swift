import Glibc
import LifeguardCore
import TestSupport
import Testing

/// A scenario with a real systemd: the agent runs inside the box, as root does it at home, and the
/// webhook listens on the box's own loopback interface.
final class BoxScene: Sendable {
  let box: SystemdBox
  let hook: WebhookReceiver
  /// The box's process 1, as this host numbers it.
  private let process: Int32
  /// nil where systemd started it.
  private let agent: ChildProgram?

  static let requirement = Requirement.all(LifeguardBinary.requirement, .systemdBox)

  /// Who starts the agent.
  enum Starter {
    /// The scene, as root does it by hand.
    case hand
    /// systemd, from the unit under `deploy/systemd`.
    case systemd
  }

  /// Boots a box, puts units and files in, starts the agent, and takes it all down in the end.
  static func play(
    units: [String: String] = [:], files: [String: String] = [:], start: [String] = [],
    startedBy starter: Starter = .hand, _ configuration: String,
    _ act: (BoxScene) async throws -> Void
  ) async throws {
    let box = try await SystemdBox.up(within: .seconds(120))
    do {
      for (name, text) in units { try await box.write(text, to: "/etc/systemd/system/\(name)") }
      for (path, text) in files {
        try await box.write(text, to: path, mode: path.hasSuffix(".sh") ? "0755" : "0644")
      }
      try await box.require(["systemctl", "daemon-reload"])
      for unit in start {
        try await box.require(["systemctl", "start", unit], timeout: .seconds(60))
      }
      do {
        let scene = try await BoxScene(box, configuration, starter)
        do {
          try await act(scene)
        } catch {
          Issue.record("\(scene.report)")
          throw error
        }
      } catch  where starter == .systemd {
        let journal = try await box.run(["journalctl", "-u", "lifeguard", "--no-pager", "-n", "60"])
        Issue.record("\(journal)")
        throw error
      }
    } catch {
      try await box.down()
      throw error
    }
    try await box.down()
  }

  private init(
    _ box: SystemdBox, _ configuration: String, _ starter: Starter
  ) async throws {
    self.box = box
    let text = try TextFile.read(box.folder + "/pid").filter(\.isNumber)
    process = try #require(Int32(text))
    hook = try WebhookReceiver(inNetworkOf: process)
    let head = """
      mode: auto
      default_rules: false
      notify: {receivers: {hook: {webhook: {url: '\(hook.url)'}, cap: 1000 per 1s}}}
      guard_rails: {\(Scene.guardRails(adding: ""))}

      """
    let binary = try #require(LifeguardBinary.path)
    // The box shows the host's root file system, but not what is mounted on it.
    let real = SourceTree.realPath(binary) ?? binary
    switch starter {
    case .hand:
      try await box.write(head + configuration, to: "/etc/lifeguard/lifeguard.yaml")
      var inside = real
      if try await !box.run(["test", "-x", real]).succeeded {
        inside = "/usr/bin/lifeguard"
        try await box.copy(real, to: inside)
      }
      agent = try box.start([inside, "run"])
    case .systemd:
      try await box.installLifeguard(real, configuration: head + configuration)
      agent = nil
      // Type=notify: it ends when the agent has said that it is ready.
      try await box.require(["systemctl", "start", "lifeguard"], timeout: .seconds(100))
    }
    let program = agent
    let api = self.api
    let answers = await eventually(within: .seconds(60)) {
      try program?.hasEnded != nil || api.status().mode != ""
    }
    try #require(answers && program?.isRunning != false, "\(report)")
  }

  var api: AgentAPI { AgentAPI(socketPath: "/proc/\(process)/root/run/lifeguard/sock") }

  /// Waits until the agent has seen a service in this state.
  func waitFor(_ service: String, _ state: String) async throws {
    let isSeen = await eventually(within: .seconds(30), every: .milliseconds(50)) {
      try api.status().service(service)?.state == state
    }
    try #require(isSeen, "\(service) is not \(state)\n\(report)")
  }

  func incident(
    of target: String, _ state: String, within limit: Duration = .seconds(60)
  ) async throws -> IncidentStory {
    var found: IncidentStory?
    let came = await eventually(within: limit, every: .milliseconds(100)) {
      let incidents = try api.incidents()
      guard let incident = incidents.first(where: { $0.target == target && $0.state == state })
      else { return false }
      found = try api.story(incident.id)
      return true
    }
    try #require(came, "no incident of \(target) is \(state)\n\(report)")
    return try #require(found)
  }

  /// One property of a unit (systemctl(1)).
  func property(_ name: String, of unit: String) async throws -> String {
    let text = try await box.require(["systemctl", "show", "--value", "-p", name, unit])
    return text.filter { !$0.isWhitespace }
  }

  /// Kills a unit's main process, without systemd having been asked for anything.
  func killMainProcess(of unit: String) async throws {
    try await box.require(["kill", "-9", try await property("MainPID", of: unit)])
  }

  var report: String {
    var lines = [agent?.standardOutput ?? "", agent?.standardError ?? ""]
    if let end = agent?.hasEnded { lines.append("the agent \(end)") }
    // try?: an agent that is gone has nothing to say.
    for incident in (try? api.incidents()) ?? [] {
      if let story = try? api.story(incident.id) { lines.append("\(story)") }  // as above
    }
    lines.append("told: \(hook.all.map { "\($0.incident) \($0.kind)" })")
    return lines.joined(separator: "\n")
  }
}
