import Synchronization

/// What waits for the samples' thread, bounded by what it holds: rows by their number, batches by
/// their samples.
final class SampleQueue: Sendable {
  enum Entry: Sendable {
    case row(SampleRow)
    case batch(SampleBatch)
  }

  private struct Load {
    var rows = 0
    var samples = 0
  }

  /// 24 bytes each: 24 MiB at the worst, when the disk hangs.
  static let batchedSamplesMax = 1_000_000

  let entries: AsyncStream<Entry>
  private let entrance: AsyncStream<Entry>.Continuation
  private let load = Mutex(Load())
  private let rowsMax: Int

  init(rowsMax: Int) {
    self.rowsMax = rowsMax
    // Bounded by `load`, in its own measures.
    (entries, entrance) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
  }

  func offer(_ row: SampleRow) -> Bool {
    let hasRoom = load.withLock { load in
      guard load.rows < rowsMax else { return false }
      load.rows += 1
      return true
    }
    guard hasRoom else { return false }
    if case .enqueued = entrance.yield(.row(row)) { return true }
    return false
  }

  func offer(_ batch: SampleBatch) -> Bool {
    let count = batch.samples.count
    let hasRoom = load.withLock { load in
      // A batch that is larger than the queue goes in when it is empty.
      guard load.samples == 0 || load.samples + count <= Self.batchedSamplesMax else {
        return false
      }
      load.samples += count
      return true
    }
    guard hasRoom else { return false }
    if case .enqueued = entrance.yield(.batch(batch)) { return true }
    return false
  }

  /// The entry has been taken out.
  func took(_ entry: Entry) {
    load.withLock { load in
      switch entry {
      case .row: load.rows -= 1
      case .batch(let batch): load.samples -= batch.samples.count
      }
    }
  }

  func finish() { entrance.finish() }
}
