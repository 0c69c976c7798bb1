import CLinux
import Glibc
import LifeguardCore

/// Starts programs: trusted files only, as the right user, in a session and control group of their
/// own, with a clean environment. It blocks until the program has been executed.
public struct Launcher: Sendable {
  /// A command whose program, user and environment are settled.
  struct Prepared: Sendable {
    var path: String
    var arguments: [String]
    var environment: [String: String]
    var directory: String
    /// nil keeps the agent's user.
    var user: UserAccount?
  }

  /// A process that has just been started. The pidfd belongs to whoever asked for it.
  struct Started: Sendable {
    var identity: ProcessIdentity
    var pidfd: Int32
  }

  /// nil where no control groups can be made.
  public let groups: ControlGroups?
  /// Whether files are checked; only tests of other things switch it off.
  private let checksTrust: Bool
  private let openFilesMax: UInt64

  /// - Parameter openFilesMax: the soft limit on descriptors that programs start with; 1024 is
  ///   what every program is written for, services that need more raise it up to the hard limit.
  public init(
    groups: ControlGroups? = .find(), checksTrust: Bool = true, openFilesMax: UInt64 = 1024
  ) {
    self.groups = groups
    self.checksTrust = checksTrust
    self.openFilesMax = openFilesMax
  }

  func prepare(
    _ command: Command, environment extra: [String: String] = [:]
  ) throws(LaunchError) -> Prepared {
    let given = extra.merging(command.environment) { _, own in own }
    let trust = ExecutableTrust(searchPath: given["PATH"] ?? CommandEnvironment.searchPath)
    let verdict: ExecutableTrust.Verdict
    do throws(TrustError) {
      guard let name = command.arguments.first else { throw .emptyCommand }
      verdict =
        checksTrust
        ? try trust.check(command.arguments, directory: command.workingDirectory ?? "/")
        : ExecutableTrust.Verdict(path: try trust.locate(name), foreignOwner: nil)
    } catch {
      throw .notTrusted(error)
    }
    let own = geteuid()
    let account = try self.account(for: command, owner: verdict.foreignOwner, path: verdict.path)
    let shown = account ?? UserAccount.find("\(own)")
    return Prepared(
      path: verdict.path, arguments: command.arguments,
      environment: CommandEnvironment.variables(user: shown, given: given),
      directory: command.workingDirectory ?? "/", user: account)
  }

  /// The user to change to; nil when it is the agent's own.
  private func account(
    for command: Command, owner: UInt32?, path: String
  ) throws(LaunchError) -> UserAccount? {
    guard let name = command.user ?? owner.map({ "\($0)" }) else { return nil }
    guard let account = UserAccount.find(name) else { throw .unknownUser(name) }
    if let owner, account.userID != owner {
      throw .notTrusted(.otherUser(path: path, owner: owner, requested: account.name))
    }
    if account.userID == geteuid() { return nil }
    guard geteuid() == 0 else { throw .mayNotChangeUser(account.name) }
    return account
  }

  func start(
    _ prepared: Prepared, input: Int32, output: Int32, error: Int32, group: ControlGroup?
  ) throws(LaunchError) -> Started {
    let directory = group.map { openGroup($0) } ?? -1
    let members = group.map { open("\($0.path)/cgroup.procs", O_WRONLY | O_CLOEXEC) } ?? -1
    defer {
      if directory >= 0 { close(directory) }
      if members >= 0 { close(members) }
    }
    var pid: pid_t = 0
    var pidfd: Int32 = -1
    var step: Int32 = 0
    let code = withRequest(prepared) { request in
      request.standard_input = input
      request.standard_output = output
      request.standard_error = error
      request.cgroup_directory = directory
      request.cgroup_procs = members
      return clinux_spawn(&request, &pid, &pidfd, &step)
    }
    guard code == 0 else { throw failure(step: step, code: code, of: prepared) }
    // Until it is reaped even a dead child has its entry in /proc.
    let ticks = ProcessStatus.read(pid: pid)?.identity.startTicks ?? 0
    return Started(identity: ProcessIdentity(pid: pid, startTicks: ticks), pidfd: pidfd)
  }

  private func openGroup(_ group: ControlGroup) -> Int32 {
    guard group.mayCloneInto else { return -1 }
    return open(group.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }

  /// Builds the C request; everything it points to lives until `body` returns.
  private func withRequest(
    _ prepared: Prepared, _ body: (inout clinux_spawn_request) -> Int32
  ) -> Int32 {
    let variables = prepared.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return withVector(prepared.arguments) { arguments in
      withVector(variables) { environment in
        prepared.path.withCString { path in
          prepared.directory.withCString { directory in
            (prepared.user?.groups ?? []).withUnsafeBufferPointer { groups in
              var request = clinux_spawn_request()
              request.program = path
              request.argv = arguments
              request.envp = environment
              request.directory = directory
              request.change_user = prepared.user == nil ? 0 : 1
              request.uid = prepared.user?.userID ?? 0
              request.gid = prepared.user?.groupID ?? 0
              request.groups = groups.baseAddress
              request.group_count = groups.count
              request.open_files_max = openFilesMax
              return body(&request)
            }
          }
        }
      }
    }
  }

  private func withVector<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    // All strings in one allocation, each with its terminating zero.
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
      offsets.append(bytes.count)
      bytes += string.utf8CString
    }
    return bytes.withUnsafeMutableBufferPointer { buffer in
      var pointers: [UnsafeMutablePointer<CChar>?] = offsets.map { offset in
        buffer.baseAddress.map { $0 + offset }
      }
      pointers.append(nil)
      return pointers.withUnsafeBufferPointer { vector in
        guard let start = vector.baseAddress else { preconditionFailure("empty vector") }
        return body(start)
      }
    }
  }

  private func failure(step: Int32, code: Int32, of prepared: Prepared) -> LaunchError {
    switch step {
    case Int32(CLINUX_SPAWN_CGROUP.rawValue):
      .failed(SystemCallError(call: "write", subject: "cgroup.procs", code: code), doing: "cgroup")
    case Int32(CLINUX_SPAWN_SESSION.rawValue):
      .failed(SystemCallError(call: "setsid", code: code), doing: "session")
    case Int32(CLINUX_SPAWN_DESCRIPTORS.rawValue):
      .failed(SystemCallError(call: "dup2", code: code), doing: "descriptors")
    case Int32(CLINUX_SPAWN_LIMITS.rawValue):
      .failed(SystemCallError(call: "setrlimit", code: code), doing: "limits")
    case Int32(CLINUX_SPAWN_USER.rawValue):
      .failed(
        SystemCallError(call: "setresuid", subject: prepared.user?.name ?? "", code: code),
        doing: "user")
    case Int32(CLINUX_SPAWN_DIRECTORY.rawValue):
      .failed(
        SystemCallError(call: "chdir", subject: prepared.directory, code: code),
        doing: "working directory")
    case Int32(CLINUX_SPAWN_EXEC.rawValue):
      .failed(SystemCallError(call: "execve", subject: prepared.path, code: code), doing: "exec")
    default:
      .failed(SystemCallError(call: "clone3", code: code), doing: "new process")
    }
  }
}
