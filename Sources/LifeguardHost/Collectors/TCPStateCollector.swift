import CLinux
import LifeguardCore

/// TCP sockets by state, from the kernel's socket diagnosis (sock_diag(7)).
///
/// Every state has a series at all times, so that a rate or an absence can be told; node_exporter
/// leaves out states without a socket.
struct TCPStateCollector: Collector {
  /// By the number of the state (include/net/tcp_states.h).
  private static let names = [
    1: "established", 2: "syn_sent", 3: "syn_recv", 4: "fin_wait1", 5: "fin_wait2",
    6: "time_wait", 7: "close", 8: "close_wait", 9: "last_ack", 10: "listen", 11: "closing",
  ]
  private static let families = [2, 10]  // AF_INET, AF_INET6

  private let socket = LinkSocket(clinux_diagnosis_open)
  private var states: [(number: Int, figure: Figure)] = []
  private var received: Figure
  private var sent: Figure

  init(_ context: CollectorContext) {
    let family = MetricFamily.gauge("node_tcp_connection_states", "Number of connection states.")
    states = Self.names.sorted { $0.key < $1.key }.map {
      ($0.key, Figure(family, ["state": $0.value]))
    }
    received = Figure(family, ["state": "rx_queued_bytes"])
    sent = Figure(family, ["state": "tx_queued_bytes"])
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var found = clinux_tcp_states()
    for family in Self.families {
      _ = try socket.ask("TCP sockets") { socket, memory in
        clinux_tcp_states_read(socket, Int32(family), memory.baseAddress, memory.count, &found)
      }
    }
    withUnsafeBytes(of: found.count) { raw in
      let counts = raw.bindMemory(to: UInt64.self)
      for index in states.indices {
        var count = counts[states[index].number]
        // A request that waits for its last packet is counted as syn_recv too (TCP_NEW_SYN_RECV).
        if states[index].number == 3 { count += counts[12] }
        states[index].figure.write(Double(count), to: &scrape)
      }
    }
    received.write(Double(found.receive_queued_bytes), to: &scrape)
    sent.write(Double(found.transmit_queued_bytes), to: &scrape)
  }
}
