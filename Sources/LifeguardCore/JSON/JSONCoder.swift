/// Turns `Codable` values into JSON text and back, without Foundation.
///
/// The form is the one `JSONEncoder` gives: dictionaries with `String` or `Int` keys are objects,
/// those with other keys are arrays of alternating keys and values, an enum case with associated
/// values is an object with one member, `Duration` is the array of its high and low 64 bits.
/// Integers are exact over the whole range of 64 bits; NaN and the infinities are the strings
/// "NaN", "+Inf" and "-Inf".
public enum JSONCoder {
  /// - Parameter sortedKeys: members in the order of their names, so that equal values give equal
  ///   bytes. Sets, and dictionaries whose keys are neither strings nor integers, still come in
  ///   the order of their hashes: keep them sorted arrays where bytes are compared.
  /// - Throws: whatever the value's own `encode(to:)` throws.
  public static func encode<T: Encodable>(
    _ value: T, sortedKeys: Bool = true
  ) throws -> [UInt8] {
    try json(value).bytes(sortedKeys: sortedKeys)
  }

  /// The value as a JSON tree.
  public static func json<T: Encodable>(_ value: T) throws -> JSON {
    let encoder = JSONValueEncoder(codingPath: [])
    try encoder.encode(any: value)
    return encoder.node.json
  }

  /// - Throws: `JSONError` when the bytes are not JSON, `DecodingError` with the path when they do
  ///   not describe a `T`.
  public static func decode<T: Decodable>(
    _ type: T.Type = T.self, from bytes: [UInt8]
  ) throws -> T {
    try decode(type, from: try JSON.parse(bytes))
  }

  /// Reads a value from a JSON tree.
  public static func decode<T: Decodable>(_ type: T.Type = T.self, from json: JSON) throws -> T {
    try JSONValueDecoder(json, codingPath: []).decode(type)
  }

  /// What went wrong, in one line with the path: `services[2].name: expected a string, found null`.
  public static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
      context = found
    case .keyNotFound(let key, let found):
      return "\(path(found.codingPath + [key])): is missing"
    @unknown default: return "\(error)"
    }
    return "\(path(context.codingPath)): \(context.debugDescription)"
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    var text = ""
    for key in keys {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return text.isEmpty ? "the whole value" : text
  }
}

/// The position of an element, or the name `super`, in a coding path.
struct JSONKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(index: Int) {
    stringValue = "\(index)"
    intValue = index
  }

  init?(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init?(intValue: Int) { self.init(index: intValue) }

  /// The name under which `superEncoder()` and `superDecoder()` keep a superclass's members.
  static var superclass: JSONKey { JSONKey(name: "super") }

  private init(name: String) {
    stringValue = name
    intValue = nil
  }
}
