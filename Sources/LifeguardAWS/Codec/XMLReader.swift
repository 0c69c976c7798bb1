/// Why a text is not the XML that services write, and where.
public struct XMLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, for people.
  public var reason: String
  /// Bytes before the place, from 0.
  public var offset: Int

  public var description: String { "byte \(offset): \(reason)" }
}

/// Reads the XML of answers: elements, text, the five entities, CDATA; attributes are passed over.
///
/// Document types are refused, because entities of one's own are how small texts become large ones.
/// Nesting and the number of elements are limited; the reader does not recurse.
struct XMLReader {
  /// The deepest answer here, DescribeInstances, nests about 12 levels.
  static let depthMax = 64
  /// A page of 1,000 instances has about 100,000 elements.
  static let elementsMax = 400_000

  private let bytes: [UInt8]
  private var position = 0
  private var open: [XMLElement] = []
  private var texts: [[UInt8]] = []
  private var root: XMLElement?
  private var elements = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The outermost element of a document.
  static func parse(_ bytes: [UInt8]) throws(XMLError) -> XMLElement {
    var reader = XMLReader(bytes)
    return try reader.document()
  }

  private mutating func document() throws(XMLError) -> XMLElement {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "<") {
        try markup()
      } else {
        try text()
      }
    }
    guard open.isEmpty else { throw failure("<\(open[open.count - 1].name)> is not closed") }
    guard let root else { throw failure("there is no element") }
    return root
  }

  private mutating func markup() throws(XMLError) {
    if takes("<?") { return try skip(past: "?>") }
    if takes("<!--") { return try skip(past: "-->") }
    if takes("<![CDATA[") {
      let start = position
      try skip(past: "]]>")
      guard !texts.isEmpty else { throw failure("text outside of an element") }
      texts[texts.count - 1].append(contentsOf: bytes[start..<(position - 3)])
      return
    }
    if takes("<!") { throw failure("a document type is refused") }
    if takes("</") { return try endTag() }
    position += 1
    try startTag()
  }

  private mutating func startTag() throws(XMLError) {
    let name = try self.name()
    guard root == nil else { throw failure("<\(name)> stands after the outermost element") }
    elements += 1
    guard elements <= Self.elementsMax else {
      throw failure("more than \(Self.elementsMax) elements")
    }
    guard open.count < Self.depthMax else { throw failure("nested deeper than \(Self.depthMax)") }
    open.append(XMLElement(name))
    texts.append([])
    if try attributes() { close() }
  }

  /// Passes over attributes to the end of the tag; true when the tag closes itself.
  private mutating func attributes() throws(XMLError) -> Bool {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: ">"):
        position += 1
        return false
      case UInt8(ascii: "/"):
        guard takes("/>") else { throw failure("expected '>' after '/'") }
        return true
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        let quote = bytes[position]
        position += 1
        while position < bytes.count, bytes[position] != quote { position += 1 }
        position += 1
      case UInt8(ascii: "<"): throw failure("'<' inside a tag")
      default: position += 1
      }
    }
    position = min(position, bytes.count)
    throw failure("the text ends inside a tag")
  }

  private mutating func endTag() throws(XMLError) {
    let name = try self.name()
    skipSpace()
    guard takes(">") else { throw failure("expected '>' after </\(name)") }
    guard let last = open.last else { throw failure("</\(name)> closes nothing") }
    guard last.name == name else { throw failure("</\(name)> closes <\(last.name)>") }
    close()
  }

  private mutating func close() {
    guard var element = open.popLast(), let text = texts.popLast() else { return }
    element.text = String(
      decoding: element.children.isEmpty ? text[...] : trim(text), as: UTF8.self)
    if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
  }

  private func trim(_ text: [UInt8]) -> ArraySlice<UInt8> {
    var slice = text[...]
    while let first = slice.first, isSpace(first) { slice.removeFirst() }
    while let last = slice.last, isSpace(last) { slice.removeLast() }
    return slice
  }

  private mutating func text() throws(XMLError) {
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
      let byte = bytes[position]
      if texts.isEmpty {
        guard isSpace(byte) else { throw failure("text outside of an element") }
        position += 1
      } else if byte == UInt8(ascii: "&") {
        try entity()
      } else {
        texts[texts.count - 1].append(byte)
        position += 1
      }
    }
  }

  private mutating func entity() throws(XMLError) {
    let start = position + 1
    // The longest is `&#x10FFFF;`.
    let end = bytes[start...].prefix(10).firstIndex(of: UInt8(ascii: ";"))
    guard let end else { throw failure("'&' without its ';'") }
    let name = String(decoding: bytes[start..<end], as: UTF8.self)
    guard let scalar = Self.scalar(name) else { throw failure("unknown entity &\(name);") }
    texts[texts.count - 1].append(contentsOf: String(scalar).utf8)
    position = end + 1
  }

  private static func scalar(_ name: String) -> Unicode.Scalar? {
    switch name {
    case "amp": "&"
    case "lt": "<"
    case "gt": ">"
    case "quot": "\""
    case "apos": "'"
    default:
      if name.hasPrefix("#x") {
        UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
      } else if name.hasPrefix("#") {
        UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init)
      } else {
        nil
      }
    }
  }

  private mutating func name() throws(XMLError) -> String {
    let start = position
    while position < bytes.count, isName(bytes[position]) { position += 1 }
    guard position > start else { throw failure("expected a name") }
    let name = bytes[start..<position]
    let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
    return String(decoding: local, as: UTF8.self)
  }

  private func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"): true
    default: false
    }
  }

  private func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private mutating func skipSpace() {
    while position < bytes.count, isSpace(bytes[position]) { position += 1 }
  }

  private mutating func takes(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
    position += count
    return true
  }

  private mutating func skip(past text: StaticString) throws(XMLError) {
    while position < bytes.count {
      if takes(text) { return }
      position += 1
    }
    throw failure("expected \(text)")
  }

  private func failure(_ reason: String) -> XMLError {
    XMLError(reason: reason, offset: min(position, bytes.count))
  }
}
