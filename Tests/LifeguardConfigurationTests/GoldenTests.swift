import Glibc
import LifeguardConfiguration
import LifeguardCore
import Testing

/// `Fixtures/NAME.bad.yaml` must give exactly the messages of `NAME.bad.txt`, and
/// `NAME.good.yaml` must load; `NAME.rules.….yaml` are rule files.
///
/// With LIFEGUARD_UPDATE_GOLDEN=1 the expected messages are written anew; review the difference.
@Suite struct GoldenTests {
  static let folder = String(#filePath.dropLast("GoldenTests.swift".count)) + "Fixtures/"
  static let names = FileAccess.system.list(folder).filter { $0.hasSuffix(".yaml") }.sorted()
  static let bad = names.filter { $0.hasSuffix(".bad.yaml") }
  static let good = names.filter { $0.hasSuffix(".good.yaml") }

  /// What the fixtures may refer to.
  static func problems(_ name: String) throws -> [ConfigurationProblem] {
    let bytes = try FileAccess.system.read(folder + name, 1 << 20).get()
    var files = MemoryFiles([
      "/etc/lifeguard/token": "abcdefgh\n", "/etc/lifeguard/key.pem": "-----BEGIN PRIVATE KEY-----",
      "/etc/lifeguard/cert.pem": "-----BEGIN CERTIFICATE-----",
      "/etc/lifeguard/rules/host.yaml": "groups: [{name: host, rules: []}]",
      "/etc/lifeguard/rules/broken/one.yaml": "groups:\n  - nam: x\n",
      "/etc/lifeguard/rules/broken/two.yaml": "groups: [\n",
    ])
    files.add("/etc/lifeguard/token", "abcdefgh\n", mode: 0o600)
    for program in ["/opt/restart_service.sh", "/opt/clean.sh", "/usr/sbin/nginx"] {
      files.add(program, "#!/bin/bash\n", mode: 0o755)
    }
    for program in ["/bin/bash", "/usr/bin/worker", "/usr/bin/batch"] {
      files.add(program, "\u{7f}ELF", mode: 0o755)
    }
    files.add("/etc/lifeguard/" + name, bytes: bytes)
    let environment = [
      "SLACK_WEBHOOK": "https://hooks.slack.com/services/x", "REGION": "eu", "TOKEN": "t",
      "HOOK": "http://127.0.0.1/", "MAIL": "ops@example.com",
      "PATH": "/usr/sbin:/usr/bin:/bin",
    ]
    let loader = files.loader(environment: environment)
    return name.contains(".rules.")
      ? loader.check([name]) : loader.load(mainFile: name).problems
  }

  @Test(arguments: bad)
  func `a bad file gives exactly the expected messages`(name: String) throws {
    let problems = try Self.problems(name)
    let text = problems.map { $0.description + "\n" }.joined()
    let golden = Self.folder + name.dropLast(5) + ".txt"
    if getenv("LIFEGUARD_UPDATE_GOLDEN") != nil {
      let descriptor = open(golden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      defer { close(descriptor) }
      let bytes = Array(text.utf8)
      try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }
    let expected = try FileAccess.system.read(golden, 1 << 20).get()
    #expect(text == String(decoding: expected, as: UTF8.self))
    #expect(problems.contains { $0.severity == .error })
  }

  @Test(arguments: good)
  func `a good file loads without an error`(name: String) throws {
    let errors = try Self.problems(name).filter { $0.severity == .error }
    #expect(errors == [])
  }

  @Test func `every message is one line in lower case without a full stop`() throws {
    for name in Self.bad {
      for problem in try Self.problems(name) {
        #expect(!problem.message.contains("\n"))
        #expect(!problem.message.hasSuffix("."))
        let first = problem.message.first ?? " "
        #expect(!(first.isUppercase && problem.message.dropFirst().first?.isLowercase ?? true))
      }
    }
  }

  @Test func `no message shows a secret`() throws {
    for problem in try Self.problems("receivers.bad.yaml") {
      #expect(!problem.message.contains("hunter2"))
      #expect(!problem.message.contains("secretpart"))
    }
  }

  @Test func `problems are sorted by file and line`() throws {
    for name in Self.bad {
      let places = try Self.problems(name).compactMap(\.location)
      #expect(places == places.sorted())
    }
  }
}
