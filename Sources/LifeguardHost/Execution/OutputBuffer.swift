/// What a command has written: its beginning and its end, and how much lies between them.
///
/// A script that fails says why at its start or at its end; a script that floods must not fill the
/// agent's memory.
public struct CapturedOutput: Hashable, Sendable {
  public var head: [UInt8] = []
  public var tail: [UInt8] = []
  /// Bytes between `head` and `tail` that were not kept.
  public var omittedBytes = 0

  public init() {}

  /// As text, with invalid UTF-8 replaced and a line in place of what was left out.
  public var text: String {
    guard omittedBytes > 0 else { return String(decoding: head + tail, as: UTF8.self) }
    return String(decoding: head, as: UTF8.self) + "\n… \(omittedBytes) bytes left out …\n"
      + String(decoding: tail, as: UTF8.self)
  }

  public var isEmpty: Bool { head.isEmpty && tail.isEmpty }
}

/// Collects output within a fixed amount of memory.
struct OutputBuffer {
  private let headMax: Int
  private let tailMax: Int
  private var head: [UInt8] = []
  /// The last bytes, oldest at `start` once it is full.
  private var ring: [UInt8] = []
  private var start = 0
  private(set) var total = 0

  init(headMax: Int, tailMax: Int) {
    self.headMax = headMax
    self.tailMax = tailMax
  }

  mutating func append(_ bytes: some Collection<UInt8>) {
    total += bytes.count
    let forHead = bytes.prefix(headMax - head.count)
    head += forHead
    for byte in bytes.dropFirst(forHead.count) {
      if ring.count < tailMax {
        ring.append(byte)
      } else {
        ring[start] = byte
        start = (start + 1) % tailMax
      }
    }
  }

  var captured: CapturedOutput {
    var output = CapturedOutput()
    output.head = head
    output.tail = Array(ring[start...]) + ring[..<start]
    output.omittedBytes = total - head.count - ring.count
    return output
  }
}
