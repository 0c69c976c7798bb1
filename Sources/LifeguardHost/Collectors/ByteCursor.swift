import Glibc

/// Bytes of a buffer that belongs to somebody else and is valid until its next use.
typealias Bytes = UnsafeBufferPointer<UInt8>

/// Reads text of `/proc` and `/sys` in place: no copy, no allocation, never past the end.
///
/// Every method either succeeds or says so; what it is given may be cut off or garbage.
struct ByteCursor {
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ bytes: Bytes) {
    // An empty buffer may have no address; any pointer will do when nothing is ever read from it.
    let start = bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
    next = start
    end = start + bytes.count
  }

  private init(from next: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) {
    self.next = next
    self.end = end
  }

  var isAtEnd: Bool { next == end }
  /// What has not been read yet.
  var rest: Bytes { Bytes(start: next, count: end - next) }
  /// The byte that comes next.
  var peek: UInt8? { next < end ? next.pointee : nil }

  /// Takes one line, without its line feed; `nil` at the end.
  mutating func line() -> ByteCursor? {
    guard next < end else { return nil }
    let start = next
    guard let found = memchr(start, 0x0a, end - start) else {
      next = end
      return ByteCursor(from: start, to: end)
    }
    let feed = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
    next = feed + 1
    return ByteCursor(from: start, to: feed)
  }

  /// Skips spaces and tabs.
  mutating func skipSpaces() {
    while next < end, next.pointee == 0x20 || next.pointee == 0x09 { next += 1 }
  }

  /// Skips one byte if it is `byte`.
  @discardableResult
  mutating func skip(_ byte: UInt8) -> Bool {
    guard next < end, next.pointee == byte else { return false }
    next += 1
    return true
  }

  /// Takes the bytes before the next `delimiter`, which is skipped; `nil` when there is none.
  mutating func take(before delimiter: UInt8) -> Bytes? {
    guard next < end, let found = memchr(next, Int32(delimiter), end - next) else { return nil }
    let stop = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
    let taken = Bytes(start: next, count: stop - next)
    next = stop + 1
    return taken
  }

  /// Takes the bytes before the last `delimiter`, which is skipped; `nil` when there is none.
  mutating func take(beforeLast delimiter: UInt8) -> Bytes? {
    var stop = end
    while stop > next, (stop - 1).pointee != delimiter { stop -= 1 }
    guard stop > next else { return nil }
    stop -= 1
    let taken = Bytes(start: next, count: stop - next)
    next = stop + 1
    return taken
  }

  /// Takes a run of bytes other than spaces, after spaces; empty at the end.
  mutating func word() -> Bytes {
    skipSpaces()
    let start = next
    while next < end, next.pointee > 0x20 { next += 1 }
    return Bytes(start: start, count: next - start)
  }

  /// Skips `count` words.
  mutating func skipWords(_ count: Int) {
    for _ in 0..<count { _ = word() }
  }

  /// Takes a whole number in decimal, after spaces; `nil` without a digit or above 2^64.
  mutating func unsigned() -> UInt64? {
    skipSpaces()
    var value: UInt64 = 0
    let start = next
    while next < end {
      let digit = next.pointee &- 0x30
      guard digit < 10 else { break }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      value = sum
      next += 1
    }
    return next == start ? nil : value
  }

  /// Takes a whole number that may have a minus sign.
  mutating func signed() -> Int64? {
    skipSpaces()
    let isNegative = skip(0x2d)
    guard let magnitude = unsigned(), magnitude <= UInt64(Int64.max) else { return nil }
    return isNegative ? -Int64(magnitude) : Int64(magnitude)
  }

  /// Takes a whole number in hexadecimal digits, after spaces.
  mutating func hexadecimal() -> UInt64? {
    skipSpaces()
    var value: UInt64 = 0
    var count = 0
    while next < end {
      let digit: UInt8
      switch next.pointee {
      case 0x30...0x39: digit = next.pointee - 0x30
      case 0x61...0x66: digit = next.pointee - 0x57
      case 0x41...0x46: digit = next.pointee - 0x37
      default: return count == 0 ? nil : value
      }
      guard count < 16 else { return nil }
      value = value << 4 | UInt64(digit)
      count += 1
      next += 1
    }
    return count == 0 ? nil : value
  }

  /// Takes a number such as `0.06`; exact for up to 15 digits, which is all the kernel prints.
  mutating func decimal() -> Double? {
    skipSpaces()
    let isNegative = skip(0x2d)
    guard let whole = unsigned() else { return nil }
    var value = Double(whole)
    if skip(0x2e) {
      var scale = 1.0
      var digits = whole
      while next < end {
        let digit = next.pointee &- 0x30
        guard digit < 10 else { break }
        next += 1
        guard digits < 100_000_000_000_000 else { continue }
        digits = digits * 10 + UInt64(digit)
        scale *= 10
      }
      value = Double(digits) / scale
    }
    return isNegative ? -value : value
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether these are the bytes of an ASCII text known at compile time.
  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && hasPrefix(text)
  }

  func hasPrefix(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount, let baseAddress else {
      return text.utf8CodeUnitCount == 0
    }
    return memcmp(baseAddress, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// Whether these are the same bytes as those of `other`.
  func equals(_ other: [UInt8]) -> Bool {
    guard count == other.count, let baseAddress else { return count == other.count }
    return other.withUnsafeBytes { stored in
      guard let start = stored.baseAddress else { return true }
      return memcmp(baseAddress, start, count) == 0
    }
  }
}

/// The text of some bytes, with what is not UTF-8 replaced.
func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

/// The text of a C array of characters (imported as a tuple) up to its first zero.
func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { raw in
    String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
  }
}
