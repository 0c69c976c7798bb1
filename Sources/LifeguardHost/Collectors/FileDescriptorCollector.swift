import LifeguardCore

/// Open files of the whole host from `/proc/sys/fs/file-nr` (proc_sys_fs(5)).
struct FileDescriptorCollector: Collector {
  private let file: ProcFile
  private var allocated = Figure(
    .gauge("node_filefd_allocated", "File descriptor statistics: allocated."))
  private var maximum = Figure(
    .gauge("node_filefd_maximum", "File descriptor statistics: maximum."))

  init(_ context: CollectorContext) {
    file = context.file("proc/sys/fs/file-nr")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    // The second number, free handles, is always 0 since Linux 2.6.
    guard let used = content.unsigned(), content.unsigned() != nil,
      let limit = content.unsigned()
    else { throw .malformed(path: file.path, reason: "fewer than three numbers") }
    allocated.write(Double(used), to: &scrape)
    maximum.write(Double(limit), to: &scrape)
  }
}
