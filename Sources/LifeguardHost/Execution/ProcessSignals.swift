import CLinux
import Glibc
import LifeguardCore

/// Sends signals to processes that may be signalled, and to no others (G15).
public struct ProcessSignals: Sendable {
  public enum Outcome: Hashable, Sendable {
    case sent
    /// The process has ended; its number may belong to another by now.
    case gone
    case refused(SignalRefusal)
    case failed(SystemCallError)
  }

  private let protectsMailServers: Bool
  private let ownGroup: String

  /// - Parameter protectsMailServers: whether alerts leave by this host's own mail server, which is
  ///   part of the alerting path then.
  public init(protectsMailServers: Bool = false) {
    self.protectsMailServers = protectsMailServers
    ownGroup = Self.group(of: getpid()) ?? "/"
  }

  /// The unit that Lifeguard itself runs as; nil when it is none.
  public var ownUnit: String? {
    ownGroup.split(separator: "/").last { $0.hasSuffix(".service") && !$0.hasPrefix("user@") }
      .map(String.init)
  }

  /// Sends a signal by pidfd, after the identity was compared on the open pidfd.
  public func send(_ signal: Int32, to identity: ProcessIdentity) -> Outcome {
    if let refusal = refusal(for: identity) { return .refused(refusal) }
    let pidfd = clinux_pidfd_open(identity.pid)
    guard pidfd >= 0 else {
      return errno == ESRCH ? .gone : .failed(SystemCallError(call: "pidfd_open"))
    }
    defer { close(pidfd) }
    guard ProcessIdentity.current(pid: identity.pid) == identity else { return .gone }
    guard clinux_pidfd_send_signal(pidfd, signal) == 0 else {
      return errno == ESRCH
        ? .gone
        : .failed(SystemCallError(call: "pidfd_send_signal", subject: "\(identity.pid)"))
    }
    return .sent
  }

  /// Why this process is never signalled; nil when it may be.
  public func refusal(for identity: ProcessIdentity) -> SignalRefusal? {
    let pid = identity.pid
    func refuse(_ reason: SignalRefusal.Reason, _ what: String) -> SignalRefusal {
      SignalRefusal(reason: reason, message: "pid \(pid) \(what) and is never signalled")
    }
    // pid 0 and -1 would mean the caller's own group and everybody (kill(2)).
    if pid <= 1 { return refuse(.initProcess, "is not a service's process") }
    if pid == getpid() { return refuse(.ownProcess, "is lifeguard itself") }
    if ancestors().contains(pid) { return refuse(.ancestor, "has started lifeguard") }
    guard let status = ProcessStatus.read(pid: pid) else { return nil }
    if status.isKernelThread { return refuse(.kernelThread, "is the kernel thread \(status.name)") }
    if let executable = SmallFile.link("/proc/\(pid)/exe"), isProtected(executable) {
      return refuse(.protectedExecutable, "runs \(executable)")
    }
    // In a session's scope and in / everything shares one group, whose members are not the agent.
    if ownGroup.hasSuffix(".service"), status.parent != getpid(), Self.group(of: pid) == ownGroup {
      return refuse(.ownControlGroup, "is in lifeguard's own control group \(ownGroup)")
    }
    return nil
  }

  func isProtected(_ path: String) -> Bool {
    // The kernel marks a program whose file was replaced by an upgrade.
    let deleted = " (deleted)"
    let executable = path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    if executable.hasPrefix("/usr/lib/systemd/") || executable.hasPrefix("/lib/systemd/") {
      return true
    }
    let name = executable.split(separator: "/").last.map(String.init) ?? ""
    let isOfSystem = executable.hasPrefix("/usr/") || executable.hasPrefix("/sbin/")
    guard isOfSystem else { return false }
    if protectsMailServers, Self.mailServers.contains(where: { executable.hasSuffix($0) }) {
      return true
    }
    return Self.protectedNames.contains(name)
  }

  private static let mailServers = [
    "/postfix/sbin/master", "/postfix/master", "/exim4", "/exim", "/sendmail", "/sendmail-mta",
    "/smtpd", "/nullmailer-send", "/msmtpd",
  ]

  private static let protectedNames: Set<String> = [
    "dbus-daemon", "dbus-broker", "dbus-broker-launch", "sshd", "sshd-session", "sshd-auth",
  ]

  private func ancestors() -> [Int32] {
    var found: [Int32] = []
    var next = getppid()
    while next > 1, found.count < 64, let status = ProcessStatus.read(pid: next) {
      found.append(next)
      next = status.parent
    }
    return found
  }

  /// Its cgroup v2 path, else that of systemd's own v1 hierarchy.
  static func group(of pid: Int32) -> String? {
    let text = SmallFile.textIfReadable("/proc/\(pid)/cgroup", limit: 65536) ?? ""
    let lines = text.split(separator: "\n")
    for marker in ["0::", ":name=systemd:"] {
      for line in lines where line.contains(marker) {
        let path = String(line.split(separator: ":", maxSplits: 2).last ?? "")
        if path != "/" && path.hasPrefix("/") { return path }
        if marker == "0::" && line.count > 3 && line != "0::/" { return String(line.dropFirst(3)) }
      }
    }
    return lines.isEmpty ? nil : "/"
  }
}
