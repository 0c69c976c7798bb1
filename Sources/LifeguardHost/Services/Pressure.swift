/// How much work waits for what, in percent of the last 10 s (Documentation/accounting/psi.rst).
public struct Pressure: Hashable, Sendable {
  public var cpuSome: Double
  public var memoryFull: Double
  public var ioFull: Double

  public init(cpuSome: Double, memoryFull: Double, ioFull: Double) {
    self.cpuSome = cpuSome
    self.memoryFull = memoryFull
    self.ioFull = ioFull
  }

  /// Reads it; nil on kernels without pressure stall information.
  public static func read(folder: String = "/proc/pressure") -> Pressure? {
    guard let cpu = average("some", SmallFile.textIfReadable("\(folder)/cpu")) else { return nil }
    return Pressure(
      cpuSome: cpu,
      memoryFull: average("full", SmallFile.textIfReadable("\(folder)/memory")) ?? 0,
      ioFull: average("full", SmallFile.textIfReadable("\(folder)/io")) ?? 0)
  }

  /// Whether the host is so busy that slow is not dead (G20).
  public func isHigh(some: Double, full: Double) -> Bool {
    cpuSome > some || memoryFull > full || ioFull > full
  }

  /// `some avg10=1.50 avg60=… avg300=… total=…`
  static func average(_ kind: String, _ text: String?) -> Double? {
    for line in (text ?? "").split(separator: "\n") where line.hasPrefix(kind) {
      for word in line.split(separator: " ") where word.hasPrefix("avg10=") {
        return Double(word.dropFirst("avg10=".count))
      }
    }
    return nil
  }
}
