/// A regular expression compiled for the simulation of its automaton (Thompson; Pike's variant for
/// groups).
///
/// Running it visits each instruction at most once for each character, so the time is at most the
/// length of the program times that of the text, whatever the pattern.
struct RegularExpressionProgram: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    case scalar(UInt32)
    case assertion(RegularExpressionNode.Assertion)
    /// Goes on at both, the first one preferred.
    case split(Int, Int)
    case jump(Int)
    case save(Int)
    case match
  }

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  /// Where each set stands, while the program is made.
  private var places: [ScalarSet: Int] = [:]
  let groupCount: Int

  /// A limit of ours; Go's is in the same region of memory.
  private static let instructionsMax = 50_000

  init(
    _ node: RegularExpressionNode, groupCount: Int, pattern: String
  ) throws(RegularExpressionError) {
    self.groupCount = groupCount
    // Anchored at both ends, as all of Prometheus' patterns are.
    emit(.save(0))
    try compile(node, pattern)
    emit(.save(1))
    emit(.assertion(.textEnd))
    emit(.match)
    places = [:]
  }

  private mutating func emit(_ instruction: Instruction) { instructions.append(instruction) }

  private mutating func compile(
    _ node: RegularExpressionNode, _ pattern: String
  ) throws(RegularExpressionError) {
    guard instructions.count < Self.instructionsMax else {
      throw RegularExpressionError(code: .tooLarge, fragment: pattern)
    }
    switch node {
    case .empty: break
    case .set(let set):
      if let single = set.single {
        emit(.scalar(single))
      } else {
        let place = places[set] ?? sets.count
        if place == sets.count {
          places[set] = place
          sets.append(set)
        }
        emit(.set(place))
      }
    case .assertion(let assertion): emit(.assertion(assertion))
    case .sequence(let parts):
      for part in parts { try compile(part, pattern) }
    case .choice(let choices): try compileChoice(choices, pattern)
    case .repetition(let inner, let least, let most, let isGreedy):
      try compileRepetition(inner, least, most, isGreedy, pattern)
    case .group(let inner, let number):
      emit(.save(2 * number))
      try compile(inner, pattern)
      emit(.save(2 * number + 1))
    }
  }

  private mutating func compileChoice(
    _ choices: [RegularExpressionNode], _ pattern: String
  ) throws(RegularExpressionError) {
    var jumps: [Int] = []
    for (index, choice) in choices.enumerated() {
      guard index < choices.count - 1 else {
        try compile(choice, pattern)
        break
      }
      let split = instructions.count
      emit(.match)
      try compile(choice, pattern)
      jumps.append(instructions.count)
      emit(.match)
      instructions[split] = .split(split + 1, instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func compileRepetition(
    _ inner: RegularExpressionNode, _ least: Int, _ most: Int?, _ isGreedy: Bool,
    _ pattern: String
  ) throws(RegularExpressionError) {
    for _ in 0..<least { try compile(inner, pattern) }
    guard let most else {
      let split = instructions.count
      emit(.match)
      try compile(inner, pattern)
      emit(.jump(split))
      instructions[split] = choose(split + 1, instructions.count, isGreedy)
      return
    }
    var splits: [Int] = []
    for _ in least..<most {
      splits.append(instructions.count)
      emit(.match)
      try compile(inner, pattern)
    }
    for split in splits { instructions[split] = choose(split + 1, instructions.count, isGreedy) }
  }

  private func choose(_ inside: Int, _ outside: Int, _ isGreedy: Bool) -> Instruction {
    isGreedy ? .split(inside, outside) : .split(outside, inside)
  }
}
