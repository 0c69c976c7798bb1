/// Where a text is no exposition, and why.
public struct ExpositionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  public var line: Int
  /// From 1, in bytes.
  public var column: Int
  public var message: String

  public init(line: Int, column: Int, message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  public var description: String { "\(line):\(column): \(message)" }
}

/// How much an exposition may hold.
public struct ExpositionLimits: Hashable, Sendable {
  public var samplesMax: Int
  /// Families whose description is kept; more are passed over.
  public var familiesMax: Int
  /// Of one sample, the name apart.
  public var labelsMax: Int
  public var lineBytesMax: Int

  public init(
    samplesMax: Int = 1_000_000, familiesMax: Int = 20_000, labelsMax: Int = 128,
    lineBytesMax: Int = 64 << 10
  ) {
    self.samplesMax = samplesMax
    self.familiesMax = familiesMax
    self.labelsMax = labelsMax
    self.lineBytesMax = lineBytesMax
  }

  public static let standard = ExpositionLimits()
}
