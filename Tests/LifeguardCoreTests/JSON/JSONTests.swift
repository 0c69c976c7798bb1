import LifeguardCore
import Testing

@Suite struct `JSON text` {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "-1", "9223372036854775807", "-9223372036854775808",
    "18446744073709551615", "0.1", "1e+16", "5e-324", "1.7976931348623157e+308", "\"\"",
    "\"a\\\"\\\\\\n\\u0001é😀\"", "[]", "[1,[2,[]],{}]", #"{"b":1,"a":{"c":null}}"#,
  ])
  func `text in its shortest form comes back unchanged`(text: String) throws {
    #expect(try JSON.parse(text).text() == text)
  }

  @Test(arguments: [
    ("1.0", "1"), ("1e2", "100"), ("100000000000000000000", "1e+20"), ("1E-7", "1e-07"),
    ("9007199254740992.0", "9007199254740992"), (" [ 1 , 2 ] ", "[1,2]"),
    (#"{"a":1,"b":2,"a":3}"#, #"{"a":3,"b":2}"#), (#""A\/\u00e9""#, "\"A/é\""),
    (#""\ud83d\ude00""#, "\"😀\""), (#""\ud83dx""#, "\"\u{FFFD}x\""),
    (#""\ud83d\u0041""#, "\"\u{FFFD}A\""), (#""\ude00""#, "\"\u{FFFD}\""), ("1e-400", "0"),
  ])
  func `other forms are understood`(text: String, shortest: String) throws {
    #expect(try JSON.parse(text).text() == shortest)
  }

  @Test(arguments: [
    ("", 1, 1, "ends"), ("[1,]", 1, 4, "value"), ("{\"a\":1,}", 1, 8, "name"),
    ("[1\n 2]", 2, 2, "','"), ("01", 1, 1, "needless"), ("1.", 1, 3, "digit"),
    ("1e", 1, 3, "digit"), ("-", 1, 2, "digit"), ("\"abc", 1, 1, "no end"),
    ("\"\t\"", 1, 2, "control"), (#""\x""#, 1, 2, "escape"), (#""\u12g4""#, 1, 2, "hexadecimal"),
    ("nul", 1, 1, "null"), ("NaN", 1, 1, "value"), ("1 2", 1, 3, "follow"),
    ("1e400", 1, 1, "too large"), ("{1:2}", 1, 2, "name"), ("[\"é\", x]", 1, 7, "value"),
    ("+1", 1, 1, "value"), ("\u{FEFF}1", 1, 1, "value"),
  ])
  func `an error says where and what`(text: String, line: Int, column: Int, word: String) {
    let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
    #expect(error?.line == line)
    #expect(error?.column == column)
    #expect(error?.reason.contains(word) == true, "\(error?.reason ?? "")")
  }

  @Test func `bytes that are no UTF-8 are refused`() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
      #expect(throws: JSONError.self) { try JSON.parse([0x22] + bytes + [0x22]) }
      #expect(throws: JSONError.self) { try JSON.parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
    }
  }

  @Test func `nesting is limited`() throws {
    let deepest = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
    _ = try JSON.parse(deepest)
    let error = #expect(throws: JSONError.self) { try JSON.parse("[" + deepest + "]") }
    #expect(error?.reason.contains("256") == true)
    #expect(throws: JSONError.self) {
      try JSON.parse([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
    }
  }

  @Test func `numbers that JSON lacks are written as strings`() throws {
    let json: JSON = [.number(.nan), .number(.infinity), .number(-.infinity)]
    #expect(json.text() == #"["NaN","+Inf","-Inf"]"#)
    let read = try JSON.parse(json.bytes())
    #expect(read[0]?.double?.isNaN == true)
    #expect(read[1]?.double == .infinity)
    #expect(read[2]?.double == -.infinity)
  }

  @Test func `keys keep their order unless sorted`() {
    let json: JSON = ["b": 1, "a": [true, nil], "é": "x"]
    #expect(json.text() == #"{"b":1,"a":[true,null],"é":"x"}"#)
    #expect(json.text(sortedKeys: true) == #"{"a":[true,null],"b":1,"é":"x"}"#)
    #expect(json.text(indented: true).hasPrefix("{\n  \"b\": 1,\n  \"a\": [\n    true,"))
  }

  @Test func `large objects find, replace and remove members`() {
    var object = JSONObject()
    for index in 0..<100 { object["key\(index)"] = .integer(Int64(index)) }
    for index in stride(from: 0, to: 100, by: 3) { object["key\(index)"] = nil }
    object["key1"] = "one"
    #expect(object.count == 66)
    #expect(object["key1"] == "one")
    #expect(object["key3"] == nil)
    #expect(object["key98"] == 98)
    #expect(object.keys.first == "key1")
  }

  @Test func `names that only look the same are different members`() throws {
    let json = try JSON.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(json.object?.count == 2)
    #expect(json["\u{E9}"] == 1)
    #expect(json["e\u{301}"] == 2)
  }

  @Test func `random values survive a round trip`() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      let value = randomJSON(depth: 4, &random)
      let bytes = value.bytes(indented: Bool.random(using: &random))
      #expect(try JSON.parse(bytes) == value)
    }
  }

  @Test func `every double comes back bit for bit`() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<50_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      let read = try JSON.parse(JSON.number(value).bytes())
      #expect(read.double?.bitPattern == value.bitPattern)
      let decimal = Double(Int64.random(in: -99_999_999...99_999_999, using: &random)) / 1e4
      #expect(try JSON.parse(JSON.number(decimal).bytes()).double == decimal)
    }
  }

  @Test func `damaged text never crashes the reader`() {
    var random = SeededGenerator(seed: 3)
    let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \n\u{1}é".utf8)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<40, using: &random)
      let text = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      _ = Result { try JSON.parse(text) }
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = Result { try JSON.parse(noise) }
    }
    for _ in 0..<2000 {
      var bytes = randomJSON(depth: 4, &random).bytes()
      guard !bytes.isEmpty else { continue }
      bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
      _ = Result { try JSON.parse(Array(bytes.prefix(.random(in: 0...bytes.count)))) }
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a failure repeats with the seed in the test.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

func randomJSON(depth: Int, _ random: inout SeededGenerator) -> JSON {
  switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
  case 0: return .null
  case 1: return .bool(.random(using: &random))
  case 2: return .integer(Int64(bitPattern: random.next()))
  case 3: return .unsigned(random.next() | 1 << 63)
  case 4:
    let value = Double(bitPattern: random.next())
    return .number(value.isFinite ? value : -0.0)
  case 5: return .number(Double(Int32(truncatingIfNeeded: random.next())) / 1000)
  case 6: return .string(randomText(&random))
  case 7:
    let count = Int.random(in: 0..<20, using: &random)
    return .array((0..<count).map { _ in randomJSON(depth: depth - 2, &random) })
  default:
    let count = Int.random(in: 0..<20, using: &random)
    return .object(
      JSONObject(
        (0..<count).map { _ in (randomText(&random), randomJSON(depth: depth - 1, &random)) }))
  }
}

private func randomText(_ random: inout SeededGenerator) -> String {
  var text = String.UnicodeScalarView()
  for _ in 0..<Int.random(in: 0..<12, using: &random) {
    let limit: UInt32 = Bool.random(using: &random) ? 0x80 : 0x11_0000
    text.append(Unicode.Scalar(.random(in: 0..<limit, using: &random)) ?? "\\")
  }
  return String(text)
}
