import Glibc
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// One scenario's stage: a folder, the real `lifeguard` command, a program that goes wrong on
/// request, and a webhook that listens.
///
/// ```swift
/// try await Scene.play("services: [{name: kid, command: [FOLDER/faults, wait]}]") { scene in
///   try await scene.start()
/// }
/// ```
///
/// In configurations and scripts `FOLDER` stands for the folder. When the play is over, whatever
/// lives on a file of the folder is killed, by its process id.
final class Scene: Sendable {
  let folder: TemporaryFolder
  let hook: WebhookReceiver
  let data: String
  let faults: String
  private let mount: String?
  private let disk: String?
  private let user: String?
  private let program = Mutex<ChildProgram?>(nil)
  private let past = Mutex<String>("")

  /// - Parameters:
  ///   - mount: a name in the folder where the agent alone has a small file system.
  ///   - disk: one where everybody has, as process 1 sees it: what the agent watches.
  ///   - user: who runs the agent, when it is not root.
  private init(mount: String?, disk: String?, user: String?) async throws {
    folder = try TemporaryFolder()
    // The agent's unprivileged part must be able to pass through.
    chmod(folder.path, 0o755)
    hook = try WebhookReceiver()
    data = folder / "data"
    faults = folder / "faults"
    self.mount = mount
    self.user = user
    self.disk = disk.map { [folder] in folder / $0 }
    let source = SourceTree.path("Tests/Scenarios/faults.c")
    let result = try await ChildProgram.run(["gcc", "-O1", "-pthread", source, "-o", faults])
    try #require(result.succeeded, "\(result)")
    if let user {
      // What the agent and its programs may write to.
      let account = try #require(getpwnam(user)?.pointee, "there is no user \(user)")
      for name in ["data", "open"] {
        chown(try folder.makeFolder(name, mode: 0o700), account.pw_uid, account.pw_gid)
      }
    }
    guard let disk = self.disk else { return }
    mkdir(disk, 0o755)
    let mounting = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", disk]
    let mounted = try await ChildProgram.run(mounting)
    try #require(mounted.succeeded, "\(mounted)")
  }

  /// Plays a scenario and takes the stage down, whatever happens in it.
  static func play(
    mode: String = "auto", guardRails: String = "", mount: String? = nil,
    disk: String? = nil, user: String? = nil, _ configuration: String,
    _ act: (Scene) async throws -> Void
  ) async throws {
    let scene = try await Scene(mount: mount, disk: disk, user: user)
    try scene.configure(mode: mode, guardRails: guardRails, configuration)
    do {
      try await act(scene)
    } catch {
      Issue.record("\(scene.report)")
      await scene.end()
      throw error
    }
    await scene.end()
  }

  /// Writes the configuration; a running agent does not look at it again by itself.
  func configure(
    mode: String = "auto", guardRails: String = "", _ configuration: String
  ) throws {
    let text = """
      mode: \(mode)
      default_rules: false
      notify: {receivers: {hook: {webhook: {url: '\(hook.url)'}, cap: 1000 per 1s}}}
      guard_rails:
        {\(Self.guardRails(adding: guardRails))}
      \(configuration)
      """
    try TextFile.write(filled(text), to: folder / "lifeguard.yaml")
  }

  /// The machine that runs tests may be busy; only what a test is about may stop an action.
  static func guardRails(adding more: String) -> String {
    "minimum_uptime: 0s, pressure_some: 100%, pressure_full: 100%"
      + (more.isEmpty ? "" : ", " + more)
  }

  func filled(_ text: String) -> String { text.replacing("FOLDER", with: folder.path) }

  /// Writes a script that the agent may run.
  @discardableResult
  func script(_ name: String, _ text: String) throws -> String {
    try TextFile.write("#!/bin/sh\n" + filled(text) + "\n", to: folder / name, mode: 0o755)
    return folder / name
  }

  // MARK: The agent

