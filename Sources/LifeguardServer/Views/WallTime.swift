import LifeguardCore

/// A time as the API writes it: RFC 3339 in UTC with milliseconds.
public struct WallTime: Hashable, Sendable, Codable {
  public var timestamp: Timestamp

  public init(_ timestamp: Timestamp) { self.timestamp = timestamp }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let timestamp = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a time such as 2026-01-31T12:00:00.000Z")
    }
    self.timestamp = timestamp
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(timestamp.text)
  }
}
