import LifeguardCore

/// A body of remote write 1.0, written for tests alone: a protobuf message in a Snappy block that
/// holds literals only.
///
/// Sources: prometheus.io/docs/specs/prw/remote_write_spec, google/snappy `format_description.txt`.
enum RemoteWriteBody {
  static func encode(_ series: [RandomData.Series]) -> [UInt8] {
    var message: [UInt8] = []
    for one in series {
      var entry: [UInt8] = []
      for label in one.labels {
        appendField(
          1, bytes(1, Array(label.name.utf8)) + bytes(2, Array(label.value.utf8)), to: &entry)
      }
      for sample in one.samples {
        var body: [UInt8] = [0x09]
        withUnsafeBytes(of: sample.value.bitPattern.littleEndian) { body += $0 }
        body.append(0x10)
        appendVariable(UInt64(bitPattern: sample.timestamp.milliseconds), to: &body)
        appendField(2, body, to: &entry)
      }
      appendField(1, entry, to: &message)
    }
    return snappy(message)
  }

  private static func bytes(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    appendField(field, content, to: &result)
    return result
  }

  private static func appendField(_ field: UInt8, _ content: [UInt8], to bytes: inout [UInt8]) {
    bytes.append(field << 3 | 2)
    appendVariable(UInt64(content.count), to: &bytes)
    bytes += content
  }

  private static func appendVariable(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private static func snappy(_ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    appendVariable(UInt64(content.count), to: &result)
    var rest = content[...]
    while !rest.isEmpty {
      let part = rest.prefix(65_536)
      rest = rest.dropFirst(part.count)
      // A literal with its length less one in two bytes.
      result += [61 << 2, UInt8((part.count - 1) & 0xFF), UInt8((part.count - 1) >> 8)]
      result += part
    }
    return result
  }
}
