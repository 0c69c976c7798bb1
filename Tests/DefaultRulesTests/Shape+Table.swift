import LifeguardCore

extension Shape {
  private static let idle: Labels = ["cpu": "0", "mode": "idle"]
  private static let mount: Labels = [
    "device": "/dev/vda", "mountpoint": "/data", "fstype": "ext4",
  ]
  private static let group: Labels = ["id": "/system.slice/shop.service"]

  /// One for each rule of the pack, in its order.
  static let all: [Shape] = cpu + memory + disk + limits + network + host

  private static let cpu: [Shape] = [
    Shape(
      "HostCPUBusy", over: 96, under: 94, between: 88, calm: 20, firesWithin: 930,
      endsWithin: 330
    ) { $0.gauge("CPUUtilization", [:], $1) },
    Shape(
      "HostCPUSteal", over: 0.11, under: 0.09, between: 0.07, calm: 0, firesWithin: 930,
      endsWithin: 330
    ) { $0.counter("node_cpu_seconds_total", ["cpu": "0", "mode": "steal"], $1) },
    Shape(
      "HostCPUPressure", over: 0.92, under: 0.88, between: 0.7, calm: 0.1, firesWithin: 1230,
      endsWithin: 330
    ) { $0.counter("node_pressure_cpu_waiting_seconds_total", [:], $1) },
    Shape(
      "HostLoadHigh", over: 8.1, under: 7.9, between: 6, calm: 1, firesWithin: 630,
      endsWithin: 30
    ) {
      $0.counter("node_cpu_seconds_total", idle, 0.1)
      $0.gauge("node_load5", [:], $1)
    },
    Shape(
      "HostControlGroupThrottled", over: 5.2, under: 4.8, between: 3, calm: 0,
      firesWithin: 930, endsWithin: 330
    ) {
      $0.counter("container_cpu_cfs_periods_total", group, 10)
      $0.counter("container_cpu_cfs_throttled_periods_total", group, $1)
    },
  ]

  private static let memory: [Shape] = [
    Shape(
      "HostOutOfMemory", over: 97.5, under: 96.5, between: 94, calm: 50, firesWithin: 75,
      endsWithin: 30, companions: ["HostMemoryLow"]
    ) { $0.gauge("MemoryUtilization", [:], $1) },
    Shape(
      "HostMemoryLow", over: 91, under: 89, between: 87, calm: 50, firesWithin: 630,
      endsWithin: 30
    ) { $0.gauge("MemoryUtilization", [:], $1) },
    Shape(
      "HostMemoryPressure", over: 0.12, under: 0.09, between: 0.07, calm: 0, firesWithin: 105,
      endsWithin: 75
    ) { $0.counter("node_pressure_memory_stalled_seconds_total", [:], $1) },
    Shape(
      "HostOOMKill", over: 0.1, under: 0, between: 0, calm: 0, firesWithin: 15,
      endsWithin: 615, isEvent: true
    ) { $0.counter("node_vmstat_oom_kill", [:], $1) },
    Shape(
      "HostSwapThrashing", over: 1100, under: 980, between: 500, calm: 0, firesWithin: 135,
      endsWithin: 75
    ) {
      $0.counter("node_vmstat_pswpin", [:], $1)
      $0.counter("node_vmstat_pswpout", [:], $1)
    },
    Shape(
      "HostKernelMemoryLeak", over: 0.41, under: 0.39, between: 0.35, calm: 0.1,
      firesWithin: 930, endsWithin: 30
    ) {
      $0.gauge("node_memory_SUnreclaim_bytes", [:], $1 * 8e9)
      $0.gauge("node_memory_MemTotal_bytes", [:], 8e9)
    },
    Shape(
      "HostControlGroupNearLimit", over: 0.96, under: 0.94, between: 0.9, calm: 0.5,
      firesWithin: 60, endsWithin: 30
    ) {
      $0.gauge("container_memory_working_set_bytes", group, $1 * 1e9)
      $0.gauge("container_spec_memory_limit_bytes", group, 1e9)
    },
    Shape(
      "HostControlGroupOOMKill", over: 0.1, under: 0, between: 0, calm: 0, firesWithin: 15,
      endsWithin: 615, isEvent: true
    ) { $0.counter("container_oom_events_total", group, $1) },
  ]

