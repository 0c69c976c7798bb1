import CZlib
import LifeguardCore
import TestSupport

/// Events for tests: those of the fixtures, and ones made on the spot.
enum Samples {
  static let time = Timestamp(milliseconds: 1_713_567_600_000)

  static func fixture(_ name: String) throws -> [UInt8] {
    let path = SourceTree.path("Tests/BootstrapTests/Fixtures/\(name).json")
    return Array(try TextFile.read(path).utf8)
  }

  /// A line of a log, and when it was written.
  struct Line {
    var time: Int64
    var message: String
  }

  /// An event as CloudWatch Logs sends it.
  static func logs(
    _ lines: [Line], group: String = "ServerMetricsLogGroup", stream: String = "i-0aaa",
    type: String = "DATA_MESSAGE"
  ) -> [UInt8] {
    let events = lines.enumerated().map { index, line in
      JSON.object(
        JSONObject([
          ("id", .string("3821300428160438126700\(index)")), ("timestamp", .integer(line.time)),
          ("message", .string(line.message)),
        ]))
    }
    let text = JSON.object(
      JSONObject([
        ("messageType", .string(type)), ("owner", "123456789012"), ("logGroup", .string(group)),
        ("logStream", .string(stream)), ("subscriptionFilters", .array(["cpu"])),
        ("logEvents", .array(events)),
      ])
    ).bytes()
    return packed(text)
  }

  static func packed(_ text: [UInt8]) -> [UInt8] {
    Array("{\"awslogs\": {\"data\": \"\(base64(gzip(text)))\"}}".utf8)
  }

  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1024)
    let (size, count) = (UInt32(bytes.count), UInt32(output.count))
    input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = size
        stream.next_out = output.baseAddress
        stream.avail_out = count
        _ = deflate(&stream, Z_FINISH)
      }
    }
    return Array(output.prefix(Int(stream.total_out)))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = Array(bytes[start..<min(start + 3, bytes.count)])
      let padded = group + [UInt8](repeating: 0, count: 3 - group.count)
      let value = UInt32(padded[0]) << 16 | UInt32(padded[1]) << 8 | UInt32(padded[2])
      for index in 0..<4 {
        text.append(
          index <= group.count
            ? alphabet[Int(value >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
