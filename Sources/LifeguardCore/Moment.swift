/// A point in time as one host sees it, on its two clocks.
///
/// PromQL works on `wall`. Every timer, budget and cool-down works on `boottime`, which neither an
/// operator nor NTP can move; after a reboot it starts again, so `bootID` says whether two moments
/// may be compared on it.
public struct Moment: Hashable, Sendable {
  /// What the wall clock shows.
  public var wall: Timestamp
  /// CLOCK_BOOTTIME: since boot, time asleep included (clock_gettime(2)).
  public var boottime: Duration
  /// `/proc/sys/kernel/random/boot_id`.
  public var bootID: String

  public init(wall: Timestamp, boottime: Duration, bootID: String) {
    self.wall = wall
    self.boottime = boottime
    self.bootID = bootID
  }

  /// Less than this is how clocks are corrected; more is a jump.
  static let jumpMin: Duration = .seconds(2)

  /// The time that has passed since `earlier`, never negative.
  ///
  /// Within one boot it is measured on `boottime`; after a reboot on the wall clock, where a
  /// backward jump counts as no time passed.
  public func elapsed(since earlier: Moment) -> Duration {
    let passed =
      bootID == earlier.bootID ? boottime - earlier.boottime : wall - earlier.wall
    return max(passed, .zero)
  }

  /// This moment moved by `duration` on both clocks.
  public func advanced(by duration: Duration) -> Moment {
    Moment(wall: wall + duration, boottime: boottime + duration, bootID: bootID)
  }
}

/// As `[wall ms, boottime ms, boot id]`: a state holds many of them.
extension Moment: Codable {
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    wall = Timestamp(milliseconds: try container.decode(Int64.self))
    boottime = .milliseconds(try container.decode(Int64.self))
    bootID = try container.decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(wall.milliseconds)
    try container.encode(boottime.milliseconds)
    try container.encode(bootID)
  }
}
