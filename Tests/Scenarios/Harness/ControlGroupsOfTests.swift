import Glibc
import TestSupport

/// Control groups that scenarios make or leave.
enum ControlGroupsOfTests {
  /// Removes what an agent has left for its supervised children, once they have ended.
  ///
  /// - Parameter data: its data directory. The log folder of the children is in the names of the
  ///   groups: beside the data for an agent in two processes, in it for one.
  static func remove(childrenOf data: String) {
    let prefixes = [data + "-act", data + "/children"].map { folder in
      let hash = folder.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
      return "lifeguard.child.\(String(hash, radix: 16))."
    }
    for parent in own {
      for name in names(in: parent) where prefixes.contains(where: { name.hasPrefix($0) }) {
        remove(parent + "/" + name)
      }
    }
  }

  static let memory: Requirement = {
    let group = makeMemoryGroup(limit: 1 << 24)
    if let group { remove(group) }
    return Requirement(isMet: group != nil, reason: "needs a writable memory control group")
  }()

  /// A memory control group with a limit, for programs that leak; nil where none can be made.
  ///
  /// - Parameter user: who may put processes into it.
  static func makeMemoryGroup(limit: Int, for user: uid_t = 0) -> String? {
    let name = "/lifeguard-scenario-\(getpid())-\(UInt32.random(in: 0...999_999))"
    for parent in own {
      let path = parent + name
      guard mkdir(path, 0o755) == 0 else { continue }
      for file in ["memory.limit_in_bytes", "memory.max"] where exists(path + "/" + file) {
        // try?: a limit that cannot be set makes this group useless, as below.
        guard (try? write("\(limit)", to: path + "/" + file)) != nil else { continue }
        chown(path + "/cgroup.procs", user, gid_t.max)
        return path
      }
      rmdir(path)
    }
    return nil
  }

  /// How often the limit of a group was hit or something in it was killed for it.
  static func hits(of group: String) -> Int {
    for file in ["memory.failcnt", "memory.events"] where exists(group + "/" + file) {
      // try?: a group that cannot be read has no hits, and the test that wants some fails.
      let words = ((try? TextFile.read(group + "/" + file)) ?? "").split(
        whereSeparator: \.isWhitespace)
      if words.count == 1 { return Int(words[0]) ?? 0 }
      if let place = words.firstIndex(of: "max"), place + 1 < words.count {
        return Int(words[place + 1]) ?? 0
      }
    }
    return 0
  }

  static func remove(_ path: String) {
    // The kernel lets go of the last process a moment after its end.
    for _ in 0..<200 {
      if rmdir(path) == 0 || errno != EBUSY { return }
      usleep(10_000)
    }
  }

  static func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemCallError("open", path) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw SystemCallError("write", path)
    }
  }

  /// Where this process is, in every hierarchy that is mounted (cgroups(7)).
  private static var own: [String] {
    // try?: without them there are no groups.
    let membership = (try? TextFile.read("/proc/self/cgroup")) ?? ""
    let mounts = (try? TextFile.read("/proc/self/mounts")) ?? ""
    let points = mounts.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      return words.count > 2 && words[2].hasPrefix("cgroup") ? String(words[1]) : nil
    }
    var found: [String] = []
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      for point in points {
        let path = fields[2] == "/" ? point : point + String(fields[2])
        if exists(path), !found.contains(path) { found.append(path) }
      }
    }
    return found
  }

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) { names.append(TextFile.name(of: entry)) }
    return names
  }
}
