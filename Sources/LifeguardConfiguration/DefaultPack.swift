/// The rules that every host gets: what goes wrong on Linux servers (the fault catalogue).
///
/// Three severities: `info` wakes nobody, `warning` wants a look today, `critical` wants one now.
/// Each rule has hysteresis (`clear`) or needs several breaches (`samples`), so that a spike stays
/// quiet. They tell people and act on nothing, until an operator names plans under `recoveries:`.
public enum DefaultPack {
  /// A Prometheus rule file with the keys of inline rules beside Prometheus' own.
  public static let text = #"""
    groups:
      - name: cpu
        interval: 15s
        rules:
          # F35: busy is no symptom by itself
          - alert: HostCPUBusy
            expr: 'avg_over_time(CPUUtilization[5m]) > 95'
            clear: 'avg_over_time(CPUUtilization[5m]) < 80'
            for: 10m
            labels: {severity: info}
            annotations:
              summary: 'CPU of {{ $labels.instance }} is {{ $value | printf "%.0f" }} % busy'
          # F37
          - alert: HostCPUSteal
            expr: 'avg by (instance) (rate(node_cpu_seconds_total{mode="steal"}[5m])) * 100 > 10'
            clear: 'avg by (instance) (rate(node_cpu_seconds_total{mode="steal"}[5m])) * 100 < 5'
            for: 10m
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.instance }} loses {{ $value | printf "%.0f" }} % of its CPU time to the
                hypervisor
          # F38
          - alert: HostCPUPressure
            expr: 'rate(node_pressure_cpu_waiting_seconds_total[5m]) > 0.9'
            clear: 'rate(node_pressure_cpu_waiting_seconds_total[5m]) < 0.6'
            for: 15m
            labels: {severity: info}
            annotations:
              summary: >-
                tasks on {{ $labels.instance }} wait for a CPU {{ $value | humanizePercentage }}
                of the time
          # F34, F38
          - alert: HostLoadHigh
            expr: >-
              node_load5 / on (instance) group_left () count by (instance)
              (node_cpu_seconds_total{mode="idle"}) > 8
            clear: >-
              node_load5 / on (instance) group_left () count by (instance)
              (node_cpu_seconds_total{mode="idle"}) < 4
            for: 10m
            labels: {severity: info}
            annotations:
              summary: 'load of {{ $labels.instance }} is {{ $value | printf "%.1f" }} for each CPU'
          # F36: a restart makes it worse
          - alert: HostControlGroupThrottled
            expr: >-
              rate(container_cpu_cfs_throttled_periods_total[5m]) /
              (rate(container_cpu_cfs_periods_total[5m]) > 1) > 0.5
            clear: >-
              rate(container_cpu_cfs_periods_total[5m]) >= 0 unless
              rate(container_cpu_cfs_throttled_periods_total[5m]) /
              (rate(container_cpu_cfs_periods_total[5m]) > 0.5) > 0.2
            for: 10m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.id }} is held back by its CPU quota in {{ $value |
                humanizePercentage }} of all periods
      - name: memory
        interval: 15s
        rules:
          # F19
          - alert: HostOutOfMemory
            expr: 'MemoryUtilization > 97'
            clear: 'MemoryUtilization < 92'
            for: 1m
            labels: {severity: critical}
            annotations:
              summary: 'memory of {{ $labels.instance }} is {{ $value | printf "%.1f" }} % used'
          # F17, F19
          - alert: HostMemoryLow
            expr: 'MemoryUtilization > 90'
            clear: 'MemoryUtilization < 85'
            for: 10m
            labels: {severity: warning}
            annotations:
              summary: 'memory of {{ $labels.instance }} is {{ $value | printf "%.1f" }} % used'
          # F19, F20
          - alert: HostMemoryPressure
            expr: 'rate(node_pressure_memory_stalled_seconds_total[1m]) > 0.1'
            clear: 'rate(node_pressure_memory_stalled_seconds_total[1m]) < 0.05'
            samples: 3 of 5
            labels: {severity: warning}
            annotations:
              summary: >-
                all tasks on {{ $labels.instance }} wait for memory {{ $value | humanizePercentage
                }} of the time
          # F18
          - alert: HostOOMKill
            expr: 'increase(node_vmstat_oom_kill[5m]) > 0'
            clear: 'increase(node_vmstat_oom_kill[10m]) == 0'
            labels: {severity: warning}
            annotations:
              summary: >-
                the kernel killed {{ $value | printf "%.0f" }} processes on {{ $labels.instance }}
                for lack of memory
          # F20
          - alert: HostSwapThrashing
            expr: 'rate(node_vmstat_pswpin[1m]) + rate(node_vmstat_pswpout[1m]) > 2000'
            clear: 'rate(node_vmstat_pswpin[1m]) + rate(node_vmstat_pswpout[1m]) < 500'
            samples: 4 of 5
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.instance }} moves {{ $value | printf "%.0f" }} pages a second to and
                from swap
          # F21
          - alert: HostKernelMemoryLeak
            expr: 'node_memory_SUnreclaim_bytes / node_memory_MemTotal_bytes > 0.4'
            clear: 'node_memory_SUnreclaim_bytes / node_memory_MemTotal_bytes < 0.3'
            for: 15m
            labels: {severity: warning}
            annotations:
              summary: >-
                the kernel holds {{ $value | humanizePercentage }} of the memory of {{
                $labels.instance }}
          # F17
          - alert: HostControlGroupNearLimit
            expr: >-
              container_memory_working_set_bytes / (container_spec_memory_limit_bytes > 0) > 0.95
            clear: >-
              container_spec_memory_limit_bytes >= 0 unless container_memory_working_set_bytes /
              (container_spec_memory_limit_bytes > 0) > 0.85
            samples: 4 of 5
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.id }} uses {{ $value | humanizePercentage }} of its memory limit'
          # F18
          - alert: HostControlGroupOOMKill
            expr: 'increase(container_oom_events_total[5m]) > 0'
            clear: 'increase(container_oom_events_total[10m]) == 0'
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.id }} reached its memory limit and lost a process'
      - name: disk
        interval: 15s
        rules:
          # F23
          - alert: HostOutOfDiskSpace
            expr: >-
              DiskUtilization > 97 unless on (instance, mountpoint)
              node_filesystem_readonly == 1
            clear: >-
              DiskUtilization < 93 or on (instance, mountpoint) node_filesystem_readonly == 1
            samples: 3 of 4
            on_no_data: ok
            labels: {severity: critical}
            annotations:
              summary: >-
                {{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | printf "%.1f" }}
                % full
          # F23, F24
          - alert: HostDiskSpaceLow
            expr: >-
              DiskUtilization > 88 unless on (instance, mountpoint)
              node_filesystem_readonly == 1
            clear: >-
              DiskUtilization < 84 or on (instance, mountpoint) node_filesystem_readonly == 1
            for: 2m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | printf "%.1f" }}
                % full
          # F26
          - alert: HostDiskWillFill
            expr: >-
              predict_linear(node_filesystem_avail_bytes[50m], 4 * 3600) < 0 and
              predict_linear(node_filesystem_avail_bytes[10m], 4 * 3600) < 0 and
              node_filesystem_avail_bytes offset 30m and on (instance, mountpoint)
              DiskUtilization > 60
            clear: >-
              predict_linear(node_filesystem_avail_bytes[50m], 6 * 3600) > 0 or
              predict_linear(node_filesystem_avail_bytes[10m], 6 * 3600) > 0
            for: 15m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.mountpoint }} on {{ $labels.instance }} will be full within four hours
          # F25
          - alert: HostOutOfInodes
            expr: >-
              InodeUtilization > 97 unless on (instance, mountpoint)
              node_filesystem_readonly == 1
            clear: >-
              InodeUtilization < 93 or on (instance, mountpoint) node_filesystem_readonly == 1
            samples: 3 of 4
            on_no_data: ok
            labels: {severity: critical}
            annotations:
              summary: >-
                {{ $labels.mountpoint }} on {{ $labels.instance }} has used {{ $value | printf
                "%.1f" }} % of its inodes
          # F25
          - alert: HostInodesLow
            expr: >-
              InodeUtilization > 88 unless on (instance, mountpoint)
              node_filesystem_readonly == 1
            clear: >-
              InodeUtilization < 84 or on (instance, mountpoint) node_filesystem_readonly == 1
            for: 2m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.mountpoint }} on {{ $labels.instance }} has used {{ $value | printf
                "%.1f" }} % of its inodes
          # F27: never remount by itself
          - alert: HostFilesystemReadOnly
            expr: >-
              node_filesystem_readonly == 1 and min_over_time(node_filesystem_readonly[10m]) == 0
            clear: 'node_filesystem_readonly == 0'
            on_no_data: ok
            labels: {severity: critical}
            annotations:
              summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} has become read-only'
          # F28, F30
          - alert: HostFilesystemStuck
            expr: 'node_filesystem_device_error == 1'
            clear: 'node_filesystem_device_error == 0'
            samples: 3 of 4
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} does not answer'
          # F29
          - alert: HostDiskStalled
            expr: 'rate(node_pressure_io_stalled_seconds_total[2m]) > 0.6'
            clear: 'rate(node_pressure_io_stalled_seconds_total[2m]) < 0.3'
            for: 5m
            labels: {severity: warning}
            annotations:
              summary: >-
                all tasks on {{ $labels.instance }} wait for its disks {{ $value |
                humanizePercentage }} of the time
          # F29
          - alert: HostDiskSlow
            expr: >-
              rate(node_disk_read_time_seconds_total[2m]) /
              (rate(node_disk_reads_completed_total[2m]) > 1) > 0.25 or
              rate(node_disk_write_time_seconds_total[2m]) /
              (rate(node_disk_writes_completed_total[2m]) > 1) > 0.5
            clear: >-
              rate(node_disk_io_time_seconds_total[2m]) >= 0 unless
              rate(node_disk_read_time_seconds_total[2m]) /
              (rate(node_disk_reads_completed_total[2m]) > 0.5) > 0.1 unless
              rate(node_disk_write_time_seconds_total[2m]) /
              (rate(node_disk_writes_completed_total[2m]) > 0.5) > 0.2
            for: 5m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                a request to {{ $labels.device }} of {{ $labels.instance }} takes {{ $value |
                humanizeDuration }}
      - name: limits
        interval: 15s
        rules:
          # F32
          - alert: HostFileDescriptorsGone
            expr: 'node_filefd_allocated / node_filefd_maximum > 0.95'
            clear: 'node_filefd_allocated / node_filefd_maximum < 0.85'
            samples: 3 of 4
            labels: {severity: critical}
            annotations:
              summary: >-
                {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file
                descriptors in use
          # F32
          - alert: HostFileDescriptorsLow
            expr: 'node_filefd_allocated / node_filefd_maximum > 0.8'
            clear: 'node_filefd_allocated / node_filefd_maximum < 0.7'
            for: 5m
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file
                descriptors in use
          # F14
          - alert: HostThreadsGone
            expr: 'node_processes_threads / node_processes_max_threads > 0.9'
            clear: 'node_processes_threads / node_processes_max_threads < 0.8'
            samples: 3 of 4
            labels: {severity: critical}
            annotations:
              summary: >-
                {{ $labels.instance }} has {{ $value | humanizePercentage }} of its threads in use
          # F14
          - alert: HostControlGroupTasksNearLimit
            expr: 'container_threads / (container_threads_max > 0) > 0.9'
            clear: >-
              container_threads_max >= 0 unless container_threads / (container_threads_max > 0) >
              0.8
            samples: 4 of 5
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.id }} uses {{ $value | humanizePercentage }} of its tasks'
          # F13: restart the parent, never the zombies
          - alert: HostZombies
            expr: 'sum by (instance) (node_processes_state{state="Z"}) > 40'
            clear: 'sum by (instance) (node_processes_state{state="Z"}) < 20'
            for: 5m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $value | printf "%.0f" }} processes on {{ $labels.instance }} have ended and
                nobody has collected them
          # F34
          - alert: HostProcessesBlocked
            expr: 'sum by (instance) (node_processes_state{state="D"}) > 25'
            clear: 'sum by (instance) (node_processes_state{state="D"}) < 10'
            samples: 7 of 8
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $value | printf "%.0f" }} processes on {{ $labels.instance }} wait for a disk
                or a mount
          # F47
          - alert: HostConntrackFull
            expr: 'node_nf_conntrack_entries / node_nf_conntrack_entries_limit > 0.9'
            clear: 'node_nf_conntrack_entries / node_nf_conntrack_entries_limit < 0.75'
            samples: 3 of 4
            on_no_data: ok
            labels: {severity: critical}
            annotations:
              summary: >-
                the connection table of {{ $labels.instance }} is {{ $value | humanizePercentage
                }} full
          - alert: HostEntropyLow
            expr: 'node_entropy_available_bits < 100'
            clear: 'node_entropy_available_bits > 150'
            for: 10m
            labels: {severity: info}
            annotations:
              summary: >-
                {{ $labels.instance }} has {{ $value | printf "%.0f" }} bits of entropy left
      - name: network
        interval: 15s
        rules:
          # F49
          - alert: HostNetworkErrors
            expr: >-
              rate(node_network_receive_errs_total[2m]) +
              rate(node_network_transmit_errs_total[2m]) > 1
            clear: >-
              rate(node_network_receive_errs_total[2m]) +
              rate(node_network_transmit_errs_total[2m]) < 0.1
            for: 2m
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $labels.device }} of {{ $labels.instance }} has {{ $value | printf "%.1f" }}
                errors a second
          # F44
          - alert: HostNetworkLinkLost
            expr: >-
              node_network_carrier{device!~"(docker|br-|veth|virbr|cni|cali|lxc|flannel).*"} == 0
              and max_over_time(node_network_carrier[10m]) == 1
            clear: 'node_network_carrier == 1'
            samples: 2 of 3
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.device }} of {{ $labels.instance }} has lost its link'
          # F49
          - alert: HostTCPRetransmits
            expr: >-
              rate(node_netstat_Tcp_RetransSegs[5m]) / (rate(node_netstat_Tcp_OutSegs[5m]) > 50) >
              0.05
            clear: >-
              rate(node_netstat_Tcp_OutSegs[5m]) >= 0 unless rate(node_netstat_Tcp_RetransSegs[5m])
              / (rate(node_netstat_Tcp_OutSegs[5m]) > 20) > 0.02
            for: 5m
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $value | humanizePercentage }} of what {{ $labels.instance }} sends is sent
                again
          # F05
          - alert: HostListenQueueOverflow
            expr: 'rate(node_netstat_TcpExt_ListenOverflows[1m]) > 0.2'
            clear: 'rate(node_netstat_TcpExt_ListenOverflows[1m]) == 0'
            samples: 3 of 5
            labels: {severity: warning}
            annotations:
              summary: 'a service on {{ $labels.instance }} does not accept its connections'
          # F48
          - alert: HostSocketsTimeWait
            expr: 'node_sockstat_TCP_tw > 20000'
            clear: 'node_sockstat_TCP_tw < 10000'
            for: 5m
            labels: {severity: info}
            annotations:
              summary: >-
                {{ $value | printf "%.0f" }} connections of {{ $labels.instance }} are in
                TIME_WAIT
          # F48: the owner never closes what its peers have closed
          - alert: HostSocketsCloseWait
            expr: 'node_tcp_connection_states{state="close_wait"} > 500'
            clear: 'node_tcp_connection_states{state="close_wait"} < 250'
            for: 5m
            labels: {severity: warning}
            annotations:
              summary: >-
                {{ $value | printf "%.0f" }} connections of {{ $labels.instance }} wait for their
                program to close them
      - name: host
        interval: 15s
        rules:
          # F39
          - alert: HostClockOffset
            expr: 'abs(node_timex_offset_seconds) > 0.05'
            clear: 'abs(node_timex_offset_seconds) < 0.02'
            for: 5m
            labels: {severity: warning}
            annotations:
              summary: >-
                the clock of {{ $labels.instance }} is off by {{ $value | humanizeDuration }}
          # F39: a virtual machine without NTP is always unsynchronised
          - alert: HostClockUnsynchronised
            expr: 'node_timex_sync_status == 0 and node_timex_maxerror_seconds >= 16'
            clear: 'node_timex_sync_status == 1'
            for: 15m
            labels: {severity: info}
            annotations:
              summary: 'the clock of {{ $labels.instance }} is not synchronised'
          # F41
          - alert: HostRebooted
            expr: 'node_time_seconds - node_boot_time_seconds < 300'
            clear: 'node_time_seconds - node_boot_time_seconds > 600'
            labels: {severity: info}
            annotations:
              summary: '{{ $labels.instance }} has booted {{ $value | humanizeDuration }} ago'
          # F01, F07
          - alert: HostUnitFailed
            expr: 'node_systemd_unit_state{state="failed"} == 1'
            clear: 'node_systemd_unit_state{state="failed"} == 0'
            samples: 2 of 3
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: '{{ $labels.name }} on {{ $labels.instance }} has failed'
          # F30, F43
          - alert: HostCollectorFailing
            expr: 'node_scrape_collector_success == 0'
            clear: 'node_scrape_collector_success == 1'
            samples: 5 of 6
            on_no_data: ok
            labels: {severity: warning}
            annotations:
              summary: 'the collector {{ $labels.collector }} of {{ $labels.instance }} fails'
    """#
}
