import Glibc
import TestSupport
import Testing

/// Processors, memory and disks that run out.
@Suite(
  .scenario,
  .enabled(if: LifeguardBinary.requirement.isMet, "\(LifeguardBinary.requirement.reason)"))
struct ResourceScenarios {
  /// An ordinary user.
  private static let user = "nobody"

  @Test(
    .enabled(
      if: Requirement.program("stress-ng").isMet, "\(Requirement.program("stress-ng").reason)"))
  func `a runaway process is stopped, spikes of a second are not`() async throws {
    // Run by an ordinary user, as the runaway process is.
    let busy =
      "sum by (instance) (rate(namedprocess_namegroup_cpu_seconds_total{groupname=\"runaway\"}[3s]))"
    let configuration = """
      collect: {process_groups: [{name: runaway, exe: FOLDER/runaway}], intervals: {processes: 1s}}
      rules:
        - alert: Runaway
          expr: 'CPUUtilization > 40 and on (instance) \(busy) > 0.5'
          samples: 5 of 6
          labels: {severity: warning}
          annotations: {summary: 'CPU {{ $value | printf "%.0f" }} %'}
          recover:
            target: process:runaway
            steps: [{run: {command: [FOLDER/end.sh], timeout: 20s}}, page]
            cooldown: 1s
            verify: {settle: 1s, hold: 3s, deadline: 30s}
      """
    try await Scene.play(user: Self.user, configuration) { scene in
      let stress = try #require(Requirement.locate("stress-ng"))
      let program = scene.folder / "runaway"
      let copied = try await ChildProgram.run(["cp", stress, program])
      try #require(copied.succeeded, "\(copied)")
      try scene.script(
        "end.sh", "pid=$(cat FOLDER/runaway.pid); echo \"ending $pid\"; kill -CONT $pid; kill $pid")
      try await scene.start()
      let load = try ChildProgram(
        Scene.asUser(Self.user) + [
          program, "--cpu", "16", "--timeout", "120", "--temp-path", scene.folder / "open",
        ])
      try TextFile.write("\(load.pid)\n", to: scene.folder / "runaway.pid")
      // Stopped, it waits; the agent gets to know its processes meanwhile.
      try await Task.sleep(for: .milliseconds(300))
      // The spikes are timed by a program of their own, which no busy test runner delays.
      let spike = "kill -CONT -\(load.pid); sleep 1; kill -STOP -\(load.pid)"
      Glibc.kill(-load.pid, SIGSTOP)
      for _ in 0..<3 {
        try await Task.sleep(for: .seconds(6))
        let result = try await ChildProgram.run(["sh", "-c", spike])
        #expect(result.succeeded, "\(result)")
      }
      let used = "sum(namedprocess_namegroup_cpu_seconds_total{groupname=\"runaway\"})"
      let seen = await eventually { try (scene.api.query(used).first ?? 0) > 1 }
      #expect(seen, "the spikes were not seen\n\(scene.report)")
      #expect(try scene.api.incidents().isEmpty, "\(scene.report)")
      #expect(load.isRunning, "\(load.standardOutput)\(load.standardError)")

      Glibc.kill(-load.pid, SIGCONT)
      let ended = await eventually(within: .seconds(60)) { !load.isRunning }
      #expect(ended, "nothing stopped it\n\(scene.report)")
      let story = try await scene.incident(of: "process:runaway", "recovered")
      await scene.expectWhole(story, step: "run")
      #expect(story.incident.attempts.count == 1, "\(story)")
      #expect(story.incident.attempts.first?.result?.contains("ending") == true, "\(story)")
      load.kill()
    }
  }

