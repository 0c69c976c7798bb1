import LifeguardCore

/// The distribution and its release from os-release(5).
struct OperatingSystemCollector: Collector {
  private let root: FileSystemRoot
  private var content: String?
  private var information: Figure?
  private var version: Figure?
  private var versionValue = 0.0

  init(_ context: CollectorContext) {
    root = context.root
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    guard
      let now = root.contents("etc/os-release") ?? root.contents("usr/lib/os-release")
    else { throw .absent(what: "file /etc/os-release") }
    if now != content {
      content = now
      information?.release(in: &scrape)
      version?.release(in: &scrape)
      describe(Self.fields(now))
    }
    information?.write(1, to: &scrape)
    version?.write(versionValue, to: &scrape)
  }

  private mutating func describe(_ fields: [String: String]) {
    let names = [
      "build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant",
      "variant_id", "version", "version_codename", "version_id",
    ]
    var labels = Labels()
    for name in names { labels[name] = fields[name.uppercased()] }
    information = Figure(
      .gauge(
        "node_os_info",
        "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, "
          + "image_version, name, pretty_name, variant, variant_id, version, version_codename, "
          + "version_id."), labels)
    version = nil
    let parts = (fields["VERSION_ID"] ?? "").split(separator: ".").prefix(2)
    guard let value = Double(parts.joined(separator: ".")) else { return }
    versionValue = value
    var short = Labels()
    for name in ["id", "id_like", "name"] { short[name] = fields[name.uppercased()] }
    version = Figure(
      .gauge("node_os_version", "Metric containing the major.minor part of the OS version."),
      short)
  }

  /// Lines of shell assignments: `NAME="Debian GNU/Linux"`.
  static func fields(_ content: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in content.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      var value = parts[1]
      if let quote = value.first, quote == "\"" || quote == "'", value.last == quote,
        value.count >= 2
      {
        value = value.dropFirst().dropLast()
      }
      fields[String(parts[0])] = String(value)
    }
    return fields
  }
}
