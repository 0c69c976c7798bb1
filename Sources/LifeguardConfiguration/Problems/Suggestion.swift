/// The known word nearest to one that is not known; nil when none is near enough to be meant.
///
/// A distance of up to half the word's length, at most 4, so that "recieve" finds "recover" and
/// "x" finds nothing.
func nearest(to word: String, among known: some Sequence<String>) -> String? {
  let limit = min(4, max(1, word.count / 2))
  guard word.count <= 64 else { return nil }
  let lower = word.lowercased()
  var best: (word: String, distance: Int)?
  for candidate in known.sorted() {
    let distance = editDistance(lower, candidate.lowercased())
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  if best == nil, word.count >= 3 {
    // A word cut short, or one too long.
    return known.sorted().first {
      $0.lowercased().hasPrefix(lower) || ($0.count >= 3 && lower.hasPrefix($0.lowercased()))
    }
  }
  return best?.word
}

/// ` "x"; did you mean "y"?`, or the list of what is known when it is short.
func suggestion(for word: String, among known: [String], listing: String) -> String {
  if let near = nearest(to: word, among: known) { return "; did you mean \(quoted(near))?" }
  guard !known.isEmpty, known.count <= 12 else { return "" }
  return "; \(listing): \(known.joined(separator: ", "))"
}

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.unicodeScalars)
  let right = Array(right.unicodeScalars)
  guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
  var beforeLast = [Int](repeating: 0, count: right.count + 1)
  var last = Array(0...right.count)
  for i in 1...left.count {
    var current = [Int](repeating: i, count: right.count + 1)
    for j in 1...right.count {
      let cost = left[i - 1] == right[j - 1] ? 0 : 1
      current[j] = min(last[j] + 1, current[j - 1] + 1, last[j - 1] + cost)
      if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
        current[j] = min(current[j], beforeLast[j - 2] + 1)
      }
    }
    beforeLast = last
    last = current
  }
  return last[right.count]
}

/// A value as a message shows it: quoted, at most 80 characters, control characters escaped.
func quoted(_ text: String) -> String { "\"\(printable(text))\"" }

/// Without anything that a terminal would obey.
func printable(_ text: String) -> String {
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    count += 1
    if count > 80 { return result + "…" }
    switch scalar.value {
    case 0x0A: result += "\\n"
    case 0x09: result += "\\t"
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