  private static let disk: [Shape] = [
    Shape(
      "HostOutOfDiskSpace", over: 97.5, under: 96.5, between: 95, calm: 40, firesWithin: 45,
      endsWithin: 30, companions: ["HostDiskSpaceLow"]
    ) { filesystem(&$0, space: $1) },
    Shape(
      "HostDiskSpaceLow", over: 89, under: 87, between: 86, calm: 40, firesWithin: 135,
      endsWithin: 30
    ) { filesystem(&$0, space: $1) },
    // Bytes a second that go on a disk of 100 GB of which 30 are left.
    Shape(
      "HostDiskWillFill", over: 2.4e6, under: 0.9e6, between: 1.6e6, calm: 0,
      firesWithin: 4500, endsWithin: 3000, history: 3600
    ) {
      let free = $0.kept("free", from: 40e9, perSecond: $1 > 0 ? -$1 : 0)
      filesystem(&$0, space: 70)
      $0.gauge("node_filesystem_avail_bytes", mount, max(free, 1e9))
    },
    Shape(
      "HostOutOfInodes", over: 97.5, under: 96.5, between: 95, calm: 40, firesWithin: 45,
      endsWithin: 30, companions: ["HostInodesLow"]
    ) { filesystem(&$0, inodes: $1) },
    Shape(
      "HostInodesLow", over: 89, under: 87, between: 86, calm: 40, firesWithin: 135,
      endsWithin: 30
    ) { filesystem(&$0, inodes: $1) },
    Shape(
      "HostFilesystemReadOnly", over: 1, under: 0, between: 1, calm: 0, firesWithin: 15,
      endsWithin: 30, isEvent: true
    ) { filesystem(&$0, isReadOnly: $1) },
    Shape(
      "HostFilesystemStuck", over: 1, under: 0, between: 1, calm: 0, firesWithin: 45,
      endsWithin: 30
    ) { $0.gauge("node_filesystem_device_error", mount, $1) },
    Shape(
      "HostDiskStalled", over: 0.62, under: 0.58, between: 0.45, calm: 0, firesWithin: 435,
      endsWithin: 135
    ) { $0.counter("node_pressure_io_stalled_seconds_total", [:], $1) },
    // Seconds for a read; ten reads a second.
    Shape(
      "HostDiskSlow", over: 0.26, under: 0.24, between: 0.15, calm: 0.002, firesWithin: 435,
      endsWithin: 135
    ) {
      $0.counter("node_disk_reads_completed_total", ["device": "vda"], 10)
      $0.counter("node_disk_read_time_seconds_total", ["device": "vda"], 10 * $1)
      $0.counter("node_disk_writes_completed_total", ["device": "vda"], 0)
      $0.counter("node_disk_write_time_seconds_total", ["device": "vda"], 0)
      $0.counter("node_disk_io_time_seconds_total", ["device": "vda"], 0.5)
    },
  ]

  private static func filesystem(
    _ shaper: inout Shaper, space: Double = 40, inodes: Double = 10, isReadOnly: Double = 0
  ) {
    shaper.gauge("DiskUtilization", ["mountpoint": "/data"], space)
    shaper.gauge("InodeUtilization", ["mountpoint": "/data"], inodes)
    shaper.gauge("node_filesystem_readonly", mount, isReadOnly)
    shaper.gauge("node_filesystem_device_error", mount, 0)
  }

  private static let limits: [Shape] = [
    Shape(
      "HostFileDescriptorsGone", over: 0.96, under: 0.94, between: 0.9, calm: 0.1,
      firesWithin: 45, endsWithin: 30, companions: ["HostFileDescriptorsLow"]
    ) { descriptors(&$0, $1) },
    Shape(
      "HostFileDescriptorsLow", over: 0.81, under: 0.79, between: 0.75, calm: 0.1,
      firesWithin: 330, endsWithin: 30
    ) { descriptors(&$0, $1) },
    Shape(
      "HostThreadsGone", over: 0.91, under: 0.89, between: 0.85, calm: 0.1, firesWithin: 45,
      endsWithin: 30
    ) {
      $0.gauge("node_processes_threads", [:], $1 * 30_000)
      $0.gauge("node_processes_max_threads", [:], 30_000)
    },
    Shape(
      "HostControlGroupTasksNearLimit", over: 0.91, under: 0.89, between: 0.85, calm: 0.1,
      firesWithin: 60, endsWithin: 30
    ) {
      $0.gauge("container_threads", group, $1 * 1000)
      $0.gauge("container_threads_max", group, 1000)
    },
    Shape(
      "HostZombies", over: 41, under: 39, between: 30, calm: 0, firesWithin: 330,
      endsWithin: 30
    ) { $0.gauge("node_processes_state", ["state": "Z"], $1) },
    Shape(
      "HostProcessesBlocked", over: 26, under: 25, between: 15, calm: 0, firesWithin: 120,
      endsWithin: 30
    ) { $0.gauge("node_processes_state", ["state": "D"], $1) },
    Shape(
      "HostConntrackFull", over: 0.91, under: 0.89, between: 0.8, calm: 0.1, firesWithin: 45,
      endsWithin: 30
    ) {
      $0.gauge("node_nf_conntrack_entries", [:], $1 * 65536)
      $0.gauge("node_nf_conntrack_entries_limit", [:], 65536)
    },
    Shape(
      "HostEntropyLow", over: 90, under: 110, between: 120, calm: 256, firesWithin: 630,
      endsWithin: 30
    ) { $0.gauge("node_entropy_available_bits", [:], $1) },
  ]

