/// The decimal digits of a number, for texts that must agree with other programs digit by digit.
///
/// The value is 0.d₁d₂d₃… × 10^`point`. Zero has no digits. Exact: every finite double has a finite
/// decimal expansion (at most 767 significant digits), so rounding sees true ties.
struct DecimalDigits: Hashable, Sendable {
  private(set) var digits: [UInt8]
  private(set) var point: Int

  /// All digits of a finite magnitude; the sign is ignored.
  init(exactly value: Double) {
    let magnitude = value.magnitude
    guard magnitude > 0, magnitude.isFinite else {
      digits = []
      point = 0
      return
    }
    var exponent = magnitude.isNormal ? Int(magnitude.exponent) - 52 : -1074
    var significand = magnitude.significandBitPattern
    if magnitude.isNormal { significand |= 1 << 52 }
    while significand & 1 == 0 {
      significand >>= 1
      exponent += 1
    }
    // value = significand × 2^exponent; a negative exponent is × 5^n / 10^n.
    var number = BigDecimal(significand)
    number.multiply(by: exponent < 0 ? 5 : 2, times: abs(exponent))
    digits = number.digits
    point = digits.count - (exponent < 0 ? -exponent : 0)
    dropTrailingZeros()
  }

  /// The fewest digits that read back as the same double, the closest of them (as Swift prints).
  init(shortest value: Double) {
    digits = []
    point = 0
    guard value.isFinite, value != 0 else { return }
    var exponent = 0
    var seenPoint = false
    var bytes = Array(value.magnitude.description.utf8)
    if let mark = bytes.firstIndex(of: UInt8(ascii: "e")) {
      exponent = Int(String(decoding: bytes[(mark + 1)...], as: UTF8.self)) ?? 0
      bytes.removeSubrange(mark...)
    }
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        seenPoint = true
        continue
      }
      let digit = byte - UInt8(ascii: "0")
      if digits.isEmpty && digit == 0 {
        if seenPoint { point -= 1 }
        continue
      }
      digits.append(digit)
      if !seenPoint { point += 1 }
    }
    point += exponent
    dropTrailingZeros()
  }

  var isZero: Bool { digits.isEmpty }

  /// The digit at an index, 0 beyond the last.
  subscript(index: Int) -> UInt8 {
    digits.indices.contains(index) ? digits[index] : 0
  }

  /// Keeps `count` digits; ties go to the even digit (IEEE 754).
  func rounded(toSignificant count: Int) -> DecimalDigits {
    guard count < digits.count else { return self }
    var result = self
    guard count >= 0 else {
      result.digits = []
      result.point = 0
      return result
    }
    let next = digits[count]
    let isTie = next == 5 && count + 1 == digits.count
    let isOdd = count > 0 && digits[count - 1] & 1 == 1
    result.digits.removeSubrange(count...)
    if next > 5 || (next == 5 && !isTie) || (isTie && isOdd) { result.increment() }
    result.dropTrailingZeros()
    return result
  }

  /// Keeps `count` digits after the decimal point.
  func rounded(toFraction count: Int) -> DecimalDigits {
    rounded(toSignificant: point + count)
  }

  private mutating func increment() {
    for index in digits.indices.reversed() {
      if digits[index] < 9 {
        digits[index] += 1
        return
      }
      digits[index] = 0
    }
    digits.insert(1, at: 0)
    point += 1
  }

  private mutating func dropTrailingZeros() {
    while digits.last == 0 { digits.removeLast() }
    if digits.isEmpty { point = 0 }
  }
}

/// A natural number in base 10⁹, least significant first: enough arithmetic to expand a double.
private struct BigDecimal {
  private static let base: UInt64 = 1_000_000_000
  private var limbs: [UInt64]

  init(_ value: UInt64) {
    limbs = [value % Self.base, value / Self.base]
  }

  mutating func multiply(by factor: UInt64, times count: Int) {
    // 5^13 and 2^29 stay below 2^31, so a limb's product stays below 2^62.
    let chunk = factor == 5 ? 13 : 29
    var left = count
    while left > 0 {
      let step = min(left, chunk)
      var power: UInt64 = 1
      for _ in 0..<step { power *= factor }
      multiply(by: power)
      left -= step
    }
  }

  private mutating func multiply(by factor: UInt64) {
    var carry: UInt64 = 0
    for index in limbs.indices {
      let product = limbs[index] * factor + carry
      limbs[index] = product % Self.base
      carry = product / Self.base
    }
    while carry > 0 {
      limbs.append(carry % Self.base)
      carry /= Self.base
    }
  }

  /// Most significant first, without leading zeros.
  var digits: [UInt8] {
    var result: [UInt8] = []
    for limb in limbs {
      var rest = limb
      for _ in 0..<9 {
        result.append(UInt8(rest % 10))
        rest /= 10
      }
    }
    while result.last == 0 { result.removeLast() }
    result.reverse()
    return result
  }
}
