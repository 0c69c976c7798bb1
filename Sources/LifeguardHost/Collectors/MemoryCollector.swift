import LifeguardCore

/// Memory and swap from `/proc/meminfo` (proc_meminfo(5)), with the two figures in percent.
struct MemoryCollector: Collector {
  private enum Role { case other, total, available, free, buffers, cached, swapTotal, swapFree }

  private struct Field {
    var slot: Slot
    /// 1024 for values in kibibytes, 1 for counts.
    var factor: Double
    var role: Role
  }

  private let file: ProcFile
  private var fields = SlotTable<Field>()
  private var memory = Figure(
    .gauge("MemoryUtilization", "Memory in use in percent: all that is not available."))
  private var swap = Figure(
    .gauge("SwapUtilization", "Swap space in use in percent; 0 when there is none."))

  init(_ context: CollectorContext) {
    file = context.file("proc/meminfo")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    fields.beginPass()
    var (total, available, free, buffers, cached): (Double?, Double?, Double, Double, Double) = (
      nil, nil, 0, 0, 0
    )
    var (swapTotal, swapFree) = (0.0, 0.0)
    while var line = content.line() {
      guard let key = line.take(before: UInt8(ascii: ":")), let value = line.unsigned() else {
        throw .malformed(path: file.path, reason: "a line without a number")
      }
      let field = fields.entry(of: key) ?? newField(key, unit: line.word(), in: &scrape)
      let bytes = Double(value) * field.factor
      scrape[field.slot] = bytes
      switch field.role {
      case .other: break
      case .total: total = bytes
      case .available: available = bytes
      case .free: free = bytes
      case .buffers: buffers = bytes
      case .cached: cached = bytes
      case .swapTotal: swapTotal = bytes
      case .swapFree: swapFree = bytes
      }
    }
    fields.removeUnseen { scrape.release($0.slot) }
    guard let total, total > 0 else {
      throw .malformed(path: file.path, reason: "no line \"MemTotal\"")
    }
    // Kernels before 3.14 do not say what is available; free and cached is what `free` showed then.
    let unused = available ?? (free + buffers + cached)
    memory.write(max(0, 100 * (1 - unused / total)), to: &scrape)
    swap.write(swapTotal > 0 ? 100 * (1 - swapFree / swapTotal) : 0, to: &scrape)
  }

  private mutating func newField(_ key: Bytes, unit: Bytes, in scrape: inout Scrape) -> Field {
    // As node_exporter: `Active(anon)` is Active_anon, and the unit ends the name.
    var name = ""
    for byte in key {
      switch byte {
      case UInt8(ascii: "("): name += "_"
      case UInt8(ascii: ")"): break
      default: name.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    let isKibibytes = unit.equals("kB")
    let metric = name + (isKibibytes ? "_bytes" : "")
    let family = MetricFamily.gauge(
      "node_memory_" + metric, "Memory information field \(metric).")
    let role: Role =
      switch name {
      case "MemTotal": .total
      case "MemAvailable": .available
      case "MemFree": .free
      case "Buffers": .buffers
      case "Cached": .cached
      case "SwapTotal": .swapTotal
      case "SwapFree": .swapFree
      default: .other
      }
    let field = Field(
      slot: scrape.register(family), factor: isKibibytes ? 1024 : 1, role: role)
    fields.insert(field, for: key)
    return field
  }
}
