import LifeguardCore

/// Reads samples with times from OpenMetrics text, line by line, however long the file is.
///
/// A scrape has no times and is read whole by others; here each sample needs one. What is said
/// about metrics (`# TYPE` and its like) and exemplars are passed over.
public struct SampleOpenMetrics {
  private var line = 0
  private var hasEnded = false
  private var known: [String: Labels] = [:]

  public init() {}

  /// The next line, without its end; nil when it has no sample.
  public mutating func read(_ bytes: [UInt8]) throws(SampleCSV.Fault) -> SampleCSV.Entry? {
    line += 1
    if bytes.isEmpty { return nil }
    guard !hasEnded else { throw fault(1, "there is more after # EOF") }
    guard bytes.count <= SampleCSV.lineMax else {
      throw fault(1, "the line is longer than \(SampleCSV.lineMax) bytes")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw fault(1, "the text is not UTF-8")
    }
    if text.utf8.first == UInt8(ascii: "#") {
      hasEnded = text == "# EOF"
      return nil
    }
    let end = try seriesEnd(bytes)
    let series = String(decoding: bytes[..<end], as: UTF8.self)
    let rest = bytes[end...].split(separator: UInt8(ascii: " ")).prefix { $0 != [0x23] }
    guard rest.count >= 2 else { throw fault(end + 1, "a value and a time are expected") }
    guard rest.count == 2 else {
      throw fault(rest[2].startIndex + 1, "text after the time")
    }
    let value = String(decoding: rest[0], as: UTF8.self)
    guard let number = SampleCSV.value(value) else {
      throw fault(rest[0].startIndex + 1, "\"\(value)\" is no number")
    }
    let time = String(decoding: rest[1], as: UTF8.self)
    guard let seconds = Double(time), seconds.magnitude < 9e12 else {
      throw fault(rest[1].startIndex + 1, "\"\(time)\" is no time in seconds")
    }
    return SampleCSV.Entry(
      series: try labels(series),
      sample: Sample(timestamp: Timestamp(seconds: seconds), value: number))
  }

  /// Where name and labels end: at the first blank that is not within a quoted value.
  private func seriesEnd(_ bytes: [UInt8]) throws(SampleCSV.Fault) -> Int {
    var isQuoted = false
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\") where isQuoted: index += 1
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: " ") where !isQuoted: return index
      default: break
      }
      index += 1
    }
    throw fault(1, isQuoted ? "the quote is never closed" : "a value and a time are expected")
  }

  private mutating func labels(_ text: String) throws(SampleCSV.Fault) -> Labels {
    if let found = known[text] { return found }
    guard let labels = Labels(seriesText: text) else {
      throw fault(1, "\"\(text)\" is no series")
    }
    if known.count > 100_000 { known = [:] }
    known[text] = labels
    return labels
  }

  private func fault(_ column: Int, _ message: String) -> SampleCSV.Fault {
    SampleCSV.Fault(line: line, column: column, message: message)
  }
}
