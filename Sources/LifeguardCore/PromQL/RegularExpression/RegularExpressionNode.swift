/// The tree of a parsed regular expression.
indirect enum RegularExpressionNode: Hashable, Sendable {
  enum Assertion: Hashable, Sendable {
    case textStart
    case textEnd
    case lineStart
    case lineEnd
    case wordBoundary
    case noWordBoundary
  }

  case empty
  case set(ScalarSet)
  case assertion(Assertion)
  case sequence([RegularExpressionNode])
  case choice([RegularExpressionNode])
  /// `most` is `nil` for no upper limit.
  case repetition(RegularExpressionNode, least: Int, most: Int?, isGreedy: Bool)
  case group(RegularExpressionNode, number: Int)

  /// The texts the node matches when they are few, plain, and together not longer than
  /// `bytesMax`, for a look-up instead of a run.
  func literals(atMost limit: Int, bytesMax: Int) -> [String]? {
    switch self {
    case .empty: return [""]
    case .set(let set):
      guard let value = set.single, let scalar = Unicode.Scalar(value) else { return nil }
      return [String(Character(scalar))]
    case .group(let inner, _): return inner.literals(atMost: limit, bytesMax: bytesMax)
    case .choice(let choices):
      var found: [String] = []
      var bytes = 0
      for choice in choices {
        guard let texts = choice.literals(atMost: limit, bytesMax: bytesMax) else { return nil }
        found += texts
        bytes += texts.reduce(0) { $0 + $1.utf8.count }
        if found.count > limit || bytes > bytesMax { return nil }
      }
      return found
    case .sequence(let parts):
      var found = [""]
      for part in parts {
        guard let texts = part.literals(atMost: limit, bytesMax: bytesMax) else { return nil }
        if texts == [""] { continue }
        guard found.count * texts.count <= limit else { return nil }
        // In place where it can be: a long literal is a part for each character.
        if texts.count == 1 {
          for index in found.indices { found[index] += texts[0] }
        } else {
          found = found.flatMap { before in texts.map { before + $0 } }
        }
        if found.reduce(0, { $0 + $1.utf8.count }) > bytesMax { return nil }
      }
      return found
    case .assertion, .repetition: return nil
    }
  }

  /// Whether the node is `.*` (`least` 0) or `.+` (1) over all characters.
  var anythingAtLeast: Int? {
    switch self {
    case .group(let inner, _): return inner.anythingAtLeast
    case .repetition(.set(let set), let least, nil, _) where set.isEverything && least <= 1:
      return least
    default: return nil
    }
  }
}
