/// Sizes: `512MiB`, `1.5GiB`, `20kB`.
enum ByteSize {
  private static let units: [(name: String, bytes: Int64)] = [
    ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
  ]

  static func parse(_ text: String) -> Result<Int64, ValueFault> {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = String(text.dropFirst(number.count).drop { $0 == " " })
    guard let value = Double(number), value.isFinite else {
      return .failure(ValueFault("write a size such as 512MiB"))
    }
    if unit.isEmpty, value == 0 { return .success(0) }
    guard let scale = units.first(where: { $0.name == unit })?.bytes else {
      let meant = unit.isEmpty ? "MiB" : units.first { sameSize($0.name, unit) }?.name ?? "MiB"
      return .failure(ValueFault("a size needs a unit: write \(number)\(meant)"))
    }
    let bytes = value * Double(scale)
    guard bytes < 1e18 else { return .failure(ValueFault("at most 900000TiB")) }
    return .success(Int64(bytes.rounded()))
  }

  /// `M`, `m`, `mb` and `mib` all mean MiB to somebody.
  private static func sameSize(_ known: String, _ written: String) -> Bool {
    known.hasSuffix("iB") && known.first?.lowercased() == written.first?.lowercased()
  }
}
