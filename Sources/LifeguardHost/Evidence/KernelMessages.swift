import Glibc

/// The newest messages of the kernel, from `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg).
enum KernelMessages {
  private static let linesMax = 200

  /// Empty where they may not be read.
  static func tail() -> String {
    let descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var lines: [String] = []
    var record = [UInt8](repeating: 0, count: 8192)
    // Each read gives one record. The kernel's buffer holds a few thousand.
    for _ in 0..<65_536 {
      let length = read(descriptor, &record, record.count)
      // EPIPE: records were overwritten while reading, the next read goes on after them.
      if length < 0 && errno == EPIPE { continue }
      guard length > 0 else { break }
      lines.append(format(record[..<length]))
      if lines.count > 2 * linesMax { lines.removeFirst(linesMax) }
    }
    return lines.suffix(linesMax).map { $0 + "\n" }.joined()
  }

  /// `6,339,5140900,-;text` with continuation lines that start with a space: priority, number,
  /// microseconds since boot.
  static func format(_ record: ArraySlice<UInt8>) -> String {
    let text = String(decoding: record, as: UTF8.self)
    let line = text.split(separator: "\n").first ?? ""
    let parts = line.split(separator: ";", maxSplits: 1)
    guard parts.count == 2 else { return String(line) }
    let fields = parts[0].split(separator: ",")
    guard fields.count > 2, let time = UInt64(fields[2]) else { return String(parts[1]) }
    return "[\(time / 1_000_000)] \(parts[1])"
  }
}
