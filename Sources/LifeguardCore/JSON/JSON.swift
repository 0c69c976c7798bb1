/// A JSON value (RFC 8259).
///
/// Whole numbers stay exact: those that fit are `integer`, the few above `Int64.max` are
/// `unsigned`, everything else is `number`. Two numbers are equal when their values are,
/// whichever case holds them, because `3` and `3.0` are the same number in JSON.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  /// A whole number within the range of `Int64`.
  case integer(Int64)
  /// A whole number above `Int64.max`; smaller ones are `integer`.
  case unsigned(UInt64)
  /// Any other number. NaN and the infinities are written as "NaN", "+Inf" and "-Inf".
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)
}

extension JSON {
  public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The truth value, nil when this is something else.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The text, nil when this is something else.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The elements, nil when this is something else.
  public var array: [JSON]? {
    if case .array(let value) = self { value } else { nil }
  }

  /// The members, nil when this is something else.
  public var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The whole number, nil when this is something else, has a fraction or does not fit.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .unsigned(let value): Int64(exactly: value)
    case .number(let value): Int64(exactly: value)
    case .null, .bool, .string, .array, .object: nil
    }
  }

  /// The number, rounded to the nearest `Double`; "NaN", "+Inf" and "-Inf" count as numbers.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    case .string("NaN"): .nan
    case .string("+Inf"): .infinity
    case .string("-Inf"): -.infinity
    case .null, .bool, .string, .array, .object: nil
    }
  }

  /// A member of an object, nil when this is no object or has no such member.
  public subscript(key: String) -> JSON? { object?[key] }

  /// An element of an array, nil when this is no array or is shorter.
  public subscript(index: Int) -> JSON? {
    guard case .array(let values) = self, values.indices.contains(index) else { return nil }
    return values[index]
  }

  /// What kind of value this is, as a word for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .unsigned, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSON: Hashable {
  public static func == (left: JSON, right: JSON) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.unsigned(let a), .unsigned(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)):
      Int64(exactly: b) == a
    case (.unsigned(let a), .number(let b)), (.number(let b), .unsigned(let a)):
      UInt64(exactly: b) == a
    case (.unsigned(let a), .integer(let b)), (.integer(let b), .unsigned(let a)):
      UInt64(exactly: b) == a
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
    case .array(let values): hasher.combine(values)
    case .object(let members): hasher.combine(members)
    case .integer(let value): hasher.combine(Double(value))
    case .unsigned(let value): hasher.combine(Double(value))
    case .number(let value): hasher.combine(value)
    }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringInterpolation,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(elements))
  }
}
