import LifeguardCore

/// All collectors there are; adding one is a file and a line here.
public enum CollectorRegistry {
  /// The collectors with their intervals, in the order in which a tick runs them.
  ///
  /// What rules react to within seconds is read every second. What costs much for what it tells, or
  /// hardly changes, is read less often (cost measured on Linux 6.18).
  public static func all(processes: ProcessWatch) -> [CollectorRegistration] {
    [
      .init("cpu", every: .seconds(1)) { CPUCollector($0) },
      .init("meminfo", every: .seconds(1)) { MemoryCollector($0) },
      .init("loadavg", every: .seconds(1)) { LoadCollector($0) },
      .init("vmstat", every: .seconds(1)) { VMStatCollector($0) },
      .init("diskstats", every: .seconds(1)) { DiskCollector($0) },
      .init("netdev", every: .seconds(1)) { NetworkDeviceCollector($0) },
      .init("pressure", every: .seconds(1)) { PressureCollector($0) },
      .init("filefd", every: .seconds(1)) { FileDescriptorCollector($0) },
      .init("namedprocess", every: .seconds(1)) { ProcessGroupCollector($0) },
      .init("sockstat", every: .seconds(5)) { SocketCollector($0) },
      .init("softnet", every: .seconds(5)) { SoftnetCollector($0) },
      .init("netstat", every: .seconds(5)) { NetstatCollector($0) },
      .init("netclass", every: .seconds(5)) { NetworkClassCollector($0) },
      .init("conntrack", every: .seconds(5)) { ConntrackCollector($0) },
      .init("udp_queues", every: .seconds(5)) { UDPQueueCollector($0) },
      .init("timex", every: .seconds(5)) { TimexCollector($0) },
      .init("time", every: .seconds(5)) { TimeCollector($0) },
      .init("process", every: .seconds(5)) { OwnProcessCollector($0) },
      .init("arp", every: .seconds(15)) { ARPCollector($0) },
      .init("entropy", every: .seconds(15)) { EntropyCollector($0) },
      .init("uname", every: .seconds(15)) { UnameCollector($0) },
      .init("os", every: .seconds(15)) { OperatingSystemCollector($0) },
      .init("selinux", every: .seconds(15)) { SELinuxCollector($0) },
      .init("tcpstat", every: .seconds(15)) { TCPStateCollector($0) },
      .init("interrupts", every: .seconds(5), isDefault: false) { InterruptCollector($0) },
      .init("cgroup", every: .seconds(10)) { CgroupCollector($0) },
      .init("systemd", every: .seconds(10), isolation: .thread(deadline: .seconds(10))) {
        SystemdCollector($0)
      },
      .init("textfile", every: .seconds(15), isolation: .thread(deadline: .seconds(10))) {
        TextfileCollector($0)
      },
      .init("filesystem", every: .seconds(5), isolation: .thread(deadline: .seconds(10))) {
        FilesystemCollector($0)
      },
      .init(
        "processes", every: .seconds(10), isolation: .thread(deadline: .seconds(10)),
        isUrgent: { processes.isUrgent }, make: { ProcessCollector($0) }),
    ]
  }

  /// The collectors that run unless the configuration says otherwise.
  public static func defaults(processes: ProcessWatch) -> [CollectorRegistration] {
    all(processes: processes).filter(\.isDefault)
  }
}
