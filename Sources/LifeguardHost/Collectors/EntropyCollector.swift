import LifeguardCore

/// The kernel's entropy pool from `/proc/sys/kernel/random` (random(4)).
struct EntropyCollector: Collector {
  private let available: ProcFile
  private let size: ProcFile
  private var availableBits = Figure(
    .gauge("node_entropy_available_bits", "Bits of available entropy."))
  private var sizeBits = Figure(.gauge("node_entropy_pool_size_bits", "Bits of entropy pool."))

  init(_ context: CollectorContext) {
    available = context.file("proc/sys/kernel/random/entropy_avail")
    size = context.file("proc/sys/kernel/random/poolsize")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    availableBits.write(try available.number(), to: &scrape)
    sizeBits.write(try size.number(), to: &scrape)
  }
}

extension ProcFile {
  /// The content of a file that holds one whole number.
  func number() throws(CollectorError) -> Double {
    var content = try read()
    guard let value = content.signed() else {
      throw .malformed(path: path, reason: "no number in it")
    }
    return Double(value)
  }
}
