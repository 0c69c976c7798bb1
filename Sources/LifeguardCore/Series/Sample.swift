/// One measured value of a series at one time.
public struct Sample: Hashable, Sendable {
  public var timestamp: Timestamp
  public var value: Double

  public init(timestamp: Timestamp, value: Double) {
    self.timestamp = timestamp
    self.value = value
  }

  public var isStaleMarker: Bool { value.isStaleMarker }
}

extension Double {
  /// The value that says "this series has ended": a NaN with these exact bits.
  ///
  /// Source: Prometheus, `model/value/value.go`, `StaleNaN`. Arithmetic does not keep the bits.
  public static let staleMarker = Double(bitPattern: 0x7ff0_0000_0000_0002)

  /// Compares bits, because no NaN equals another.
  public var isStaleMarker: Bool { bitPattern == 0x7ff0_0000_0000_0002 }
}
