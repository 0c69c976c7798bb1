import Glibc

/// Something that a test needs from the machine, and the sentence that the summary prints when it
/// is missing.
///
/// ```swift
/// @Test(.enabled(if: Requirement.root.isMet, "\(Requirement.root.reason)"))
/// ```
public struct Requirement: Sendable {
  public let isMet: Bool
  /// Why a test without it is skipped, and how to have it run.
  public let reason: String

  public init(isMet: Bool, reason: String) {
    self.isMet = isMet
    self.reason = reason
  }

  /// Run by root, which real units, cgroups and other users' processes need.
  public static var root: Requirement {
    Requirement(isMet: geteuid() == 0, reason: "needs root: run `make test` as root")
  }

  /// A program in PATH or in the system's folders.
  public static func program(_ name: String) -> Requirement {
    Requirement(
      isMet: locate(name) != nil,
      reason: "needs \(name): `scripts/setup.sh test` names the package")
  }

  /// A systemd of its own in a box of namespaces (`SystemdBox`).
  public static var systemdBox: Requirement {
    let missing = SystemdBox.unavailableReason
    return Requirement(isMet: missing == nil, reason: missing ?? "")
  }

  /// All of them; the reasons of those that are missing, joined.
  public static func all(_ requirements: Requirement...) -> Requirement {
    let missing = requirements.filter { !$0.isMet }
    return Requirement(
      isMet: missing.isEmpty, reason: missing.map(\.reason).joined(separator: "; "))
  }

  /// A file or folder named from the package's root.
  public static func file(_ relative: String) -> Requirement {
    let path = SourceTree.path(relative)
    return Requirement(isMet: TextFile.exists(path), reason: "needs \(relative)")
  }

  /// The absolute path of a program in PATH, /usr/sbin, /sbin, /usr/bin or /bin.
  public static func locate(_ name: String) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let folders = path.split(separator: ":").map(String.init)
    for folder in folders + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"] {
      let candidate = folder + "/" + name
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }
}
