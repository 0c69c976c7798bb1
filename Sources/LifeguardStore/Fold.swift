import LifeguardCore

/// Turns the log into chunks: many series at one time into many times of one series.
///
/// ```
/// rows:    t1: a b c    t2: a b c    …        block:  a: t1 t2 …
/// batches: (a t) (d t) (d t) …        ─────▶          b: t1 t2 …
/// ```
///
/// The log is decoded once to count and once more for each group of series whose samples fit into
/// `passSamples`: a fold needs a few MiB, whatever the log holds. The chunks come and the log goes
/// in one transaction.
struct Fold {
  struct Outcome {
    var samples = 0
    var duplicates = 0
    /// Parts of the log that could not be decoded.
    var damaged = 0
  }

  /// 2 MiB of samples.
  static let passSamples = 131_072

  let database: Database
  /// Rows and batches below this number are folded.
  let cutoff: Int64

  func run(_ catalogue: inout SeriesCatalogue) throws(StoreError) -> Outcome {
    var outcome = Outcome()
    var counts = [Int32](repeating: 0, count: catalogue.nextID)
    outcome.damaged = try SampleReader.log(database, before: cutoff) { id, _ in
      // A number beyond the last one would be damage that no checksum saw.
      if id < counts.count { counts[id] += 1 }
    }
    let total = counts.reduce(0) { $0 + Int($1) }
    let limit = max(Fold.passSamples, total / 4)
    var folded = catalogue
    try database.transaction { () throws(StoreError) in
      var writer = try BlockWriter(database, .raw)
      var first = 0
      while first < counts.count {
        var end = first
        var size = 0
        while end < counts.count, size == 0 || size + Int(counts[end]) <= limit {
          size += Int(counts[end])
          end += 1
        }
        if size > 0 {
          try pass(first..<end, counts, size, &writer, &folded, &outcome)
        }
        first = end
      }
      try writer.finish()
      try removeLog()
    }
    catalogue = folded
    return outcome
  }

  private func pass(
    _ group: Range<Int>, _ counts: [Int32], _ size: Int, _ writer: inout BlockWriter,
    _ catalogue: inout SeriesCatalogue, _ outcome: inout Outcome
  ) throws(StoreError) {
    var next = [Int](repeating: 0, count: group.count)
    var position = 0
    for id in group {
      next[id - group.lowerBound] = position
      position += Int(counts[id])
    }
    var flat = [Sample](
      repeating: Sample(timestamp: Timestamp(milliseconds: 0), value: 0), count: size)
    _ = try SampleReader.log(database, before: cutoff) { id, sample in
      guard group.contains(id) else { return }
      flat[next[id - group.lowerBound]] = sample
      next[id - group.lowerBound] += 1
    }
    for id in group where counts[id] > 0 {
      let end = next[id - group.lowerBound]
      var samples = Array(flat[(end - Int(counts[id]))..<end])
      outcome.duplicates += samples.sortByTime()
      outcome.samples += samples.count
      var rest = samples[...]
      // One block has one chunk for a series; a longer run goes into a block of its own.
      let piece = rest.prefix(BlockWriter.samplesMax)
      try writer.write(id, Array(piece))
      rest = rest.dropFirst(piece.count)
      while !rest.isEmpty {
        let piece = rest.prefix(BlockWriter.samplesMax)
        var another = try BlockWriter(database, .raw, after: writer.info.id)
        try another.write(id, Array(piece))
        try another.finish()
        rest = rest.dropFirst(piece.count)
      }
      try catalogue.saw(id, at: samples[samples.count - 1].timestamp.milliseconds, database)
    }
  }

  private func removeLog() throws(StoreError) {
    try database.run("DELETE FROM sample_row WHERE id < ?", .integer(cutoff))
    try database.run("DELETE FROM segment WHERE first < ?", .integer(cutoff))
    try database.run("DELETE FROM batch WHERE id < ?", .integer(cutoff))
  }
}
