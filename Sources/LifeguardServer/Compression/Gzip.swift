import CZlib

/// gzip (RFC 1952) of whole bodies, by zlib.
enum Gzip {
  enum Problem: Error, Equatable {
    /// It is no gzip, or ends in its middle.
    case corrupt
    /// It would become larger than allowed; nothing beyond the limit was unpacked.
    case tooLarge
  }

  /// Bodies below this hardly get smaller, and a packet holds them as they are (1460 bytes).
  static let worthwhileBytes = 1400
  /// The fastest: text of metrics and JSON shrinks to a tenth with it already.
  private static let level: Int32 = 1
  /// 15 bits of window (32 KiB), and 16 for a gzip header instead of zlib's (zlib.h).
  private static let window: Int32 = 15 + 16

  /// nil when zlib has no memory.
  static func compress(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard
      deflateInit2_(
        &stream, level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, uLong(bytes.count)))
    var input = bytes
    var status = Z_OK
    let output = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = uInt(source.count)
        stream.next_out = buffer.baseAddress
        stream.avail_out = uInt(bound)
        status = deflate(&stream, Z_FINISH)
      }
      count = bound - Int(stream.avail_out)
    }
    return status == Z_STREAM_END ? output : nil
  }

  /// Unpacks at most `limit` bytes, in pieces, so that a bomb costs no more memory than that.
  static func decompress(_ bytes: [UInt8], upTo limit: Int) throws(Problem) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, window, ZLIB_VERSION, size) == Z_OK else { throw .corrupt }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 32 * 1024)
    var problem: Problem?
    input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = uInt(source.count)
      while problem == nil {
        let status = piece.withUnsafeMutableBufferPointer { room in
          stream.next_out = room.baseAddress
          stream.avail_out = uInt(room.count)
          return inflate(&stream, Z_NO_FLUSH)
        }
        let made = piece.count - Int(stream.avail_out)
        guard status == Z_OK || status == Z_STREAM_END else {
          problem = .corrupt
          return
        }
        guard output.count + made <= limit else {
          problem = .tooLarge
          return
        }
        output += piece[..<made]
        if status == Z_STREAM_END { return }
        if made == 0, stream.avail_in == 0 { problem = .corrupt }
      }
    }
    if let problem { throw problem }
    return output
  }

  /// Whether a client takes gzip (RFC 9110, section 12.5.3).
  static func isAccepted(by header: String?) -> Bool {
    guard let header else { return false }
    var rest: Bool?
    for part in header.split(separator: ",") {
      let fields = part.split(separator: ";").map { String($0.filter { $0 != " " }).lowercased() }
      guard let coding = fields.first else { continue }
      let quality = fields.dropFirst().first { $0.hasPrefix("q=") }.flatMap {
        Double($0.dropFirst(2))
      }
      let isWanted = (quality ?? 1) > 0
      if coding == "gzip" || coding == "x-gzip" { return isWanted }
      if coding == "*" { rest = isWanted }
    }
    return rest ?? false
  }
}
