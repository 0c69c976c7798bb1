import CLinux
import LifeguardCore

/// Space and inodes of the mounted file systems, from statfs(2).
///
/// A file system that lies behind a network or a process is asked in a thread of its own, so that
/// one dead server costs neither the figures of the others nor more than one thread.
struct FilesystemCollector: Collector {
  /// How long a file system may take to answer.
  private static let patience = Duration.seconds(2)
  /// Mounts beyond this number are left out; container hosts have thousands of bind mounts.
  private static let mountsMax = 256

  private struct Figures: Sendable {
    var error: Int32
    var values: clinux_filesystem
  }

  private struct Known {
    var mount: Mount
    var error: Figure
    var readOnly: Figure
    /// size, free, avail, files, files_free
    var sizes: [Figure]
    var disk: Figure
    var inodes: Figure
    var isSeen = true
  }

  private let file: ProcFile
  private let own: ProcFile
  private let root: FileSystemRoot
  private var guarded = HangGuard<Figures>()
  private var known: [Known] = []
  private var content: [UInt8] = []
  private var mounts: [Mount] = []

  init(_ context: CollectorContext) {
    // Those of init: an agent in a mount namespace of its own still sees the host's.
    file = context.file("proc/1/mounts")
    own = context.file("proc/self/mounts")
    root = context.root
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    try readMounts(in: &scrape)
    for index in mounts.indices { try ask(index, into: &scrape) }
  }

  private mutating func readMounts(in scrape: inout Scrape) throws(CollectorError) {
    let cursor: ByteCursor
    do { cursor = try file.read() } catch { cursor = try own.read() }
    guard !cursor.rest.equals(content) || content.isEmpty else { return }
    content = Array(cursor.rest)
    var latest: [String: Mount] = [:]
    var order: [String] = []
    for mount in Mount.parse(cursor) where !Self.isIgnored(mount) {
      // Of several mounts on one point the last one covers the others.
      if latest.updateValue(mount, forKey: mount.mountPoint) == nil {
        order.append(mount.mountPoint)
      }
    }
    mounts = order.prefix(Self.mountsMax).compactMap { latest[$0] }
    guarded.forget(except: Set(mounts.map { root.path(String($0.mountPoint.dropFirst())) }))
    var kept: [Known] = []
    for mount in mounts {
      if let index = known.firstIndex(where: { $0.mount == mount }) {
        kept.append(known.remove(at: index))
      } else {
        kept.append(Self.newEntry(mount))
      }
    }
    for index in known.indices { release(&known[index], in: &scrape) }
    known = kept
  }

  private func release(_ entry: inout Known, in scrape: inout Scrape) {
    entry.error.release(in: &scrape)
    entry.readOnly.release(in: &scrape)
    for index in entry.sizes.indices { entry.sizes[index].release(in: &scrape) }
    entry.disk.release(in: &scrape)
    entry.inodes.release(in: &scrape)
  }

  private mutating func ask(_ index: Int, into scrape: inout Scrape) throws(CollectorError) {
    let mount = mounts[index]
    let path = root.path(String(mount.mountPoint.dropFirst()))
    let lookUp: @Sendable () -> Figures = {
      var values = clinux_filesystem()
      let error = clinux_filesystem_read(path, &values)
      return Figures(error: error, values: values)
    }
    var answer: Figures?
    // A local file system below a remote one can only be reached through the remote one.
    if mount.mayHang || mounts.contains(where: { $0.mayHang && $0.holds(mount) }) {
      if case .finished(let figures) = try guarded.call(path, deadline: Self.patience, lookUp) {
        answer = figures
      }
    } else {
      answer = lookUp()
    }
    write(answer, to: index, in: &scrape)
  }

  private mutating func write(_ answer: Figures?, to index: Int, in scrape: inout Scrape) {
    known[index].readOnly.write(mounts[index].isReadOnly ? 1 : 0, to: &scrape)
    guard let answer, answer.error == 0 else {
      known[index].error.write(1, to: &scrape)
      return
    }
    let values = answer.values
    known[index].error.write(0, to: &scrape)
    let block = Double(values.block_size)
    let sizes = [
      Double(values.blocks) * block, Double(values.blocks_free) * block,
      Double(values.blocks_available) * block, Double(values.files), Double(values.files_free),
    ]
    for (number, value) in sizes.enumerated() {
      known[index].sizes[number].write(value, to: &scrape)
    }
    // As df(1): of what ordinary users can have, which leaves out the blocks reserved for root.
    let used = Double(values.blocks) - Double(values.blocks_free)
    let usable = used + Double(values.blocks_available)
    if usable > 0 { known[index].disk.write(100 * used / usable, to: &scrape) }
    if values.files > 0 {
      let share = 1 - Double(values.files_free) / Double(values.files)
      known[index].inodes.write(100 * share, to: &scrape)
    }
  }

  private static func newEntry(_ mount: Mount) -> Known {
    let labels = mount.labels
    let point: Labels = ["mountpoint": mount.mountPoint]
    func figure(_ name: String, _ help: String) -> Figure {
      Figure(.gauge("node_filesystem_" + name, help), labels)
    }
    return Known(
      mount: mount,
      error: figure(
        "device_error", "Whether an error occurred while getting statistics for the given device."
      ),
      readOnly: figure("readonly", "Filesystem read-only status."),
      sizes: [
        figure("size_bytes", "Filesystem size in bytes."),
        figure("free_bytes", "Filesystem free space in bytes."),
        figure("avail_bytes", "Filesystem space available to non-root users in bytes."),
        figure("files", "Filesystem total file nodes."),
        figure("files_free", "Filesystem total free file nodes."),
      ],
      disk: Figure(
        .gauge("DiskUtilization", "Space in use in percent of what users can have."), point),
      inodes: Figure(.gauge("InodeUtilization", "Inodes in use in percent."), point))
  }

  /// node_exporter's defaults: file systems without storage of their own, and system folders.
  static func isIgnored(_ mount: Mount) -> Bool {
    let types = [
      "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts",
      "devtmpfs", "fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs",
      "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
    ]
    if types.contains(mount.type) { return true }
    let path = mount.mountPoint
    for folder in ["/dev", "/proc", "/sys"] where path == folder || path.hasPrefix(folder + "/") {
      return true
    }
    return ["/run/credentials/", "/var/lib/docker/", "/var/lib/containers/storage/"]
      .contains { path.hasPrefix($0) }
  }
}

extension Mount {
  /// Whether the other one is mounted somewhere below this one.
  func holds(_ other: Mount) -> Bool {
    other.mountPoint != mountPoint
      && other.mountPoint.hasPrefix(mountPoint == "/" ? "/" : mountPoint + "/")
  }
}
