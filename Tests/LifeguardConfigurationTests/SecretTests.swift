import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct SecretTests {
  private func url(
    _ reference: String, files: [String: String] = [:], environment: [String: String] = [:]
  ) -> String? {
    let text = "notify: {receivers: {a: {webhook: {url: '\(reference)'}}}}"
    let loaded = load(text, files: files, environment: environment)
    guard case .webhook(let channel) = loaded.configuration?.receivers["a"]?.channels.first else {
      return nil
    }
    return channel.url.revealed
  }

  @Test func `references are replaced within a text`() {
    #expect(
      url("http://${env:HOST}/${file:path}", files: ["/etc/lifeguard/path": "p q\n"]) == nil)
    #expect(
      url(
        "http://${env:HOST}/${file:path}", files: ["/etc/lifeguard/path": "\n p \n"],
        environment: ["HOST": "h"]) == "http://h/p")
  }

  @Test func `a secret of AWS comes from whoever can fetch it`() {
    var files = MemoryFiles()
    files.add(
      "/etc/lifeguard/lifeguard.yaml",
      "notify: {receivers: {a: {webhook: {url: '${ssm:/url}', headers: {X-Key: '${secretsmanager:k}'}}}}}"
    )
    var loader = files.loader()
    #expect(loader.load(mainFile: "lifeguard.yaml").errors.count == 2)
    loader.remoteSecret = { secret in
      switch secret {
      case .parameter(let name): .success("http://localhost" + name)
      case .secret(let name): .success("value of " + name)
      }
    }
    let receivers = loader.load(mainFile: "lifeguard.yaml").configuration?.receivers
    guard case .webhook(let channel) = receivers?["a"]?.channels.first else {
      Issue.record("no webhook")
      return
    }
    #expect(channel.url.revealed == "http://localhost/url")
    #expect(channel.headers["X-Key"]?.revealed == "value of k")
  }

  @Test func `a secret that anybody can read is pointed at`() {
    let text = "notify: {receivers: {a: {webhook: {url: '${file:url}'}}}}"
    let loaded = load(text, files: ["/etc/lifeguard/url": "http://localhost/"])
    #expect(loaded.configuration != nil)
    #expect(loaded.warnings.map { $0.message.contains("chmod 600") } == [true])
  }

  @Test func `an invalid secret is not shown`() {
    let loaded = load(
      "notify: {receivers: {a: {webhook: {url: '${env:URL}'}}}}",
      environment: ["URL": "hunter2"])
    #expect(loaded.errors.count == 1)
    #expect(loaded.errors.allSatisfy { !$0.message.contains("hunter2") })
  }

  /// The reference stands at a known place in each style; the message must point at it.
  @Test(arguments: [
    ("plain ${evn:X}", 1, 36), ("'it''s ${evn:X}'", 1, 37),
    (#""a\tb\x41 \u00e9 \"${evn:X}""#, 1, 49),
    ("|\n    first\n\n      second ${evn:X}", 4, 14), (">\n    first\n    second ${evn:X}", 3, 12),
    ("first\n    second\n    ${evn:X}", 3, 5), (#""first \"# + "\n" + #"    ${evn:X}""#, 2, 5),
  ])
  func `a place inside a text is found in every style`(
    text: String, line: Int, column: Int
  ) throws {
    // Block styles cannot stand in braces.
    let loaded = load("external_labels:\n  abcdefghijklmnopqrstuvwxy: \(text)")
    let location = try #require(loaded.errors.first?.location)
    #expect(loaded.errors.count == 1)
    #expect(location.line == line + 1)
    #expect(location.column == column)
  }

  @Test(arguments: ["\n", "\r\n", "\r", "\u{85}", "\u{2028}"])
  func `every kind of line end counts`(lineEnd: String) throws {
    for mark in ["", "\u{feff}"] {
      let lines = ["# é", "external_labels:", "  a: b", "  c: 'x ${evn:X}'", ""]
      let loaded = load(mark + lines.joined(separator: lineEnd))
      let location = try #require(loaded.errors.first?.location)
      #expect([location.line, location.column] == [4, 9])
    }
  }
}
