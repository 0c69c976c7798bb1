import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore

/// The durable queue before one store: relabels, writes to the spool, and builds requests from it.
///
/// On a thread of its own, because it reads and writes files.
actor RemoteWriteQueue {
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// Records are cut to the samples of one request, so that one is never sent in halves.
  private static let introducedMax = 20_000

  private struct Series {
    var epoch: UInt32
    /// As protobuf; nil for a series that relabelling drops.
    var labels: [UInt8]?
    /// Whether the file being written knows it.
    var isIntroduced = false
  }

  private nonisolated let thread = DedicatedThread()
  private let settings: RemoteWriteSettings
  private let folder: String
  private let externalLabels: [String: String]
  private let status: RemoteWriteStatus
  private var spool: Spool?
  private var isClosed = false
  private var series: [Series?] = []
  /// Labels by number in the file that is read.
  private var known: [Int: [UInt8]] = [:]
  private var readPosition = Spool.Position(segment: 0, offset: 0)
  /// Built and not settled.
  private var current: RemoteWriteRequest?
  /// Since when samples wait, on CLOCK_BOOTTIME.
  private var waitingSince: Duration?

  init(
    _ settings: RemoteWriteSettings, folder: String, externalLabels: [String: String],
    status: RemoteWriteStatus
  ) {
    self.settings = settings
    self.folder = folder
    self.externalLabels = externalLabels
    self.status = status
  }

  // MARK: In

  /// Writes samples to the spool; what finds no room is counted as dropped.
  func take(_ batch: RemoteWriteBatch, at now: Duration) {
    guard !isClosed, openSpool(at: now) else {
      if !isClosed { status.drop(batch.entries.count, because: status.trouble, at: now) }
      return
    }
    for (reference, labels) in batch.introduced { introduce(reference, labels) }
    var content = SpoolContent()
    if spool?.beginsSegment() == true { forgetIntroductions() }
    for entry in batch.entries {
      let slot = Int(entry.reference.slot)
      guard slot < series.count, let one = series[slot], one.epoch == entry.reference.epoch,
        let labels = one.labels
      else { continue }
      if !one.isIntroduced {
        series[slot]?.isIntroduced = true
        content.introduced.append(SpoolContent.Introduction(number: slot, labels: labels))
      }
      content.entries.append(SpoolContent.Entry(number: slot, sample: entry.sample))
      if content.entries.count >= settings.samplesPerSend
        || content.introduced.count >= Self.introducedMax
      {
        write(content, at: now)
        content = SpoolContent()
        if spool?.beginsSegment() == true { forgetIntroductions() }
      }
    }
    if !content.entries.isEmpty { write(content, at: now) }
    makeRoom(at: now)
    reportWaiting()
  }

  private func introduce(_ reference: SeriesReference, _ labels: Labels) {
    let slot = Int(reference.slot)
    while series.count <= slot { series.append(nil) }
    var labels = labels
    for (name, value) in externalLabels where labels[name] == nil { labels[name] = value }
    let stays = settings.relabelling.apply(to: &labels) && !labels.metric.isEmpty
    series[slot] = Series(
      epoch: reference.epoch, labels: stays ? WriteRequestWriter.encode(labels) : nil)
  }

  private func forgetIntroductions() {
    for slot in series.indices { series[slot]?.isIntroduced = false }
  }

  private func write(_ content: SpoolContent, at now: Duration) {
    do throws(SystemCallError) {
      try spool?.append(content.encoded(), samples: content.entries.count)
      if waitingSince == nil { waitingSince = now }
    } catch {
      // What it introduced is not known either.
      for one in content.introduced { series[one.number]?.isIntroduced = false }
      status.drop(content.entries.count, because: "\(error)", at: now)
    }
  }

  private func makeRoom(at now: Duration) {
    while let spool,
      spool.waitingSamples > settings.capacity
        || Int64(spool.bytes) > settings.spoolBytesMax
    {
      guard let lost = self.spool?.dropOldest() else { return }
      status.drop(
        lost, because: "the queue is full and \(settings.name) takes too little", at: now)
    }
  }

  private func openSpool(at now: Duration) -> Bool {
    if spool != nil { return true }
    do throws(SystemCallError) {
      let opened = try Spool(
        folder: folder, bytesMax: settings.spoolBytesMax, samplesMax: settings.capacity)
      // A place in the middle of a file needs what the file said before it.
      readPosition = Spool.Position(segment: opened.cursor.segment, offset: 0)
      if opened.waitingSamples > 0 { waitingSince = now }
      spool = opened
      return true
    } catch {
      status.trouble = "\(error)"
      return false
    }
  }

  // MARK: Out

  /// The request to send now: the one that was not settled, or a new one when there is enough to
  /// send or it has waited long enough.
  func next(at now: Duration, isLast: Bool) -> RemoteWriteRequest? {
    if let current { return current }
    guard openSpool(at: now), let waiting = spool?.waitingSamples, waiting > 0 else { return nil }
    let hasWaited = waitingSince.map { now - $0 >= settings.batchDeadline } ?? true
    guard isLast || hasWaited || waiting >= settings.samplesPerSend else { return nil }
    current = build()
    return current
  }

  /// The request is done with, one way or the other.
  func acknowledge(_ request: RemoteWriteRequest, at now: Duration) {
    guard current?.end == request.end else { return }
    current = nil
    spool?.settle(request.end, samples: request.samples)
    waitingSince = (spool?.waitingSamples ?? 0) > 0 ? now : nil
    reportWaiting()
  }

  func close() {
    isClosed = true
    spool?.close()
    spool = nil
  }

  private func build() -> RemoteWriteRequest? {
    var order: [Int] = []
    var samples: [Int: [Sample]] = [:]
    var labels: [Int: [UInt8]] = [:]
    var count = 0
    var newest = Timestamp(milliseconds: .min)
    var end = readPosition
    while let record = spool?.record(at: readPosition) {
      let isNewFile = record.start.offset == 0
      // Numbers have another meaning in another file, so one request never reaches into two.
      if isNewFile, count > 0 { break }
      if isNewFile { known = [:] }
      if count > 0, count + record.samples > settings.samplesPerSend { break }
      guard let content = SpoolContent(decoding: record.content) else {
        // Its checksum is right and yet it is none of ours: passed over.
        readPosition = record.end
        continue
      }
      for one in content.introduced { known[one.number] = one.labels }
      readPosition = record.end
      guard let cursor = spool?.cursor, record.end > cursor else { continue }
      end = record.end
      for entry in content.entries {
        if samples[entry.number] == nil {
          order.append(entry.number)
          labels[entry.number] = known[entry.number]
        }
        samples[entry.number, default: []].append(entry.sample)
        newest = max(newest, entry.sample.timestamp)
      }
      count += record.samples
    }
    guard count > 0 else { return nil }
    var writer = WriteRequestWriter()
    for number in order {
      guard let labels = labels[number], let samples = samples[number] else { continue }
      writer.append(labels, samples)
    }
    return RemoteWriteRequest(
      body: Snappy.compress(writer.bytes), samples: count, newest: newest, end: end)
  }

  private func reportWaiting() {
    status.waiting(samples: spool?.waitingSamples ?? 0, bytes: spool?.bytes ?? 0)
  }
}
