/// A part of a character class: a range, or what `\d`, `\PL` and `[:^alpha:]` stand for.
struct ClassPart {
  var ranges: [ClosedRange<UInt32>]
  /// Everything but the ranges. Kept apart from them, because where case does not count, what has a
  /// variant among them is left out as well.
  var isNegated = false
}