  /// Starts the agent without waiting for it.
  @discardableResult
  func launch() throws -> ChildProgram {
    let binary = try #require(LifeguardBinary.path)
    var argv = [
      binary, "run", "--config", folder / "lifeguard.yaml", "--data", data,
      "--listen", "127.0.0.1:0",
    ]
    if let user { argv = Self.asUser(user) + argv }
    if let mount {
      let point = folder / mount
      mkdir(point, 0o755)
      let mounting = "mount -t tmpfs -o size=16m,mode=755 tmpfs \"$0\" && exec \"$@\""
      argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mounting, point] + argv
    }
    let started = try ChildProgram(argv)
    program.withLock { $0 = started }
    return started
  }

  /// What to put before a command so that somebody else runs it, with the same process id.
  static func asUser(_ user: String) -> [String] {
    ["setpriv", "--reuid=\(user)", "--regid=65534", "--clear-groups"]
  }

  /// Starts the agent and waits until it answers.
  func start() async throws {
    let started = try launch()
    let answers = await eventually(within: .seconds(60)) {
      try started.hasEnded != nil || api.status().mode != ""
    }
    try #require(answers && started.isRunning, "\(report)")
  }

  /// Kills the agent, all of it, as `kill -9` does.
  func kill() {
    guard let old = program.withLock({ $0.take() }) else { return }
    old.kill()
    past.withLock { $0 = "--- an agent before\n\(old.standardError)" }
  }

  var agent: ChildProgram? { program.withLock { $0 } }

  var api: AgentAPI {
    let socket = data + "/sock"
    return AgentAPI(socketPath: mount == nil ? socket : seenByAgent(socket))
  }

  /// A path as the agent sees it, which may have mounts of its own.
  func seenByAgent(_ path: String) -> String {
    "/proc/\(agent?.pid ?? 0)/root" + path
  }

  /// Runs a command against the agent, as an operator does.
  @discardableResult
  func command(_ words: String...) async throws -> ProgramResult {
    let binary = try #require(LifeguardBinary.path)
    return try await ChildProgram.run([binary] + words + ["--data", data], timeout: .seconds(60))
  }

  // MARK: What became of it

  /// Waits for an incident of this target in this state.
  func incident(
    of target: String, _ state: String, within limit: Duration = .seconds(40)
  ) async throws -> IncidentStory {
    try await story(within: limit, "an incident of \(target) that is \(state)") {
      $0.target == target && $0.state == state
    }
  }

  /// Waits for an incident, then for what the webhook must have been told of it.
  func story(
    within limit: Duration = .seconds(40), _ what: String,
    _ isWanted: (IncidentRecord) -> Bool
  ) async throws -> IncidentStory {
    var found: IncidentStory?
    let came = await eventually(within: limit, every: .milliseconds(100)) {
      guard let incident = try api.incidents().first(where: isWanted) else { return false }
      found = try api.story(incident.id)
      return true
    }
    try #require(came, "there is no \(what)\n\(report)")
    return try #require(found)
  }

  /// Detection, evidence, action, verification, record and notification of a fault that was put
  /// right by this step.
  func expectWhole(
    _ story: IncidentStory, step: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async {
    let comment = Comment(rawValue: story.description)
    #expect(story.has("opened"), comment, sourceLocation: sourceLocation)
    #expect(story.has("evidence"), comment, sourceLocation: sourceLocation)
    let files = await eventually { try !self.api.story(story.incident.id).evidenceFiles.isEmpty }
    #expect(files, "no evidence file\n\(story)", sourceLocation: sourceLocation)
    #expect(story.has("intended", step), comment, sourceLocation: sourceLocation)
    #expect(story.has("acted", step), comment, sourceLocation: sourceLocation)
    let last = story.incident.attempts.last
    #expect(last?.step == step, comment, sourceLocation: sourceLocation)
    #expect(last?.outcome == "recovered", comment, sourceLocation: sourceLocation)
    #expect(story.has("closed", "recovered"), comment, sourceLocation: sourceLocation)
    let id = story.incident.id
    let told = await eventually { self.hook.kinds(of: id).last == "recovered" }
    #expect(
      told && self.hook.kinds(of: id).first == "opened",
      "told: \(self.hook.kinds(of: id))\n\(story)", sourceLocation: sourceLocation)
  }

  /// The main process of a service, once the agent knows that it is up.
  func pid(of service: String) async throws -> Int32 {
    var pid: Int32?
    let isUp = await eventually(within: .seconds(30), every: .milliseconds(50)) {
      let seen = try api.status().service(service)
      guard seen?.state == "up", let process = seen?.pid else { return false }
      pid = process
      return true
    }
    try #require(isUp, "\(service) is not up\n\(report)")
    return try #require(pid)
  }

  /// What the agent has printed, and its incidents: for whoever reads a failure.
  var report: String {
    let program = agent
    var lines = [past.withLock { $0 }, program?.standardOutput ?? "", program?.standardError ?? ""]
    if let end = program?.hasEnded { lines.append("the agent \(end)") }
    // try?: an agent that is gone has nothing to say.
    for incident in (try? api.incidents()) ?? [] {
      if let story = try? api.story(incident.id) { lines.append("\(story)") }  // as above
    }
    lines.append("told: \(hook.all.map { "\($0.incident) \($0.kind)" })")
    return lines.joined(separator: "\n")
  }

  // MARK: The end

  private func end() async {
    await program.withLock { $0.take() }?.terminate(grace: .seconds(10))
    var left = ProcessTable.using(folder.path)
    for _ in 0..<200 where !left.isEmpty {
      for pid in left { Glibc.kill(pid, SIGKILL) }
      // Cancellation only makes the next look come sooner.
      try? await Task.sleep(for: .milliseconds(10))
      left = ProcessTable.using(folder.path)
    }
    #expect(left.isEmpty, "processes \(left) cannot be ended")
    ControlGroupsOfTests.remove(childrenOf: data)
    if let disk { umount2(disk, Int32(MNT_DETACH)) }
    folder.remove()
  }
}

/// The command under test.
enum LifeguardBinary {
  /// `$LIFEGUARD_BINARY`, else the one beside the tests.
  static var path: String? {
    if let named = getenv("LIFEGUARD_BINARY").map({ String(cString: $0) }), !named.isEmpty {
      return named
    }
    return Program.lifeguard
  }

  /// Faults need the command, root, namespaces and a C compiler.
  static let requirement = Requirement.all(
    Requirement(
      isMet: path.map { access($0, X_OK) == 0 } ?? false,
      reason: "needs the lifeguard command built"),
    .root, .program("gcc"), .program("unshare"))
}
