import Glibc
import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct TrustTests {
  private static let main = "/etc/lifeguard/lifeguard.yaml"

  private func problems(
    _ text: String = "mode: auto", user: UInt32 = 0, _ change: (inout MemoryFiles) -> Void
  ) -> [String] {
    var files = MemoryFiles([Self.main: text])
    change(&files)
    return files.loader(environment: ["PATH": "/usr/bin"], user: user)
      .load(mainFile: Self.main).problems.map(\.message)
  }

  @Test func `a file that its group can write is refused with the command to type`() {
    let found = problems { $0.add(Self.main, "mode: auto", mode: 0o664) }
    #expect(
      found == [
        "\(Self.main) can be written by its group (mode 0664, owner root); type: chmod go-w "
          + Self.main
      ])
  }

  @Test func `a directory above that others can write is refused`() {
    let found = problems { $0.addDirectory("/etc", mode: 0o757) }
    #expect(
      found == ["/etc can be written by others (mode 0757, owner root); type: chmod go-w /etc"])
  }

  @Test func `a sticky directory is fine for an entry of the right owner`() {
    #expect(problems { $0.addDirectory("/etc", mode: 0o1777) } == [])
  }

  @Test func `a file of another user is refused`() {
    let found = problems { $0.add(Self.main, "mode: auto", owner: 1000) }
    #expect(found.count == 1)
    #expect(found[0].contains("belongs to mallory (mode 0644)"))
    #expect(found[0].hasSuffix("type: chown root \(Self.main)"))
  }

  @Test func `the agent's own user is trusted, and root`() {
    #expect(problems(user: 1000) { $0.add(Self.main, "mode: auto", owner: 1000) } == [])
    #expect(problems(user: 1000) { $0.add(Self.main, "mode: auto", owner: 0) } == [])
    #expect(problems(user: 1000) { $0.add(Self.main, "mode: auto", owner: 1001) }.count == 1)
  }

  @Test func `what a link leads to is looked at as well`() {
    let found = problems {
      $0.addDirectory("/srv/shared", mode: 0o777)
      $0.add("/srv/shared/x.yaml", "mode: auto")
      $0.addLink(Self.main, to: "../../srv/shared/x.yaml")
    }
    #expect(found.contains { $0.hasPrefix("/srv/shared can be written by group and others") })
  }

  @Test func `links in a circle end`() {
    let found = problems {
      $0.addLink("/etc/lifeguard", to: "/etc/other")
      $0.addLink("/etc/other", to: "/etc/lifeguard")
    }
    #expect(found.allSatisfy { !$0.isEmpty })
  }

  @Test func `scripts, their interpreters and probes are checked`() {
    let text = """
      services:
        - name: web
          unit: web
          config_test: [/opt/test]
          probe: {exec: [/opt/probe]}
          recover: {steps: [{run: {command: [/opt/run]}}]}
      """
    let found = problems(text) {
      $0.add("/opt/test", "\u{7f}ELF", mode: 0o777)
      $0.add("/opt/probe", "#!/opt/shell -x\n", mode: 0o755)
      $0.add("/opt/shell", "\u{7f}ELF", mode: 0o775)
      $0.add("/opt/run", "#!/usr/bin/env python3\n", mode: 0o755)
      $0.add("/usr/bin/env", "\u{7f}ELF", mode: 0o755)
      $0.add("/usr/bin/python3", "\u{7f}ELF", mode: 0o722)
    }
    #expect(found.count == 3)
    for path in ["/opt/test", "/opt/shell", "/usr/bin/python3"] {
      #expect(found.contains { $0.hasPrefix("\(path) can be written") })
    }
  }

  @Test func `scripts among the arguments are checked where they stand`() {
    let text = """
      plans:
        p:
          target: host
          steps:
            - run: {command: [bash, -e, /opt/w.sh]}
            - run: {command: [timeout, '10', python3, w.py], working_directory: /opt}
            - run: {command: [bash, -c, /opt/w.sh]}
      recoveries: [{matchers: [a=b], plan: p}]
      """
    var files = MemoryFiles([Self.main: text])
    files.add("/usr/bin/bash", "\u{7f}ELF", mode: 0o755)
    files.add("/usr/bin/timeout", "\u{7f}ELF", mode: 0o755)
    files.add("/usr/bin/python3", "\u{7f}ELF", mode: 0o755)
    files.add("/opt/w.sh", "true", mode: 0o777)
    files.add("/opt/w.py", "pass", mode: 0o666)
    let problems = files.loader(environment: ["PATH": "/usr/bin"], user: 0)
      .load(mainFile: Self.main).errors
    #expect(problems.map { $0.message.prefix { $0 != " " } } == ["/opt/w.sh", "/opt/w.py"])
    #expect(problems.map { $0.location?.line } == [5, 6])
    #expect(problems.map { $0.location?.column } == [35, 49])
  }

  @Test
  func `root may use a script of another user, who is not trusted with a directory of root's`() {
    let text = """
      plans: {p: {target: host, steps: [{run: {command: [/home/app/run]}}]}}
      recoveries: [{matchers: [a=b], plan: p}]
      """
    let add: (inout MemoryFiles) -> Void = {
      $0.addDirectory("/home/app", mode: 0o755, owner: 1000)
      $0.add("/home/app/run", "#!/bin/sh\n", mode: 0o755, owner: 1000)
      $0.add("/bin/sh", "\u{7f}ELF", mode: 0o755)
    }
    #expect(problems(text, add) == [])
    #expect(problems(text, user: 1001, add).count == 2)
  }

  @Test func `rule files are checked at the place that names them`() {
    var files = MemoryFiles([Self.main: "mode: auto\nrule_files: [a.yaml]"])
    files.add("/etc/lifeguard/a.yaml", "groups: []", mode: 0o666)
    let problem = files.loader().load(mainFile: Self.main).problems.first
    #expect(problem?.location?.line == 2)
    #expect(problem?.message.hasPrefix("/etc/lifeguard/a.yaml can be written") == true)
  }

  @Test func `real files are checked by what the kernel says`() throws {
    var template = Array("/tmp/lifeguard-trust-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer {
      unlink(folder + "/lifeguard.yaml")
      rmdir(folder)
    }
    let path = folder + "/lifeguard.yaml"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let loader = ConfigurationLoader(
      files: .system, environment: { _ in nil }, user: getuid())
    #expect(loader.load(mainFile: path).problems == [])
    try #require(fchmod(descriptor, 0o666) == 0)
    let problems = loader.load(mainFile: path).problems
    #expect(problems.map { $0.message.hasSuffix("type: chmod go-w \(path)") } == [true])
    #expect(
      loader.load(mainFile: folder).errors.contains { $0.message.hasSuffix("is a directory") })
  }
}
