import CLinux
import Glibc

/// Where control groups for commands and supervised children are made.
///
/// Preferred is a cgroup v2 hierarchy, below the agent's own group, because its `cgroup.kill` ends
/// everything at once; else a v1 hierarchy, best the freezer; else none, and descendants are found
/// by `DescendantSearch`. A group needs no controllers: it is only used to find what belongs
/// together, so nothing is enabled and no limit is set (cgroups(7)).
public struct ControlGroups: Sendable {
  public enum Version: Hashable, Sendable {
    case v2
    case v1(freezer: Bool)
  }

  /// The directory below which groups are made.
  public let parent: String
  public let version: Version
  /// Whether processes can be started inside a new group; otherwise they move themselves there,
  /// which costs the kernel a grace period of some milliseconds.
  let clonesInto: Bool

  public init(parent: String, version: Version) {
    self.init(parent: parent, version: version, clonesInto: false)
  }

  private init(parent: String, version: Version, clonesInto: Bool) {
    self.parent = parent
    self.version = version
    self.clonesInto = clonesInto
  }

  /// Finds the best hierarchy in which the agent may make groups; nil when there is none.
  public static func find() -> ControlGroups? {
    find(
      mountinfo: SmallFile.textIfReadable("/proc/self/mountinfo") ?? "",
      membership: SmallFile.textIfReadable("/proc/self/cgroup") ?? "")
  }

  static func find(mountinfo: String, membership: String) -> ControlGroups? {
    let mounts = mountinfo.split(separator: "\n").compactMap { Mount(line: $0) }
    let own = Dictionary(
      membership.split(separator: "\n").compactMap { line -> (String, String)? in
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? (String(parts[1]), String(parts[2])) : nil
      }, uniquingKeysWith: { first, _ in first })
    let unified = mounts.filter { $0.type == "cgroup2" }.map { ($0, Version.v2) }
    let old = mounts.filter { $0.type == "cgroup" }
    let freezers = old.filter { $0.options.contains("freezer") }
    let others = old.filter { !$0.options.contains("freezer") && !$0.options.contains("cpuset") }
    let candidates =
      unified + freezers.map { ($0, .v1(freezer: true)) } + others.map { ($0, .v1(freezer: false)) }
    for (mount, version) in candidates {
      guard let path = mount.directory(of: own) else { continue }
      if let groups = ControlGroups(parent: path, version: version).tried() { return groups }
    }
    return nil
  }

  /// Makes a group, or takes the one that is there; nil when the kernel refuses.
  public func group(named name: String) -> ControlGroup? {
    let path = "\(parent)/\(name)"
    let isNew = mkdir(path, 0o755) == 0
    guard isNew || errno == EEXIST else { return nil }
    return ControlGroup(path: path, version: version, mayCloneInto: isNew && clonesInto)
  }

  /// The groups of this agent's and earlier agents' making whose names begin with `prefix`.
  public func groups(prefix: String) -> [ControlGroup] {
    SmallFile.names(in: parent).filter { $0.hasPrefix(prefix) }
      .map { ControlGroup(path: "\(parent)/\($0)", version: version, mayCloneInto: false) }
  }

  /// This hierarchy with what it can do, found out with a group; nil when it has none for us.
  private func tried() -> ControlGroups? {
    guard let probe = group(named: "lifeguard.probe.\(getpid()).\(UInt32.random(in: 0...9999))")
    else { return nil }
    defer { probe.remove() }
    guard access("\(probe.path)/cgroup.procs", W_OK) == 0 else { return nil }
    var clonesInto = false
    if case .v2 = version {
      let directory = open(probe.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if directory >= 0 {
        clonesInto = clinux_can_clone_into(directory) == 1
        close(directory)
      }
    }
    return ControlGroups(parent: parent, version: version, clonesInto: clonesInto)
  }

  /// One line of mountinfo, see proc_pid_mountinfo(5).
  private struct Mount {
    var type: String
    var root: String
    var point: String
    var options: Set<String>

    init?(line: Substring) {
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), dash > 5, words.count > dash + 3 else {
        return nil
      }
      type = String(words[dash + 1])
      root = String(words[3])
      point = String(words[4])
      options = Set(words[dash + 3].split(separator: ",").map(String.init))
    }

    /// Where the agent's own group is in this mount.
    func directory(of membership: [String: String]) -> String? {
      let key = membership.keys.first { key in
        type == "cgroup2"
          ? key.isEmpty
          : !key.isEmpty
            && key.split(separator: ",")
              .allSatisfy { options.contains(String($0)) }
      }
      guard let key, let path = membership[key] else { return nil }
      if path == "/" || path == root { return point }
      guard root == "/" || path.hasPrefix(root + "/") else { return nil }
      return point + (root == "/" ? path : String(path.dropFirst(root.count)))
    }
  }
}
