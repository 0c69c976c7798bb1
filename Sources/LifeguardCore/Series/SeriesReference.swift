/// A handle on one series of a source: cheap to keep, to copy and to compare.
///
/// It is worth something only in the source that gave it. `epoch` tells a series from an earlier
/// one that used the same slot, so that a handle that is kept too long is refused rather than
/// mistaken.
public struct SeriesReference: Hashable, Sendable {
  public var slot: Int32
  public var epoch: UInt32

  public init(slot: Int32, epoch: UInt32 = 0) {
    self.slot = slot
    self.epoch = epoch
  }
}
