import LifeguardConfiguration
import LifeguardCore
import Testing

@testable import LifeguardServer

@Suite struct FormTests {
  @Test func `a name may come several times, from the form first`() throws {
    let form = try Form(query: "a=3&b=x", body: Array("a=1+2&a=%41%2B&c".utf8))
    #expect(form.texts("a") == ["1 2", "A+", "3"])
    #expect(form.text("a") == "1 2" && form.text("b") == "x")
    #expect(form.text("c") == "" && form.texts("c") == [""] && form.texts("d") == [])
  }

  @Test(arguments: ["a=%", "a=%4", "a=%zz", "%g0=1"])
  func `an escape that is none is refused`(text: String) {
    #expect(throws: Form.Problem.self) { try Form(query: text) }
  }

  @Test func `a form with too many names is refused`() {
    let text = Array(repeating: "a=1", count: Form.pairsMax + 1).joined(separator: "&")
    #expect(throws: Form.Problem.self) { try Form(query: text) }
  }

  @Test(arguments: [
    ("0", 0), ("1.5", 1500), ("-3", -3000), ("1e3", 1_000_000),
    ("1970-01-01T00:00:01Z", 1000), ("1970-01-01T01:00:00.5+01:00", 500),
    ("1969-12-31T23:30:00-00:30", 0),
  ])
  func `times are read`(text: String, milliseconds: Int64) {
    #expect(ParameterText.timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "NaN", "Inf", "1e300", "-1e16", "now", "1970-01-01", "1970-01-01T00:00:00",
    "1970-01-01T00:00:00+25:00", "1970-01-01T00:00:00+1:00", "é1970-01-01T00:00:00Z",
  ])
  func `what is no time is refused`(text: String) {
    #expect(ParameterText.timestamp(text) == nil)
  }

  @Test(arguments: [
    ("15", 15_000), ("0.5", 500), ("-1", -1000), ("5m", 300_000), ("1h30m", 5_400_000),
    ("1y2w3d", 33_004_800_000), ("500ms", 500), ("0", 0),
  ])
  func `durations are read`(text: String, milliseconds: Int64) {
    #expect(ParameterText.duration(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "s", "5", "1m1h", "5x", "1e300", "NaN", "Infinity", "99999999999y", "300y", "1h-5m",
    "18446744073709551616s", "999999999999999d",
  ])
  func `what is no duration is refused`(text: String) {
    if text == "5" { return }
    #expect(ParameterText.duration(text) == nil)
  }

  @Test(arguments: [
    ("job", "job"), ("U__http_2e_status", "http.status"), ("U__a__b", "a_b"),
    ("U__a_zz_", "U__a_zz_"),
    ("U__é", "é"), ("U__a_", "U__a_"),
  ])
  func `escaped names of labels are read`(name: String, label: String) {
    #expect(LabelName.unescaped(name) == label)
  }

  @Test(arguments: [
    ("", false), ("\u{FFFD}", false), ("1a", true), ("a-b", true), ("http.status", true),
    ("_a1", true),
  ])
  func `names of labels in paths are checked`(name: String, isValid: Bool) {
    #expect(LabelName.isValid(name) == isValid)
  }

  @Test func `names and passwords are read, and compared in full`() {
    let users = [
      HTTPUser(name: "a", password: Secret("first-password")),
      HTTPUser(name: "b", password: Secret("second:password"), right: .write),
    ]
    func caller(_ text: String) -> Caller? {
      BasicCredentials(Base64.encode(text.utf8))?.caller(among: users)
    }
    #expect(caller("a:first-password") == Caller(name: "a", right: .read))
    #expect(caller("b:second:password") == Caller(name: "b", right: .write))
    #expect(caller("a:second:password") == nil && caller("a:") == nil && caller("") == nil)
    #expect(caller("a:first-passwor") == nil && caller(":first-password") == nil)
    #expect(BasicCredentials("!!!") == nil && BasicCredentials("") == nil)
  }

  @Test func `gzip goes there and back, and a bomb is stopped at its limit`() throws {
    let text = Array(String(repeating: "node_load1 0.5\n", count: 1000).utf8)
    let packed = try #require(Gzip.compress(text))
    #expect(packed.count < text.count / 10)
    #expect(try Gzip.decompress(packed, upTo: text.count) == text)
    #expect(throws: Gzip.Problem.tooLarge) { try Gzip.decompress(packed, upTo: text.count - 1) }
    let bomb = try #require(Gzip.compress([UInt8](repeating: 0, count: 8 << 20)))
    #expect(bomb.count < 64 * 1024)
    #expect(throws: Gzip.Problem.tooLarge) { try Gzip.decompress(bomb, upTo: 64 * 1024) }
    for damaged in [[], [0x1F, 0x8B], Array(packed.dropLast(9)), text] {
      #expect(throws: Gzip.Problem.corrupt) { try Gzip.decompress(damaged, upTo: 1 << 20) }
    }
  }

  @Test(arguments: [
    ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true), ("gzip;q=0", false),
    ("identity", false), ("*;q=0", false), ("gzip; q=0, *", false), ("", false),
  ])
  func `a client's wish for gzip is read`(header: String, takes: Bool) {
    #expect(Gzip.isAccepted(by: header) == takes)
  }
}
