/// How fine the samples of a block are, and how they are kept.
public enum Resolution: Int64, Sendable, CaseIterable, Comparable {
  /// Every sample as it came.
  case raw = 0
  case minute = 60_000
  case hour = 3_600_000

  public static func < (left: Resolution, right: Resolution) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The length of a bucket in milliseconds, zero for single samples.
  public var milliseconds: Int64 { rawValue }

  /// The end of the bucket that a time belongs to: buckets are open on the left and closed on the
  /// right, as PromQL's windows are, so that aligned windows hold whole buckets.
  func bucketEnd(_ time: Int64) -> Int64 {
    let before = time - 1
    let quotient = before >= 0 ? before / rawValue : (before - rawValue + 1) / rawValue
    return (quotient + 1) * rawValue
  }

  /// In words, for people.
  public var name: String {
    switch self {
    case .raw: "raw"
    case .minute: "1m"
    case .hour: "1h"
    }
  }
}
