import Glibc
import Synchronization

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

  public init(parent: String, version: Version) {
    self.parent = parent
    self.version = version
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
      let groups = ControlGroups(parent: path, version: version)
      if groups.isUsable() { return groups }
    }
    return nil
  }

  /// Makes a group, or takes the one that is there; nil when the kernel refuses.
  public func group(named name: String) -> ControlGroup? {
    let path = "\(parent)/\(name)"
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { return nil }
    return ControlGroup(path: path, version: version)
  }

  /// The groups of this agent's and earlier agents' making whose names begin with `prefix`.
  public func groups(prefix: String) -> [ControlGroup] {
    SmallFile.names(in: parent).filter { $0.hasPrefix(prefix) }
      .map { ControlGroup(path: "\(parent)/\($0)", version: version) }
  }

  private func isUsable() -> Bool {
    guard let probe = group(named: "lifeguard.probe.\(getpid())") else { return false }
    defer { probe.remove() }
    return access("\(probe.path)/cgroup.procs", W_OK) == 0
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
