extension JSON: Codable {
  /// A JSON tree inside a `Codable` value is kept as it is; other decoders are asked what they
  /// hold.
  public init(from decoder: any Decoder) throws {
    if let own = decoder as? JSONValueDecoder {
      self = own.json
      return
    }
    let container = try decoder.singleValueContainer()
    throw DecodingError.dataCorruptedError(
      in: container, debugDescription: "a JSON tree is read from JSON only")
  }

  public func encode(to encoder: any Encoder) throws {
    if let own = encoder as? JSONValueEncoder { return own.node.set(self) }
    throw EncodingError.invalidValue(
      self,
      .init(codingPath: encoder.codingPath, debugDescription: "a JSON tree is written as JSON only")
    )
  }
}
