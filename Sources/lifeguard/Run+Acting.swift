import ArgumentParser
import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardServer
import LifeguardStore

/// The two processes of an agent that root starts.
extension Run {
  /// The root side: false when the agent must be one process after all.
  func runActing() throws -> Bool {
    let loader = Loading.loader
    let file = Loading.mainFile(config, loader)
    let configuration = try checked(loader.load(mainFile: file), isQuiet: true)
    let directory = dataDirectory(configuration)
    guard let user = Privileges.unprivilegedUser, reachable(directory) else {
      StandardError.write(
        "lifeguard: warning: \(directory) cannot be reached by an unprivileged user, so one "
          + "process does everything as root; use a directory below /var/lib\n")
      return false
    }
    do {
      try DataDirectory.check(directory)
      try Privileges.give(directory, to: user, mode: 0o700)
      if Places.socket(dataDirectory: directory) == Places.rootSocket {
        try Privileges.give("/run/lifeguard", to: user, mode: 0o755)
      }
      try act(configuration, file, directory)
    } catch let error as ExitCode {
      throw error
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
    return true
  }

  /// Whether somebody else can pass every directory on the way there.
  private func reachable(_ path: String) -> Bool {
    var way = ""
    for part in path.split(separator: "/").dropLast() {
      way += "/\(part)"
      var status = stat()
      // What is missing is made with the right mode.
      if stat(way, &status) == 0, status.st_mode & 0o001 == 0 { return false }
    }
    return true
  }

  private func act(
    _ configuration: Configuration, _ file: String?, _ directory: String
  ) throws {
    let load: @Sendable () -> (LoadedConfiguration, RecordedFiles) = {
      let recorder = FileRecorder(.system)
      var loader = Loading.loader
      loader.files = recorder.access
      let loaded = loader.load(mainFile: file)
      return (loaded, recorder.recorded)
    }
    let tools = try HandsTools()
    // Output of children is written by root, so it lies where nobody else can put a link.
    let hands = try LocalHands(
      tools: tools, configuration: configuration, childLogs: "\(directory)-act",
      load: { load().0 }, isStopped: AgentRuntime.killSwitch(directory), topProcesses: { "" })
    var arguments = ["lifeguard", "run", "--act-descriptor", "\(ActProcess.descriptor)"]
    arguments += ["--data", directory, "--log-level", logLevel]
    if let file { arguments += ["--config", Places.absolute(file)] }
    if let listen { arguments += ["--listen", "\(listen)"] }
    if json { arguments.append("--json") }
    let process = ActProcess(
      hands: hands, threads: tools.threads, executable: Places.executable ?? "/proc/self/exe",
      arguments: arguments, load: load)
    let (signals, signalling) = AsyncStream.makeStream(of: ActProcess.Signal.self)
    Task.detached {  // why: main has no task to be a child of
      do {
        Glibc.exit(try await process.run(signals))
      } catch {
        StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
        Glibc.exit(1)
      }
    }
    while let number = Signals.next() {
      signalling.yield(number == SIGHUP ? .reload : .stop)
    }
  }

  /// The side without privileges: everything about the configuration comes from the acting side.
  func unprivilegedSetting() throws -> Setting {
    let executable = Places.executable
    guard let user = Privileges.unprivilegedUser else { throw ExitCode.problem }
    if geteuid() == 0 { try Privileges.drop(to: user) }
    // After the change of user, which clears it.
    try Privileges.dieWithParent()
    let processes = ProcessWatch()
    let relay = ReloadRelay()
    let remote = RemoteHands(
      descriptor: ActProcess.descriptor,
      threads: try BlockingThreads(threadsMax: 2, jobsMax: 256), processes: processes,
      onReload: { relay.order() },
      // Without the acting process nothing can be done; its successor starts a new one of this.
      onGone: { Glibc.exit(0) })
    try remote.begin()
    let file = config
    let load: @Sendable () async -> LoadedConfiguration = {
      guard let files = await remote.configurationFiles() else {
        let problem = ConfigurationProblem(location: nil, message: "the acting process is gone")
        return LoadedConfiguration(configuration: nil, problems: [problem])
      }
      var loader = Loading.loader
      loader.files = files.access
      loader.user = 0
      loader.executable = executable
      return loader.load(mainFile: file)
    }
    guard let loaded = Blocking.wait(seconds: 60, for: load) else {
      StandardError.write("lifeguard: the acting process has not answered within 60s\n")
      throw ExitCode.problem
    }
    // The acting process may listen where this one may not; the directory is looked at already.
    let problems =
      loaded.problems + Preflight(listen: listen).addressProblems(loaded)
    Loading.report(problems)
    guard let configuration = loaded.configuration,
      !problems.contains(where: { $0.severity == .error })
    else { throw ExitCode.problem }
    return Setting(
      configuration: configuration, file: file, directory: dataDirectory(configuration),
      hands: remote, processes: processes, load: load, reload: relay,
      tellAlive: { remote.tellAlive() })
  }
}
