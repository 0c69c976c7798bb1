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
    // Read every second, and two lines long: as bytes, into a small buffer.
    func line(_ kind: String, of file: String) -> Double? {
      do { return average(kind, try SmallFile.bytes("\(folder)/\(file)", limit: 512)) } catch {
        return nil
      }
    }
    guard let cpu = line("some", of: "cpu") else { return nil }
    return Pressure(
      cpuSome: cpu, memoryFull: line("full", of: "memory") ?? 0, ioFull: line("full", of: "io") ?? 0
    )
  }

  /// Whether the host is so busy that slow is not dead (G20).
  public func isHigh(some: Double, full: Double) -> Bool {
    cpuSome > some || memoryFull > full || ioFull > full
  }

  /// `some avg10=1.50 avg60=… avg300=… total=…`
  static func average(_ kind: String, _ text: [UInt8]) -> Double? {
    let name = "avg10="
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: kind.utf8) {
      for word in line.split(separator: UInt8(ascii: " ")) where word.starts(with: name.utf8) {
        return Double(String(decoding: word.dropFirst(name.utf8.count), as: UTF8.self))
      }
    }
    return nil
  }
}
