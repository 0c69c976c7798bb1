import TestSupport
import Testing

/// The SSM documents: what they accept, and what their scripts do on a server.
@Suite(.enabled(if: Requirement.program("jq").isMet, "\(Requirement.program("jq").reason)"))
struct DocumentTests {
  @Test(arguments: CommandDocument.names)
  func `every parameter has a pattern that keeps a shell's own characters out`(name: String)
    async throws
  {
    let document = CommandDocument(name)
    // A parameter stands in single quotes in a script: with these it could get out of them.
    let outside = ["a'b", "a\"b", "a;b", "a b", "$(a)", "`a`", "a|b", "a\nb", "a\\b", "{{ a }}"]
    for parameter in try await document.parameters() {
      let pattern = try await document.query(".parameters.\(parameter).allowedPattern")
        .trimmedLines
      #expect(pattern.hasPrefix("^") && pattern.hasSuffix("$"), "\(parameter): \(pattern)")
      let expression = try Regex(pattern)
      for value in outside {
        #expect(value.wholeMatch(of: expression) == nil, "\(parameter) accepts \(value)")
      }
    }
  }

  @Test(
    .enabled(
      if: Requirement.program("shellcheck").isMet, "\(Requirement.program("shellcheck").reason)"),
    arguments: CommandDocument.names)
  func `scripts are fine by shellcheck and stand in quotes`(name: String) async throws {
    let document = CommandDocument(name)
    let text = try await document.script([:])
    for line in text.split(separator: "\n") where line.contains("{{ ") {
      let quotes = line[..<(line.firstRange(of: "{{ ")?.lowerBound ?? line.endIndex)]
        .filter { $0 == "'" }
      #expect(quotes.count % 2 == 1, "outside quotes: \(line)")
    }
    let folder = try TemporaryFolder()
    let values = Dictionary(
      uniqueKeysWithValues: try await document.parameters().map { ($0, "5") })
    try TextFile.write(try await document.script(values), to: folder / "script.sh")
    let result = try await ChildProgram.run(
      // A parameter's value is a constant here: comparisons with it seem to be decided already.
      ["shellcheck", "--shell=sh", "--exclude=SC2050,SC2157", folder / "script.sh"])
    #expect(result.succeeded, "\(result)")
  }

  @Test(arguments: [
    // LoadState, whether restart works, whether it is active afterwards, exit status, what is said
    ("loaded", true, true, 0, "was restarted and is active, pid 42"),
    ("loaded", true, false, 1, "was restarted and is not active"),
    ("loaded", false, false, 1, "the status of it"),
    ("not-found", true, true, 3, "there is no unit web.service"),
    ("masked", true, true, 4, "somebody wants it to be down"),
  ])
  func `a restart says what came of it`(
    load: String, restarts: Bool, isActive: Bool, status: Int32, words: String
  ) async throws {
    let folder = try TemporaryFolder()
    // Stands for systemctl: this machine's services are not touched.
    try TextFile.write(
      """
      #!/bin/sh
      echo "$*" >> '\(folder / "calls")'
      case "$*" in
        'show -p LoadState'*) echo \(load) ;;
        'show -p MainPID'*) echo 42 ;;
        restart*) exit \(restarts ? 0 : 1) ;;
        is-active*) exit \(isActive ? 0 : 3) ;;
        status*) echo 'the status of it' ;;
      esac

      """, to: folder / "systemctl", mode: 0o755)
    let script = try await CommandDocument("restart-service").script(["service": "web"])
    let result = try await ChildProgram.run(
      ["sh", "-c", script], environment: ["PATH": "\(folder.path):/usr/bin:/bin"])
    #expect(result.end == .exited(status), "\(result)")
    #expect((result.standardOutput + result.standardError).contains(words), "\(result)")
    let calls = try TextFile.read(folder / "calls")
    #expect(calls.contains("restart -- web.service") == (load == "loaded"), "\(calls)")
  }

  @Test(.enabled(if: Requirement.root.isMet, "\(Requirement.root.reason)"))
  func `only a script that nobody but root could have written is run`() async throws {
    let folder = try TemporaryFolder(in: "/var/tmp")
    let recovery = try folder.makeFolder("recovery")
    let script = recovery + "/free-space.sh"
    try TextFile.write("#!/bin/sh\necho \"freed $1\"; exit 7\n", to: script, mode: 0o755)
    func run(_ name: String, argument: String = "/var", seconds: String = "20") async throws
      -> ProgramResult
    {
      let text = try await CommandDocument("run-script").script(
        ["script": name, "argument": argument, "seconds": seconds]
      )
      .replacing("/ /opt /opt/lifeguard \"$folder\"", with: "'\(folder.path)' \"$folder\"")
      .replacing("/opt/lifeguard/recovery", with: recovery)
      return try await ChildProgram.run(["sh", "-c", text])
    }
    let ran = try await run("free-space.sh")
    #expect(ran.end == .exited(7) && ran.standardOutput == "freed /var\n", "\(ran)")
    #expect(try await run("free-space.sh", argument: "").standardOutput == "freed \n")
    #expect(try await run("other.sh").end == .exited(3))

    try TextFile.write("#!/bin/sh\nsleep 30\n", to: recovery + "/slow.sh", mode: 0o755)
    #expect(try await run("slow.sh", seconds: "1").end == .exited(124))

    for mode in ["775", "757", "777"] {
      _ = try await ChildProgram.run(["chmod", mode, script])
      let refused = try await run("free-space.sh")
      #expect(refused.end == .exited(4), "mode \(mode): \(refused)")
    }
    _ = try await ChildProgram.run(["chmod", "755", script])
    _ = try await ChildProgram.run(["chown", "nobody", script])
    #expect(try await run("free-space.sh").end == .exited(4))
    _ = try await ChildProgram.run(["chown", "root", script])
    _ = try await ChildProgram.run(["chmod", "777", recovery])
    #expect(try await run("free-space.sh").end == .exited(4))
  }

  @Test func `the configuration of Amazon's agent reports what the alarms look at`() async throws {
    let path = SourceTree.path("deploy/cloudwatch-agent/amazon-cloudwatch-agent.json")
    func query(_ filter: String) async throws -> String {
      let result = try await ChildProgram.run(["jq", "--raw-output", filter, path])
      guard result.succeeded else { throw CheckFailure("\(result)") }
      return result.standardOutput.trimmedLines
    }
    // An alarm names every dimension of its metric: only sums over the others have this one alone.
    #expect(
      try await query(".metrics.aggregation_dimensions | index([[\"InstanceId\"]]) != null")
        == "true")
    #expect(
      try await query(".metrics.append_dimensions.InstanceId") == "${aws:InstanceId}")
    #expect(try await query(".metrics.namespace") == "CWAgent")
    let measured = try await query(".metrics.metrics_collected[].measurement[]")
      .split(separator: "\n").map(String.init)
    let alarms = try TextFile.read(SourceTree.path("deploy/terraform/alarms.tf"))
    for metric in ["mem_used_percent", "disk_used_percent"] {
      #expect(measured.contains(metric) && alarms.contains("\"\(metric)\""))
    }
    #expect(
      try await query(".logs.logs_collected.files.collect_list[0].log_group_name")
        == "ServerMetricsLogGroup")
  }
}

extension String {
  /// Without line ends at its end.
  fileprivate var trimmedLines: String {
    var text = self[...]
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }
}
