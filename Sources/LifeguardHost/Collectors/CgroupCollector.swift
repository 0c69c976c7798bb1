import Glibc
import LifeguardCore

/// Memory, CPU throttling, OOM kills and tasks of control groups, under cAdvisor's names.
///
/// Of version 2 the unified hierarchy, of version 1 the hierarchies `memory`, `cpu`, `cpuacct` and
/// `pids` (cgroups(7)); a host may have both. The label `id` is the group's path, as in cAdvisor.
struct CgroupCollector: Collector {
  /// How often the trees are walked for groups that have come, in collections.
  private static let walkEvery = 3
  private static let depthMax = 6
  /// Each group costs five descriptors; a quarter of those the process may have is the limit.
  private static let groupsMax = 128

  private struct Group {
    var id: String
    var files: [CgroupFile]
    var workingSet: Figure
  }

  private let context: CollectorContext
  private let groupsLimit: Int
  private var groups: [Group] = []
  private var collectionsUntilWalk = 0

  init(_ context: CollectorContext) {
    self.context = context
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    groupsLimit = min(Self.groupsMax, Int(clamping: limit.rlim_cur) / 20)
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    if collectionsUntilWalk <= 0 {
      collectionsUntilWalk = Self.walkEvery
      try walk(in: &scrape)
    }
    collectionsUntilWalk -= 1
    guard !groups.isEmpty else { throw .absent(what: "control groups") }
    for index in groups.indices {
      var (usage, inactive): (Double?, Double?) = (nil, nil)
      for number in groups[index].files.indices {
        let found = groups[index].files[number].collect(into: &scrape)
        usage = found.usage ?? usage
        inactive = found.inactive ?? inactive
      }
      if let usage, let inactive {
        groups[index].workingSet.write(max(0, usage - inactive), to: &scrape)
      }
    }
  }

  private mutating func walk(in scrape: inout Scrape) throws(CollectorError) {
    var found: [String: [(CgroupFile.Description, String)]] = [:]
    var order: [String] = []
    let cursor = try context.file("proc/self/mounts").read()
    for mount in Mount.parse(cursor) {
      let kinds = CgroupFile.descriptions(of: mount)
      guard !kinds.isEmpty else { continue }
      let top = String(mount.mountPoint.dropFirst())
      for id in descendants(of: top) {
        if found[id] == nil { order.append(id) }
        found[id, default: []] += kinds.map { ($0, top + id + "/" + $0.name) }
      }
    }
    var kept: [Group] = []
    for id in order.prefix(groupsLimit) {
      if let index = groups.firstIndex(where: { $0.id == id }) {
        kept.append(groups.remove(at: index))
      } else {
        let files = found[id, default: []].map { CgroupFile($0.0, context.file($0.1), id: id) }
        kept.append(
          Group(
            id: id, files: files,
            workingSet: Figure(
              .gauge("container_memory_working_set_bytes", "Current working set in bytes."),
              ["id": id])))
      }
    }
    for index in groups.indices {
      for number in groups[index].files.indices {
        groups[index].files[number].release(in: &scrape)
      }
      groups[index].workingSet.release(in: &scrape)
    }
    groups = kept
  }

  /// The groups below a hierarchy's mount point, breadth first; the root group has no limits.
  private func descendants(of top: String) -> [String] {
    var result: [String] = []
    var level = [""]
    for _ in 0..<Self.depthMax {
      var next: [String] = []
      for parent in level {
        guard result.count + next.count < groupsLimit else { break }
        for name in context.root.folders(top + parent).sorted() {
          next.append(parent + "/" + name)
        }
      }
      result += next
      if next.isEmpty || result.count >= groupsLimit { break }
      level = next
    }
    return result
  }
}