  private static func descriptors(_ shaper: inout Shaper, _ share: Double) {
    shaper.gauge("node_filefd_allocated", [:], share * 100_000)
    shaper.gauge("node_filefd_maximum", [:], 100_000)
  }

  private static let network: [Shape] = [
    Shape(
      "HostNetworkErrors", over: 1.1, under: 0.9, between: 0.5, calm: 0, firesWithin: 255,
      endsWithin: 135
    ) {
      $0.counter("node_network_receive_errs_total", ["device": "eth0"], $1)
      $0.counter("node_network_transmit_errs_total", ["device": "eth0"], 0)
    },
    Shape(
      "HostNetworkLinkLost", over: 1, under: 0, between: 1, calm: 0, firesWithin: 30,
      endsWithin: 30
    ) { $0.gauge("node_network_carrier", ["device": "eth0"], 1 - $1) },
    Shape(
      "HostTCPRetransmits", over: 0.052, under: 0.048, between: 0.03, calm: 0.001,
      firesWithin: 630, endsWithin: 330
    ) {
      $0.counter("node_netstat_Tcp_OutSegs", [:], 1000)
      $0.counter("node_netstat_Tcp_RetransSegs", [:], 1000 * $1)
    },
    Shape(
      "HostListenQueueOverflow", over: 0.25, under: 0.15, between: 0.1, calm: 0,
      firesWithin: 105, endsWithin: 75
    ) { $0.counter("node_netstat_TcpExt_ListenOverflows", [:], $1) },
    Shape(
      "HostSocketsTimeWait", over: 20_001, under: 20_000, between: 15_000, calm: 100,
      firesWithin: 330, endsWithin: 30
    ) { $0.gauge("node_sockstat_TCP_tw", [:], $1) },
    Shape(
      "HostSocketsCloseWait", over: 501, under: 500, between: 300, calm: 5, firesWithin: 330,
      endsWithin: 30
    ) { $0.gauge("node_tcp_connection_states", ["state": "close_wait"], $1) },
  ]

  private static let host: [Shape] = [
    Shape(
      "HostClockOffset", over: -0.051, under: 0.049, between: 0.03, calm: 0.001,
      firesWithin: 330, endsWithin: 30
    ) { $0.gauge("node_timex_offset_seconds", [:], $1) },
    // The largest error that the kernel admits to; beyond 16 s it gives up (adjtimex(2)).
    Shape(
      "HostClockUnsynchronised", over: 16, under: 15.9, between: 15.9, calm: 0.01,
      firesWithin: 930, endsWithin: 30
    ) {
      $0.gauge("node_timex_maxerror_seconds", [:], $1)
      $0.gauge("node_timex_sync_status", [:], $1 < 15 ? 1 : 0)
    },
    // Seconds since boot.
    Shape(
      "HostRebooted", over: 299, under: 301, between: 450, calm: 4000, firesWithin: 15,
      endsWithin: 30, isEvent: true
    ) {
      $0.gauge("node_time_seconds", [:], $0.now)
      $0.gauge("node_boot_time_seconds", [:], $0.now - $1)
    },
    Shape(
      "HostUnitFailed", over: 1, under: 0, between: 1, calm: 0, firesWithin: 30,
      endsWithin: 30
    ) {
      $0.gauge(
        "node_systemd_unit_state", ["name": "shop.service", "state": "failed", "type": "simple"],
        $1)
    },
    Shape(
      "HostCollectorFailing", over: 1, under: 0, between: 1, calm: 0, firesWithin: 75,
      endsWithin: 30
    ) { $0.gauge("node_scrape_collector_success", ["collector": "loadavg"], 1 - $1) },
  ]
}
