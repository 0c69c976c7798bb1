import CZlib

/// Decompresses a gzip or zlib body (RFC 1952, RFC 1950) up to a limit.
enum Gunzip {
  enum Failure: Error, CustomStringConvertible {
    case damaged
    case tooLarge(limit: Int)

    var description: String {
      switch self {
      case .damaged: "the body is not valid gzip"
      case .tooLarge(let limit): "body size limit exceeded: more than \(limit) bytes decompressed"
      }
    }
  }

  private static let step = 64 << 10

  /// - Throws: when the body is damaged, or as soon as it becomes larger than `limit`.
  static func decompress(_ body: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    var stream = z_stream()
    // 15 bits of window; 32 more: zlib or gzip, by the header (zlib.h, inflateInit2).
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, size) == Z_OK else { throw .damaged }
    defer { inflateEnd(&stream) }
    var input = body
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: step)
    var status = Z_OK
    let count = input.count
    let isWhole = input.withUnsafeMutableBufferPointer { input -> Bool in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(count)
      while status == Z_OK {
        let produced = buffer.withUnsafeMutableBufferPointer { output -> Int in
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(step)
          status = inflate(&stream, Z_NO_FLUSH)
          return step - Int(stream.avail_out)
        }
        if result.count + produced > limit { return false }
        result += buffer[..<produced]
        // A body that was cut gives nothing more and never ends.
        if produced == 0, stream.avail_in == 0, status == Z_OK { status = Z_DATA_ERROR }
      }
      return true
    }
    guard isWhole else { throw .tooLarge(limit: limit) }
    guard status == Z_STREAM_END else { throw .damaged }
    return result
  }
}
