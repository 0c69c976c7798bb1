import CZlib
import Glibc
import LifeguardHost

/// A queue of records in files: written at the end, read from the front, bounded, and whole again
/// after `kill -9`.
///
/// ```
/// queue-NAME/  0000000007.spool  0000000008.spool  …  cursor
/// record       length (4) · CRC-32 of the content (4) · samples (4) · content
/// ```
/// All numbers little-endian. A write goes to the kernel at once, so a killed process loses
/// nothing;
/// a record that a crash of the machine cut is found by its checksum, and what follows is left out.
/// Blocking: for a thread of its own.
struct Spool {
  /// A place in the queue.
  struct Position: Hashable, Comparable, Sendable {
    var segment: Int
    var offset: Int

    static func < (left: Position, right: Position) -> Bool {
      left.segment == right.segment ? left.offset < right.offset : left.segment < right.segment
    }
  }

  /// One record, read back.
  struct Record {
    var content: [UInt8]
    var samples: Int
    var start: Position
    var end: Position
  }

  private struct Segment {
    var number: Int
    var bytes = 0
    /// Of its records; those before the cursor included.
    var samples = 0
  }

  private static let headerBytes = 12
  /// No record is longer; a length beyond it is damage.
  private static let recordMax = 16 << 20

  private let folder: String
  private let segmentBytesMax: Int
  private let segmentSamplesMax: Int
  private var segments: [Segment] = []
  private var writing: Int32 = -1
  private var reading: (number: Int, file: Int32)?
  /// Where unsettled records begin.
  private(set) var cursor = Position(segment: 0, offset: 0)
  /// Samples before the cursor in its segment.
  private var settledSamples = 0

  /// Opens or makes the queue; what waits in it is found by reading it once.
  ///
  /// - Parameters:
  ///   - bytesMax: files are an eighth of it at most, because the oldest goes as a whole.
  ///   - samplesMax: likewise.
  /// - Throws: when the folder cannot be made.
  init(folder: String, bytesMax: Int64, samplesMax: Int) throws(SystemCallError) {
    self.folder = folder
    segmentBytesMax = max(Int(bytesMax / 8), 64 << 10)
    segmentSamplesMax = max(samplesMax / 8, 1)
    try Self.makeFolder(folder)
    for name in Self.names(in: folder) {
      guard name.hasSuffix(".spool"), let number = Int(name.dropLast(6)) else { continue }
      segments.append(Segment(number: number))
    }
    segments.sort { $0.number < $1.number }
    restoreCursor()
    for index in segments.indices { scan(index) }
    removeSettled()
  }

  /// Samples that are not settled.
  var waitingSamples: Int {
    max(segments.reduce(0) { $0 + $1.samples } - settledSamples, 0)
  }

  /// Bytes of the files.
  var bytes: Int { segments.reduce(0) { $0 + $1.bytes } }

  /// Whether the next record begins a file: what earlier files introduced is not known in it.
  mutating func beginsSegment() -> Bool {
    guard writing >= 0, let last = segments.last else { return true }
    return last.bytes >= segmentBytesMax || last.samples >= segmentSamplesMax
  }

  /// Adds a record; begins a file when `beginsSegment` said so.
  ///
  /// - Throws: when the disk takes nothing; the record is then not in the queue.
  mutating func append(_ content: [UInt8], samples: Int) throws(SystemCallError) {
    if beginsSegment() { try beginSegment() }
    var record: [UInt8] = []
    record.reserveCapacity(content.count + Self.headerBytes)
    Self.write(UInt32(content.count), to: &record)
    Self.write(Self.checksum(content), to: &record)
    Self.write(UInt32(samples), to: &record)
    record += content
    let last = segments.count - 1
    let offset = segments[last].bytes
    var written = 0
    while written < record.count {
      let count = record[written...].withUnsafeBytes {
        pwrite(writing, $0.baseAddress, $0.count, off_t(offset + written))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = SystemCallError(call: "pwrite", subject: path(segments[last].number))
        // A part of a record would hide all that follow it.
        ftruncate(writing, off_t(offset))
        throw error
      }
      written += count
    }
    segments[last].bytes += record.count
    segments[last].samples += samples
  }

  /// The record at a place, or the first one after it; nil at the end.
  ///
  /// Settled ones of the file that the cursor is in are given too: later ones may need them.
  mutating func record(at position: Position) -> Record? {
    var position = position
    if position.segment < cursor.segment {
      position = Position(segment: cursor.segment, offset: 0)
    }
    while let segment = segments.first(where: { $0.number >= position.segment }) {
      if segment.number > position.segment {
        position = Position(segment: segment.number, offset: 0)
      }
      if position.offset < segment.bytes, let record = read(position) { return record }
      position = Position(segment: segment.number + 1, offset: 0)
    }
    return nil
  }

