import CLinux
import LifeguardCore

/// What the kernel knows about how well its clock is kept, from adjtimex(2).
struct TimexCollector: Collector {
  private static let microsecond = 1e6
  /// Frequencies are parts per million with a 16-bit fraction (adjtimex(2)).
  private static let ppmFraction = 1_000_000.0 * 65536
  private static let statusNanoseconds: Int64 = 0x2000  // STA_NANO
  private static let resultError: Int64 = 5  // TIME_ERROR

  private var figures: [Figure]

  init(_ context: CollectorContext) {
    func gauge(_ name: String, _ help: String) -> Figure {
      Figure(.gauge("node_timex_" + name, help))
    }
    func counter(_ name: String, _ help: String) -> Figure {
      Figure(.counter("node_timex_" + name, help))
    }
    figures = [
      gauge("offset_seconds", "Time offset in between local system and reference clock."),
      gauge("frequency_adjustment_ratio", "Local clock frequency adjustment."),
      gauge("maxerror_seconds", "Maximum error in seconds."),
      gauge("estimated_error_seconds", "Estimated error in seconds."),
      gauge("status", "Value of the status array bits."),
      gauge("loop_time_constant", "Phase-locked loop time constant."),
      gauge("tick_seconds", "Seconds between clock ticks."),
      gauge("pps_frequency_hertz", "Pulse per second frequency."),
      gauge("pps_jitter_seconds", "Pulse per second jitter."),
      gauge("pps_shift_seconds", "Pulse per second interval duration."),
      gauge(
        "pps_stability_hertz",
        "Pulse per second stability, average of recent frequency changes."),
      counter("pps_jitter_total", "Pulse per second count of jitter limit exceeded events."),
      counter("pps_calibration_total", "Pulse per second count of calibration intervals."),
      counter("pps_error_total", "Pulse per second count of calibration errors."),
      counter(
        "pps_stability_exceeded_total",
        "Pulse per second count of stability limit exceeded events."),
      gauge("tai_offset_seconds", "International Atomic Time (TAI) offset."),
      gauge(
        "sync_status", "Is clock synchronized to a reliable server (1 = yes, 0 = no)."),
    ]
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var now = clinux_timex()
    let error = clinux_timex_read(&now)
    guard error == 0 else { throw .unavailable(path: "adjtimex", errno: -error) }
    let divisor = now.status & Self.statusNanoseconds != 0 ? 1e9 : Self.microsecond
    let values = [
      Double(now.offset) / divisor, 1 + Double(now.frequency) / Self.ppmFraction,
      Double(now.maximum_error) / Self.microsecond,
      Double(now.estimated_error) / Self.microsecond, Double(now.status),
      Double(now.constant), Double(now.tick) / Self.microsecond,
      Double(now.pps_frequency) / Self.ppmFraction, Double(now.jitter) / divisor,
      Double(now.shift), Double(now.stability) / Self.ppmFraction, Double(now.jitter_count),
      Double(now.calibration_count), Double(now.error_count), Double(now.stability_count),
      Double(now.tai), now.result == Self.resultError ? 0 : 1,
    ]
    for (index, value) in values.enumerated() { figures[index].write(value, to: &scrape) }
  }
}
