import LifeguardCore

/// A value of an attribute
/// (docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html).
public indirect enum DynamoValue: Hashable, Sendable {
  case string(String)
  /// As text, exact to 38 digits.
  case number(String)
  case binary([UInt8])
  case bool(Bool)
  case null
  case list([DynamoValue])
  case map([String: DynamoValue])
  case stringSet([String])
  case numberSet([String])
}

/// The attributes of an item by name.
public typealias DynamoItem = [String: DynamoValue]

extension DynamoValue {
  /// A whole number.
  public static func integer(_ value: Int64) -> DynamoValue { .number("\(value)") }

  /// The text, nil when this is something else.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The whole number, nil when this is something else or has a fraction.
  public var integer: Int64? {
    guard case .number(let text) = self else { return nil }
    return Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) }
  }
  /// The number, rounded to the nearest `Double`.
  public var double: Double? {
    if case .number(let text) = self { Double(text) } else { nil }
  }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var bytes: [UInt8]? { if case .binary(let value) = self { value } else { nil } }
  public var list: [DynamoValue]? { if case .list(let value) = self { value } else { nil } }
  public var map: [String: DynamoValue]? { if case .map(let value) = self { value } else { nil } }

  /// The texts or numbers of a set.
  public var set: [String]? {
    switch self {
    case .stringSet(let values), .numberSet(let values): values
    default: nil
    }
  }

  /// As the service writes it: `{"S": "text"}`.
  var json: JSON {
    switch self {
    case .string(let value): ["S": .string(value)]
    case .number(let value): ["N": .string(value)]
    case .binary(let value): ["B": .string(Base64.encode(value))]
    case .bool(let value): ["BOOL": .bool(value)]
    case .null: ["NULL": true]
    case .list(let values): ["L": .array(values.map(\.json))]
    case .map(let values): ["M": Self.json(values)]
    case .stringSet(let values): ["SS": JSON(strings: values)]
    case .numberSet(let values): ["NS": JSON(strings: values)]
    }
  }

  /// The attributes of an item, in the order of their names.
  static func json(_ item: DynamoItem) -> JSON {
    .object(JSONObject(item.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
  }

  /// Nil for a kind of value that is not known.
  init?(_ json: JSON) {
    guard let member = json.object?.members.first else { return nil }
    switch (member.key, member.value) {
    case ("S", .string(let value)): self = .string(value)
    case ("N", .string(let value)): self = .number(value)
    case ("B", .string(let value)): self = .binary(Base64Text.decode(value) ?? [])
    case ("BOOL", .bool(let value)): self = .bool(value)
    case ("NULL", _): self = .null
    case ("L", .array(let values)): self = .list(values.compactMap { DynamoValue($0) })
    case ("M", .object): self = .map(Self.item(member.value))
    case ("SS", let values): self = .stringSet(values.strings)
    case ("NS", let values): self = .numberSet(values.strings)
    default: return nil
    }
  }

  static func item(_ json: JSON) -> DynamoItem {
    var item: DynamoItem = [:]
    for member in json.object?.members ?? [] { item[member.key] = DynamoValue(member.value) }
    return item
  }
}

/// Reads base64 (RFC 4648, 4).
enum Base64Text {
  /// Nil for anything but whole groups of four with their padding.
  static func decode(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    guard bytes.count % 4 == 0 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count / 4 * 3)
    for start in stride(from: 0, to: bytes.count, by: 4) {
      let group = bytes[start..<(start + 4)]
      let isLast = start + 4 == bytes.count
      let padding = isLast ? group.reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0
      guard padding <= 2 else { return nil }
      var bits: UInt32 = 0
      for byte in group.dropLast(padding) {
        guard let value = value(byte) else { return nil }
        bits = bits << 6 | value
      }
      bits <<= UInt32(6 * padding)
      for index in 0..<(3 - padding) { result.append(UInt8(bits >> UInt32(16 - 8 * index) & 255)) }
    }
    return result
  }

  private static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5A: UInt32(byte - 0x41)
    case 0x61...0x7A: UInt32(byte - 0x61 + 26)
    case 0x30...0x39: UInt32(byte - 0x30 + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
