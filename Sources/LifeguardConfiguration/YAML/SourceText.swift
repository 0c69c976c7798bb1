/// A file's bytes, and where its lines begin; shared by all nodes of a document.
final class SourceText {
  let bytes: [UInt8]
  /// Found once, and only when an error inside a text is reported.
  private lazy var lineStarts = findLineStarts()

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The characters of some lines, counted from 0.
  func scalars(ofLines lines: ClosedRange<Int>) -> [Unicode.Scalar] {
    guard lines.lowerBound < lineStarts.count else { return [] }
    let start = lineStarts[lines.lowerBound]
    let next = lines.upperBound + 1
    let end = next < lineStarts.count ? lineStarts[next] : bytes.count
    return Array(String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars)
  }

  /// The line breaks that libyaml counts: LF, CR, CR LF, NEL, LS and PS (YAML 1.1, 4.1.4).
  private func findLineStarts() -> [Int] {
    var starts = [bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0]
    bytes.withUnsafeBufferPointer { bytes in
      for index in bytes.indices {
        switch bytes[index] {
        case 0x0A: starts.append(index + 1)
        case 0x0D where index + 1 == bytes.count || bytes[index + 1] != 0x0A:
          starts.append(index + 1)
        case 0x85 where index >= 1 && bytes[index - 1] == 0xC2: starts.append(index + 1)
        case 0xA8, 0xA9:
          guard index >= 2, bytes[index - 1] == 0x80, bytes[index - 2] == 0xE2 else { continue }
          starts.append(index + 1)
        default: continue
        }
      }
    }
    return starts
  }
}
