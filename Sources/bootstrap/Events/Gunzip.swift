import CZlib

/// Unpacks gzip (RFC 1952) with a limit, so that a small event cannot fill the memory.
enum Gunzip {
  /// CloudWatch Logs packs at most 1 MB of log text an event; JSON around it at most multiplies
  /// that by a small number.
  static let bytesMax = 16 << 20

  static func unpack(
    _ packed: [UInt8], limit: Int = bytesMax
  ) throws(EventError) -> [UInt8] {
    guard packed.count >= 18 else { throw EventError(.malformed, "the data is too short for gzip") }
    var stream = z_stream()
    // 15 bits of window, and 16 for gzip's header alone (zlib.h).
    guard
      inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw EventError(.malformed, "zlib could not begin") }
    defer { inflateEnd(&stream) }
    // The trailer tells the size modulo 2^32: right for an honest event, a hint for any other.
    let told = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    var size = max(min(told, limit), 256)
    var output = [UInt8](repeating: 0, count: size)
    var status = Z_OK
    while true {
      let done = Int(stream.total_out)
      status = step(&stream, packed, &output, from: done)
      if status == Z_STREAM_END { break }
      guard status == Z_OK || status == Z_BUF_ERROR else {
        throw EventError(.malformed, "the data is not gzip, or it is damaged")
      }
      guard Int(stream.total_out) == size else {
        throw EventError(.malformed, "the gzip data ends too early")
      }
      guard size < limit else {
        throw EventError(.tooLarge, "the event unpacks to more than \(limit) bytes")
      }
      size = min(size * 2, limit)
      output.append(contentsOf: repeatElement(0, count: size - output.count))
    }
    output.removeLast(output.count - Int(stream.total_out))
    return output
  }

  private static func step(
    _ stream: inout z_stream, _ packed: [UInt8], _ output: inout [UInt8], from done: Int
  ) -> Int32 {
    packed.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        let read = Int(stream.total_in)
        // zlib reads its input only; its C interface knows no const.
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + read)
        stream.avail_in = UInt32(input.count - read)
        stream.next_out = output.baseAddress! + done
        stream.avail_out = UInt32(output.count - done)
        return inflate(&stream, Z_NO_FLUSH)
      }
    }
  }
}
