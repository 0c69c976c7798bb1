import CLinux
import Glibc
import LifeguardCore

/// Metrics that scripts leave as `*.prom` files in a directory, in the Prometheus text format.
///
/// As node_exporter's collector of that name: a file that cannot be read or parsed sets
/// `node_textfile_scrape_error` and hides none of the others. Files are parsed again only when they
/// have changed. Without timestamps of their own, as there.
struct TextfileCollector: Collector {
  /// Files beyond this number, and files larger than this, are left out.
  private static let filesMax = 256
  private static let bytesMax = 1024 * 1024

  private struct File {
    var path: String
    var modified: Double
    var size: Int
    var figures: [(figure: Figure, value: Double)]
    var time: Figure
    var isBad: Bool
  }

  private let directory: String
  private let root: FileSystemRoot
  private var files: [File] = []
  private var failure = Figure(
    .gauge(
      "node_textfile_scrape_error",
      "1 if there was an error opening or reading a file, 0 otherwise"))
  private let time = MetricFamily.gauge(
    "node_textfile_mtime_seconds", "Unixtime mtime of textfiles successfully read.")

  init(_ context: CollectorContext) {
    directory = context.textfileDirectory
    root = context.root
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var isBad = false
    let names = root.entries(relative(directory)).filter { $0.hasSuffix(".prom") }.sorted()
    var kept: [File] = []
    for name in names.prefix(Self.filesMax) {
      let path = directory + "/" + name
      var facts = stat()
      guard stat(root.path(relative(path)), &facts) == 0 else { continue }
      let modified = Double(facts.st_mtim.tv_sec) + Double(facts.st_mtim.tv_nsec) / 1e9
      let known = files.firstIndex { $0.path == path }
      var file = known.map { files.remove(at: $0) }
      if file?.modified != modified || file?.size != Int(facts.st_size) {
        if var old = file { release(&old, in: &scrape) }
        file = parse(path, modified: modified, size: Int(facts.st_size))
      }
      guard var file else { continue }
      isBad = isBad || file.isBad
      for index in file.figures.indices {
        file.figures[index].figure.write(file.figures[index].value, to: &scrape)
      }
      if !file.isBad { file.time.write(modified, to: &scrape) }
      kept.append(file)
    }
    for index in files.indices { release(&files[index], in: &scrape) }
    files = kept
    failure.write(isBad ? 1 : 0, to: &scrape)
  }

  private func relative(_ path: String) -> String {
    path.hasPrefix("/") ? String(path.dropFirst()) : path
  }

  private func release(_ file: inout File, in scrape: inout Scrape) {
    for index in file.figures.indices { file.figures[index].figure.release(in: &scrape) }
    file.time.release(in: &scrape)
  }

  private func parse(_ path: String, modified: Double, size: Int) -> File {
    var file = File(
      path: path, modified: modified, size: size, figures: [],
      time: Figure(time, ["file": path]), isBad: true)
    let buffer = ReadBuffer(initialCapacity: 16 * 1024, limit: Self.bytesMax)
    // try?: a file that cannot be read is told by the series about errors.
    guard let content = try? ProcFile(root.path(relative(path)), buffer: buffer).read(),
      let series = TextfileParser.parse(text(content.rest))
    else { return file }
    file.figures = series.map { (Figure($0.family, $0.labels), $0.value) }
    file.isBad = false
    return file
  }
}
