import LifeguardConfiguration
import LifeguardCore
import Testing

/// The reference and the examples stay true: every key is documented, and everything that is shown
/// loads.
@Suite struct DocumentTests {
  static let root = String(
    #filePath.dropLast("Tests/LifeguardConfigurationTests/DocumentTests.swift".count))
  static let examples = FileAccess.system.list(root + "examples").filter { $0.hasSuffix(".yaml") }

  private static func read(_ path: String) throws -> String {
    String(
      decoding: try FileAccess.system.read(root + path, 4 << 20).get(), as: UTF8.self)
  }

  /// What the examples refer to.
  private static func load(_ name: String, _ files: MemoryFiles) -> [ConfigurationProblem] {
    var files = files
    files.add("/etc/lifeguard/smtp-password", "x", mode: 0o600)
    let programs = [
      "/usr/sbin/nginx", "/usr/bin/lifeguard", "/usr/local/sbin/clean-var",
      "/opt/restart_service.sh",
    ]
    for program in programs { files.add(program, "\u{7f}ELF", mode: 0o755) }
    let environment = [
      "SLACK_WEBHOOK": "https://hooks.slack.com/services/x", "TICKET_TOKEN": "t",
      "SMTP_PASSWORD": "p", "GRAFANA_PASSWORD": "12345678", "VMAGENT_PASSWORD": "12345678",
      "PATH": "/usr/sbin:/usr/bin",
    ]
    let loader = files.loader(environment: environment, executable: "/usr/bin/lifeguard")
    return loader.check([name])
  }

  @Test func `the reference documents exactly the keys that there are`() throws {
    var documented: [String: [String]] = [:]
    var section = ""
    for line in try Self.read("docs/configuration.md").split(separator: "\n") {
      if line.hasPrefix("## ") {
        section = line.dropFirst(3).filter { $0 != "`" }
      } else if line.hasPrefix("| `"), let key = line.dropFirst(3).split(separator: "`").first {
        documented[section, default: []].append(String(key))
      }
    }
    for (path, keys) in ConfigurationReference.sections {
      #expect(documented[path] == keys, "keys of \(path)")
    }
    let known = Set(ConfigurationReference.sections.map(\.path))
    #expect(Set(documented.keys).subtracting(known) == ["Secrets"])
  }

  @Test func `every block of the reference loads`() throws {
    let text = try Self.read("docs/configuration.md")
    var blocks: [String] = []
    var current: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```yaml" {
        current = ""
      } else if line == "```" {
        if let block = current { blocks.append(block) }
        current = nil
      } else {
        current? += line + "\n"
      }
    }
    #expect(blocks.count >= 14)
    for block in blocks {
      var files = MemoryFiles(["/etc/lifeguard/rules/a.yaml": "groups: []"])
      files.add("/etc/lifeguard/block.yaml", block)
      let problems = Self.load("block.yaml", files)
      #expect(problems == [], "\(block)")
    }
  }

  @Test func `there are examples`() {
    #expect(
      Set(Self.examples).isSuperset(of: [
        "quickstart.yaml", "web-server.yaml", "disk-cleanup.yaml", "prometheus-rules.yaml",
        "notifications.yaml",
      ]))
  }

  @Test(arguments: examples)
  func `every example loads without a word`(name: String) throws {
    var files = MemoryFiles()
    files.add("/etc/lifeguard/" + name, try Self.read("examples/" + name))
    for rules in FileAccess.system.list(Self.root + "examples/rules") {
      files.add("/etc/lifeguard/rules/" + rules, try Self.read("examples/rules/" + rules))
    }
    #expect(Self.load(name, files) == [])
  }

  @Test func `the quick start acts on its service and on the processor`() throws {
    var files = MemoryFiles()
    files.add("/opt/lifeguard/lifeguard", "\u{7f}ELF", mode: 0o755)
    files.add("/etc/lifeguard/quickstart.yaml", try Self.read("examples/quickstart.yaml"))
    let loaded = files.loader(executable: "/opt/lifeguard/lifeguard")
      .load(mainFile: "quickstart.yaml")
    #expect(loaded.problems == [])
    let configuration = try #require(loaded.configuration)
    #expect(configuration.mode == .auto)
    guard case .command(let command) = configuration.services.first?.handle else {
      Issue.record("the quick start supervises no child")
      return
    }
    #expect(command.arguments.first == "/opt/lifeguard/lifeguard")
    #expect(configuration.rules.map(\.name) == ["CPUHigh"])
  }

  @Test func `the page about doing without a file names every variable`() throws {
    let page = try Self.read("examples/zero-file.md")
    let names = [
      "METRIC_NAME_TO_MONITOR", "ALARM_THRESHOLD_", "ALARM_THRESHOLD_CPU", "RECOVERY_SCRIPT_PATH",
      "SNS_TOPIC_ARN", "LOG_GROUP_NAME", "NOTIFICATION_SUBJECT", "NOTIFICATION_MESSAGE_PREFIX",
    ]
    for name in names { #expect(page.contains("| `\(name)`"), "\(name)") }
  }
}
