extension JSON {
  /// How deep arrays and objects may nest unless told otherwise.
  ///
  /// The reader recurses; 256 levels take well below 100 KiB of stack and no honest document
  /// comes near.
  public static let depthMax = 256

  /// Reads one JSON text, strictly as RFC 8259 has it.
  ///
  /// Of duplicate names in an object the last one counts. An escaped surrogate without its partner
  /// becomes U+FFFD, because logs hold such text and no Swift string can.
  ///
  /// - Throws: when the bytes are not JSON or not UTF-8, nest deeper than `depthMax`, hold a number
  ///   beyond the range of `Double`, or go on after the value.
  public static func parse(
    _ bytes: [UInt8], depthMax: Int = JSON.depthMax
  ) throws(JSONError) -> JSON {
    let result: Result<JSON, JSONError> = bytes.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(bytes: buffer, depthMax: depthMax)
      do throws(JSONError) { return .success(try reader.document()) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Reads one JSON text.
  public static func parse(_ text: String) throws(JSONError) -> JSON {
    try parse([UInt8](text.utf8))
  }
}

/// A recursive-descent reader over UTF-8 bytes.
struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  let depthMax: Int
  private(set) var position = 0
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, depthMax: Int) {
    self.bytes = bytes
    self.depthMax = depthMax
  }

  mutating func document() throws(JSONError) -> JSON {
    skipSpace()
    let value = try self.value()
    skipSpace()
    guard position == bytes.count else { throw failure("nothing may follow the value") }
    return value
  }

  private mutating func value() throws(JSONError) -> JSON {
    guard let byte = peek() else { throw failure("the text ends where a value should be") }
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try word("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    default: throw failure("expected a value")
    }
  }

  private mutating func object() throws(JSONError) -> JSON {
    try enter()
    var members = JSONObject()
    skipSpace()
    if take(UInt8(ascii: "}")) { return leave(.object(members)) }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else { throw failure("expected a name in quotes") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("expected ':' after the name") }
      skipSpace()
      members[key] = try value()
      skipSpace()
      if take(UInt8(ascii: "}")) { return leave(.object(members)) }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or '}'") }
    }
  }

  private mutating func array() throws(JSONError) -> JSON {
    try enter()
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return leave(.array(elements)) }
    while true {
      skipSpace()
      elements.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return leave(.array(elements)) }
      guard take(UInt8(ascii: ",")) else { throw failure("expected ',' or ']'") }
    }
  }

  private mutating func enter() throws(JSONError) {
    guard depth < depthMax else { throw failure("nested deeper than \(depthMax) levels") }
    depth += 1
    position += 1
  }

  private mutating func leave(_ value: JSON) -> JSON {
    depth -= 1
    return value
  }

  private mutating func word(_ expected: StaticString) throws(JSONError) {
    for index in 0..<expected.utf8CodeUnitCount {
      guard position + index < bytes.count,
        bytes[position + index] == expected.utf8Start[index]
      else { throw failure("expected \(expected)") }
    }
    position += expected.utf8CodeUnitCount
  }

  func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  mutating func advance(to position: Int) { self.position = position }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  func failure(_ reason: String, at offset: Int? = nil) -> JSONError {
    JSONError(reason, offset: offset ?? position, in: bytes)
  }
}
