import LifeguardCore
import Testing

private struct Everything: Codable, Equatable {
  enum Color: String, Codable { case red, green }
  enum Step: Codable, Equatable {
    case reload
    case run(command: [String], timeout: Duration)
    case page(String, Int?)
    indirect case both(Step, Step)
  }
  var text = "é\"\n"
  var flag = true
  var smallest = Int64.min
  var largest = UInt64.max
  var ratio = 0.1
  var single: Float = 0.3
  var tiny: UInt8 = 255
  var missing: Int?
  var present: Int? = 5
  var list = [1, 2, 3]
  var holes: [Int?] = [1, nil, 3]
  var colors: [Color] = [.red, .green]
  var steps: [Step] = [
    .reload, .run(command: ["/bin/true", ""], timeout: .milliseconds(1500)), .page("ops", nil),
    .both(.reload, .page("x", 2)),
  ]
  var byName = ["b": [1.5], "a": []]
  var byNumber = [2: "two", -1: "minus one"]
  var byColor = [Color.red: 1]
  var wait = Duration.seconds(-3) + .nanoseconds(7)
  var nested = ["x": ["y": Int64(1) << 62]]
  var json: JSON = ["free": [1, "form", nil]]
}

private class Base: Codable {
  var name = "base"
}

private final class Derived: Base {
  var size = 3
  private enum Keys: String, CodingKey { case size }

  override init() { super.init() }
  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    size = try container.decode(Int.self, forKey: .size)
    try super.init(from: container.superDecoder())
  }
  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(size, forKey: .size)
    try super.encode(to: container.superEncoder())
  }
}

@Suite struct `Codable values as JSON` {
  @Test func `a value with everything in it survives a round trip`() throws {
    let value = Everything()
    let bytes = try JSONCoder.encode(value)
    #expect(try JSONCoder.decode(Everything.self, from: bytes) == value)
    #expect(try JSONCoder.encode(try JSONCoder.decode(Everything.self, from: bytes)) == bytes)
  }

  @Test func `the form is the one that others expect`() throws {
    let json = try JSONCoder.json(Everything())
    #expect(json["smallest"] == .integer(.min))
    #expect(json["largest"] == .unsigned(.max))
    #expect(json["single"]?.text() == "0.3")
    #expect(json["missing"] == nil)
    #expect(json["holes"] == [1, nil, 3])
    #expect(json["byNumber"] == ["2": "two", "-1": "minus one"])
    #expect(json["byColor"] == ["red", 1])
    #expect(json["steps"]?[0] == ["reload": [:]])
    #expect(json["steps"]?[2] == ["page": ["_0": "ops"]])
    #expect(json["json"] == ["free": [1, "form", nil]])
    // Duration's own form: the high and the low 64 bits of its attoseconds.
    let second = try JSONCoder.json(Duration.seconds(1))
    #expect(second == [0, 1_000_000_000_000_000_000])
  }

  @Test func `equal values give equal bytes`() throws {
    let one = Dictionary(uniqueKeysWithValues: (0..<200).map { ("key\($0)", $0) })
    let two = Dictionary(uniqueKeysWithValues: (0..<200).reversed().map { ("key\($0)", $0) })
    #expect(try JSONCoder.encode(one) == JSONCoder.encode(two))
  }

  @Test func `values at the top need no container`() throws {
    #expect(try JSONCoder.encode(Int?.none) == Array("null".utf8))
    #expect(try JSONCoder.decode(Int?.self, from: Array("null".utf8)) == nil)
    #expect(try JSONCoder.encode("x") == Array("\"x\"".utf8))
    #expect(try JSONCoder.decode(Double.self, from: Array("\"-Inf\"".utf8)) == -.infinity)
    #expect(try JSONCoder.decode(Double.self, from: Array("\"NaN\"".utf8)).isNaN)
    #expect(try JSONCoder.decode([Double].self, from: Array("[1, 2.5]".utf8)) == [1, 2.5])
    #expect(try JSONCoder.encode([Double.nan]) == Array("[\"NaN\"]".utf8))
    let labels: Labels = ["__name__": "up", "job": "node"]
    #expect(try JSONCoder.decode(Labels.self, from: try JSONCoder.encode(labels)) == labels)
  }

  @Test func `a superclass has a place of its own`() throws {
    let value = Derived()
    value.name = "other"
    value.size = 9
    let bytes = try JSONCoder.encode(value)
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"size":9,"super":{"name":"other"}}"#)
    let read = try JSONCoder.decode(Derived.self, from: bytes)
    #expect(read.name == "other")
    #expect(read.size == 9)
  }

  private struct Outer: Decodable {
    struct Inner: Decodable {
      var name: String
      var size: Int8
    }
    var items: [Inner]
  }

  @Test(arguments: [
    (#"{}"#, "items: is missing"),
    (#"{"items":[{"name":"a","size":1},{"size":1}]}"#, "items[1].name: is missing"),
    (#"{"items":[{"name":5,"size":1}]}"#, "items[0].name: expected a string, found a number"),
    (#"{"items":[{"name":null,"size":1}]}"#, "items[0].name: expected a string, found null"),
    (
      #"{"items":[{"name":"a","size":300}]}"#,
      "items[0].size: 300 is no whole number from -128 to 127"
    ),
    (
      #"{"items":[{"name":"a","size":1.5}]}"#,
      "items[0].size: 1.5 is no whole number from -128 to 127"
    ),
    (#"{"items":7}"#, "items: expected an array, found a number"),
    (#"[]"#, "the whole value: expected an object, found an array"),
    ("{", "line 1, column 2: expected a name in quotes"),
  ])
  func `an error names the path`(text: String, message: String) {
    let error = #expect(throws: (any Error).self) {
      try JSONCoder.decode(Outer.self, from: Array(text.utf8))
    }
    #expect(error.map { JSONCoder.describe($0) } == message)
  }

  @Test func `random bytes never crash the decoder`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2000 {
      let json = randomJSON(depth: 4, &random)
      _ = Result { try JSONCoder.decode(Everything.self, from: json) }
      _ = Result { try JSONCoder.decode([Everything.Step].self, from: json) }
    }
  }
}