  @Test(
    .enabled(
      if: ControlGroupsOfTests.memory.isMet, "\(ControlGroupsOfTests.memory.reason)"))
  func `a leak is ended by a restart before it hits its control group's limit`()
    async throws
  {
    let limit = 192
    let group = try #require(
      ControlGroupsOfTests.makeMemoryGroup(
        limit: limit << 20, for: getpwnam(Self.user)?.pointee.pw_uid ?? 0))
    defer { ControlGroupsOfTests.remove(group) }
    let configuration = """
      collect: {process_groups: [{name: leaky, exe: FOLDER/faults}], intervals: {processes: 1s}}
      services:
        - name: leaky
          command: [FOLDER/in-group.sh]
      rules:
        - alert: Leak
          expr: 'namedprocess_namegroup_memory_bytes{groupname="leaky",memtype="resident"} > 67108864'
          labels: {severity: warning, service: leaky}
          annotations: {summary: '{{ $value | humanize1024 }}B of \(limit) MiB are in use'}
          recover:
            target: service:leaky
            steps: [restart, page]
            cooldown: 1s
            verify: {settle: 1s, hold: 2s, deadline: 30s}
      """
    try await Scene.play(user: Self.user, configuration) { scene in
      try scene.script(
        "in-group.sh",
        "echo $$ > \(group)/cgroup.procs\nexec FOLDER/faults leak FOLDER/open/flag 1 400")
      try await scene.start()
      let before = try await scene.pid(of: "leaky")
      try TextFile.write("", to: scene.folder / "open/flag")
      let story = try await scene.incident(of: "service:leaky", "recovered", within: .seconds(60))
      await scene.expectWhole(story, step: "restart")
      #expect(try await scene.pid(of: "leaky") != before)
      #expect(ControlGroupsOfTests.hits(of: group) == 0, "the limit was hit first\n\(story)")
    }
  }

  @Test(
    .enabled(
      if: ControlGroupsOfTests.memory.isMet, "\(ControlGroupsOfTests.memory.reason)"))
  func `what the kernel killed for want of memory is started again`() async throws {
    let group = try #require(ControlGroupsOfTests.makeMemoryGroup(limit: 24 << 20))
    defer { ControlGroupsOfTests.remove(group) }
    let configuration = """
      services:
        - name: greedy
          command: [FOLDER/in-group.sh]
          recover: \(ServiceScenarios.ladder)
      rules:
        - alert: OutOfMemoryKill
          expr: 'increase(node_vmstat_oom_kill[1m]) > 0'
          labels: {severity: warning}
      """
    try await Scene.play(configuration) { scene in
      try scene.script(
        "in-group.sh", "echo $$ > \(group)/cgroup.procs\nexec FOLDER/faults leak FOLDER/flag 8 400")
      try await scene.start()
      let before = try await scene.pid(of: "greedy")
      // The counter must have been seen before it grows.
      let counted = await eventually {
        try scene.api.query("count_over_time(node_vmstat_oom_kill[1m])").first ?? 0 >= 2
      }
      #expect(counted, "\(scene.report)")
      try TextFile.write("", to: scene.folder / "flag")
      let story = try await scene.incident(of: "service:greedy", "recovered")
      await scene.expectWhole(story, step: "start")
      #expect(try await scene.pid(of: "greedy") != before)
      #expect(ControlGroupsOfTests.hits(of: group) > 0, "\(story)")
      // The cause is an incident of its own.
      let cause = try await scene.story("incident that names the cause") {
        $0.alerts.contains("OutOfMemoryKill")
      }
      #expect(cause.incident.steps.isEmpty, "\(cause)")
      let told = await eventually { scene.hook.all.contains { $0.title.contains("OutOfMemory") } }
      #expect(told, "\(scene.report)")
    }
  }

  @Test func `a disk that fills up is cleaned by a script`() async throws {
    let configuration = """
      collect: {intervals: {filesystem: 1s}}
      rules:
        - alert: DiskFull
          expr: 'DiskUtilization{mountpoint="FOLDER/disk"} > 80'
          clear: 'DiskUtilization{mountpoint="FOLDER/disk"} < 60'
          labels: {severity: critical}
          annotations: {summary: '{{ $labels.mountpoint }} is {{ $value | printf "%.0f" }} % full'}
          recover:
            target: 'mount:{{ $labels.mountpoint }}'
            steps: [{run: {command: [FOLDER/clean.sh]}}, page]
            cooldown: 1s
            verify: {settle: 1s, hold: 2s, deadline: 30s}
      """
    try await Scene.play(disk: "disk", configuration) { scene in
      try scene.script(
        "clean.sh", "cd \"$LIFEGUARD_LABEL_MOUNTPOINT\" && rm -v -f -- *.log && ls")
      try await scene.start()
      let disk = scene.folder / "disk"
      try TextFile.write("keep me", to: disk + "/data")
      let megabyte = [UInt8](repeating: 7, count: 1 << 20)
      for number in 0..<14 { try TextFile.write(bytes: megabyte, to: disk + "/\(number).log") }
      let story = try await scene.incident(of: "mount:" + disk, "recovered")
      await scene.expectWhole(story, step: "run")
      #expect(story.incident.attempts.count == 1, "\(story)")
      #expect(!TextFile.exists(disk + "/0.log"))
      #expect(try TextFile.read(disk + "/data") == "keep me")
      let said = scene.hook.first("opened")?.text ?? ""
      #expect(said.contains("% full"), "\(said)")
    }
  }
}