  /// Everything before this place is done: its files go, and the place is remembered.
  mutating func settle(_ position: Position, samples: Int) {
    // What was settled may have been dropped meanwhile, to make room.
    guard position > cursor else { return }
    settledSamples += samples
    cursor = position
    saveCursor()
    removeSettled()
  }

  /// Removes the oldest file.
  ///
  /// - Returns: how many samples were lost with it; nil when there is only the one being written.
  mutating func dropOldest() -> Int? {
    guard segments.count > 1 else { return nil }
    let lost = max(segments[0].samples - settledSamples, 0)
    cursor = Position(segment: segments[1].number, offset: 0)
    saveCursor()
    removeSettled()
    return lost
  }

  mutating func close() {
    if writing >= 0 { Glibc.close(writing) }
    if let reading { Glibc.close(reading.file) }
    writing = -1
    reading = nil
  }

  // MARK: Files

  private func path(_ number: Int) -> String {
    let digits = String(number)
    return "\(folder)/\(String(repeating: "0", count: max(10 - digits.count, 0)))\(digits).spool"
  }

  private mutating func beginSegment() throws(SystemCallError) {
    let number = max((segments.last?.number ?? 0) + 1, cursor.segment)
    let file = open(path(number), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemCallError(call: "open", subject: path(number)) }
    if writing >= 0 { Glibc.close(writing) }
    writing = file
    segments.append(Segment(number: number))
  }

  private mutating func removeSettled() {
    while segments.count > 1 || (segments.count == 1 && writing < 0), let first = segments.first,
      first.number < cursor.segment
        || (first.number == cursor.segment && cursor.offset >= first.bytes)
    {
      if reading?.number == first.number {
        if let reading { Glibc.close(reading.file) }
        reading = nil
      }
      unlink(path(first.number))
      segments.removeFirst()
      settledSamples = 0
      cursor = max(cursor, Position(segment: first.number + 1, offset: 0))
    }
  }

  private mutating func read(_ position: Position) -> Record? {
    guard let file = file(position.segment),
      let header = Self.read(file, Self.headerBytes, at: position.offset)
    else { return nil }
    let length = Int(Self.number(header, 0))
    guard length <= Self.recordMax,
      let content = Self.read(file, length, at: position.offset + Self.headerBytes),
      Self.checksum(content) == Self.number(header, 4)
    else { return nil }
    let end = Position(
      segment: position.segment, offset: position.offset + Self.headerBytes + length)
    return Record(
      content: content, samples: Int(Self.number(header, 8)), start: position, end: end)
  }

  private mutating func file(_ number: Int) -> Int32? {
    if let reading, reading.number == number { return reading.file }
    if let reading { Glibc.close(reading.file) }
    reading = nil
    let file = open(path(number), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    reading = (number, file)
    return file
  }

  /// Finds how far a file is whole, and counts its samples.
  private mutating func scan(_ index: Int) {
    var position = Position(segment: segments[index].number, offset: 0)
    while let record = read(position) {
      segments[index].samples += record.samples
      if record.end <= cursor { settledSamples += record.samples }
      position = record.end
    }
    segments[index].bytes = position.offset
  }

  private func saveCursor() {
    let text = "\(cursor.segment) \(cursor.offset)\n"
    let line = Array("\(text.dropLast()) \(Self.checksum(Array(text.utf8)))\n".utf8)
    let file = open("\(folder)/cursor", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    // A place that is not remembered is sent again after a restart, which stores take.
    guard file >= 0 else { return }
    defer { Glibc.close(file) }
    let count = line.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    if count == line.count { ftruncate(file, off_t(count)) }
  }

  private mutating func restoreCursor() {
    let file = open("\(folder)/cursor", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { Glibc.close(file) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
    guard count > 0 else { return }
    let text = String(decoding: buffer[..<count], as: UTF8.self).prefix { $0 != "\n" }
    let parts = text.split(separator: " ")
    guard parts.count == 3, let segment = Int(parts[0]), let offset = Int(parts[1]),
      UInt32(parts[2]) == Self.checksum(Array("\(segment) \(offset)\n".utf8))
    else { return }
    cursor = Position(segment: segment, offset: offset)
  }

  private static func makeFolder(_ path: String) throws(SystemCallError) {
    if let slash = path.lastIndex(of: "/") { mkdir(String(path[..<slash]), 0o700) }
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw SystemCallError(call: "mkdir", subject: path)
    }
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }

  private static func read(_ file: Int32, _ count: Int, at offset: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes {
        pread(file, $0.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { return nil }
      done += got
    }
    return bytes
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32(0, bytes, UInt32(bytes.count)))
  }

  private static func write(_ value: UInt32, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }
}
