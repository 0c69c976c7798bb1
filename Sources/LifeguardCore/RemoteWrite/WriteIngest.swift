/// Puts decoded remote write requests into a head: known series by the bytes of their labels.
///
/// ```
///  labels' bytes ──hash──▶ known? ──▶ reference ──▶ head.append
///                             │ no
///                             └──▶ check, build labels ──▶ head.reference(for:origin: .remote)
/// ```
public struct WriteIngest: Sendable {
  private struct Known: Sendable {
    var labels: [UInt8]
    var reference: SeriesReference
  }

  private var known: [Int: Known] = [:]
  private let knownMax: Int

  /// - Parameter knownMax: series remembered by their bytes; about 300 bytes each.
  public init(knownMax: Int = 200_000) {
    self.knownMax = knownMax
  }

  /// Appends series `start...` of a request until about `budget` samples' worth of work is done.
  ///
  /// - Returns: the series to go on with; the request's count when all is done.
  public mutating func append(
    _ write: DecodedWrite, from start: Int, budget: Int, window: TimeWindow, into head: inout Head,
    limits: WriteLimits = .standard, outcome: inout WriteOutcome
  ) -> Int {
    var next = start
    var work = 0
    while next < write.series.count, work < budget {
      let series = write.series[next]
      next += 1
      work += max(series.samples.count, 1)
      var reference = find(series, in: write)
      if reference == nil {
        // Introduced, it would stay in memory without a sample.
        guard series.samples.contains(where: { window.contains(write.samples[$0].timestamp) })
        else {
          outcome.outOfBounds += series.samples.count
          if !series.samples.isEmpty { outcome.note("out of bounds") }
          continue
        }
        // Building labels and indexing them costs as much as a dozen samples.
        work += 12
        reference = introduce(series, of: write, to: &head, limits, &outcome)
      }
      guard let reference else { continue }
      append(series, of: write, reference, window, &head, limits, &outcome)
    }
    return next
  }

  @inline(__always)
  private mutating func append(
    _ series: DecodedWrite.Series, of write: DecodedWrite, _ reference: SeriesReference,
    _ window: TimeWindow, _ head: inout Head, _ limits: WriteLimits, _ outcome: inout WriteOutcome
  ) {
    var reference = reference
    for index in series.samples {
      let sample = write.samples[index]
      guard window.contains(sample.timestamp) else {
        outcome.outOfBounds += 1
        outcome.note("out of bounds")
        continue
      }
      do throws(HeadError) {
        try head.append(reference, at: sample.timestamp, sample.value)
        outcome.accepted += 1
      } catch {
        guard error == .unknownSeries else {
          outcome.note(error)
          continue
        }
        // Forgotten for its age since it was last seen, or taken over by a local one.
        guard let again = introduce(series, of: write, to: &head, limits, &outcome) else {
          return
        }
        reference = again
        do throws(HeadError) {
          try head.append(reference, at: sample.timestamp, sample.value)
          outcome.accepted += 1
        } catch {
          outcome.note(error)
        }
      }
    }
  }

  @inline(__always)
  private func find(
    _ series: DecodedWrite.Series, in write: DecodedWrite
  ) -> SeriesReference? {
    guard let entry = known[series.hash], entry.labels.count == series.labels.count else {
      return nil
    }
    // Hashes of different bytes may be the same.
    let isSame = write.bytes.withUnsafeBytes { bytes in
      entry.labels.withUnsafeBytes {
        Self.equal($0, UnsafeRawBufferPointer(rebasing: bytes[series.labels]))
      }
    }
    return isSame ? entry.reference : nil
  }

  /// Compares as many bytes of both, eight at a time.
  private static func equal(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    var offset = 0
    while offset + 8 <= left.count {
      let one = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let other = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      if one != other { return false }
      offset += 8
    }
    while offset < left.count {
      if left[offset] != right[offset] { return false }
      offset += 1
    }
    return true
  }

  private mutating func introduce(
    _ series: DecodedWrite.Series, of write: DecodedWrite, to head: inout Head,
    _ limits: WriteLimits, _ outcome: inout WriteOutcome
  ) -> SeriesReference? {
    let labels: Labels
    do throws(LabelFault) {
      labels = try write.labels(of: series, limits: limits)
    } catch {
      outcome.invalidSeries += 1
      outcome.note(error.description)
      return nil
    }
    do throws(HeadError) {
      let reference = try head.reference(for: labels, origin: .remote)
      // All at once, because which are still used is not known; senders repeat theirs anyway.
      if known.count >= knownMax { known.removeAll(keepingCapacity: true) }
      known[series.hash] = Known(labels: Array(write.bytes[series.labels]), reference: reference)
      return reference
    } catch {
      outcome.note(error)
      return nil
    }
  }
}
