import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// Control groups of both versions, as files.
@Suite struct CgroupTests {
  private func tree(_ mounts: String, _ files: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.makeFolder("proc/self")
    try TextFile.write(mounts, to: folder / "proc/self/mounts")
    for (path, content) in files {
      try folder.makeFolder(path.split(separator: "/").dropLast().joined(separator: "/"))
      try TextFile.write(content, to: folder / path)
    }
    return folder
  }

  @Test func `version 2 gives memory, throttling, OOM kills and tasks`() throws {
    let base = "sys/fs/cgroup/system.slice/web.service/"
    let folder = try tree(
      "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
      [
        base + "memory.current": "1000000\n", base + "memory.max": "max\n",
        base + "memory.stat": "anon 600000\nfile 400000\ninactive_file 300000\n",
        base + "memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\n",
        base + "cpu.stat":
          "usage_usec 2500000\nuser_usec 1\nnr_periods 100\nnr_throttled 40\n"
          + "throttled_usec 1500000\n",
        base + "pids.current": "12\n", base + "pids.max": "512\n",
      ])
    let collected = Collecting("cgroup", root: FileSystemRoot(folder.path))
    let id: Labels = ["id": "/system.slice/web.service"]
    #expect(collected.value("container_memory_usage_bytes", id) == 1_000_000.0)
    #expect(collected.value("container_memory_working_set_bytes", id) == 700_000.0)
    #expect(collected.value("container_memory_rss", id) == 600_000.0)
    #expect(collected.value("container_spec_memory_limit_bytes", id) == 0.0)
    #expect(collected.value("container_oom_events_total", id) == 2.0)
    #expect(collected.value("container_cpu_usage_seconds_total", id) == 2.5)
    #expect(collected.value("container_cpu_cfs_periods_total", id) == 100.0)
    #expect(collected.value("container_cpu_cfs_throttled_periods_total", id) == 40.0)
    #expect(collected.value("container_cpu_cfs_throttled_seconds_total", id) == 1.5)
    #expect(collected.value("container_threads", id) == 12.0)
    #expect(collected.value("container_threads_max", id) == 512.0)
  }

  @Test func `version 1 gives the same from its four hierarchies`() throws {
    let folder = try tree(
      "c /sys/fs/cgroup/memory cgroup rw,memory 0 0\nc /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\n"
        + "c /sys/fs/cgroup/pids cgroup rw,pids 0 0\n",
      [
        "sys/fs/cgroup/memory/web/memory.usage_in_bytes": "5000000\n",
        "sys/fs/cgroup/memory/web/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/web/memory.stat":
          "cache 1\ntotal_rss 2000000\ntotal_inactive_file 1000000\n",
        "sys/fs/cgroup/memory/web/memory.oom_control":
          "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
        "sys/fs/cgroup/cpu/web/cpu.stat":
          "nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n",
        "sys/fs/cgroup/cpu/web/cpuacct.usage": "1500000000\n",
        "sys/fs/cgroup/pids/web/pids.current": "3\n",
      ])
    let collected = Collecting("cgroup", root: FileSystemRoot(folder.path))
    let id: Labels = ["id": "/web"]
    #expect(collected.value("container_memory_usage_bytes", id) == 5_000_000.0)
    #expect(collected.value("container_memory_working_set_bytes", id) == 4_000_000.0)
    #expect(collected.value("container_spec_memory_limit_bytes", id) == 0.0)
    #expect(collected.value("container_oom_events_total", id) == 5.0)
    #expect(collected.value("container_cpu_cfs_throttled_seconds_total", id) == 2.5)
    #expect(collected.value("container_cpu_usage_seconds_total", id) == 1.5)
    #expect(collected.value("container_threads", id) == 3.0)
  }

  @Test func `a host without control groups has nothing to collect, which is not a fault`() throws {
    let folder = try tree("proc /proc proc rw 0 0\n", [:])
    let collected = Collecting("cgroup", root: FileSystemRoot(folder.path))
    #expect(collected.failures["cgroup"]?.isAbsence == true)
  }
}
