/// One run of a program over a text.
struct RegularExpressionRun {
  /// The instructions that are alive before a character, in order of preference.
  private struct Threads {
    var order: [Int] = []
    var mark: [Int]
    var captures: [[Int]] = []

    init(size: Int) { mark = Array(repeating: -1, count: size) }
  }

  private let program: RegularExpressionProgram
  private let scalars: [UInt32]
  private let offsets: [Int]
  private let wantsCaptures: Bool
  /// How many instructions were visited: what the tests measure instead of time.
  private(set) var steps = 0

  init(_ program: RegularExpressionProgram, text: String, wantsCaptures: Bool) {
    self.program = program
    self.wantsCaptures = wantsCaptures
    var scalars: [UInt32] = []
    var offsets: [Int] = []
    scalars.reserveCapacity(text.utf8.count)
    var offset = 0
    for scalar in text.unicodeScalars {
      scalars.append(scalar.value)
      if wantsCaptures { offsets.append(offset) }
      offset += UTF8.width(scalar)
    }
    offsets.append(offset)
    self.scalars = scalars
    self.offsets = offsets
  }

  /// The groups' bounds in bytes (-1 for a group that took no part), `nil` when the text does not
  /// match.
  ///
  /// - Parameter start: the character where a match must begin; what is before it still counts for
  ///   `^` and `\b`.
  mutating func match(from start: Int = 0) -> [Int]? {
    var current = Threads(size: program.instructions.count)
    var next = current
    let none = wantsCaptures ? Array(repeating: -1, count: 2 * program.groupCount + 2) : []
    var result: [Int]?
    add(0, at: start, captures: none, to: &current, result: &result)
    for position in scalars.indices.dropFirst(start) {
      if current.order.isEmpty { return nil }
      let scalar = scalars[position]
      next.order.removeAll(keepingCapacity: true)
      next.captures.removeAll(keepingCapacity: true)
      for (rank, index) in current.order.enumerated() where accepts(index, scalar) {
        let captures = wantsCaptures ? current.captures[rank] : none
        add(index + 1, at: position + 1, captures: captures, to: &next, result: &result)
      }
      swap(&current, &next)
    }
    return result
  }

  private func accepts(_ index: Int, _ scalar: UInt32) -> Bool {
    switch program.instructions[index] {
    case .scalar(let wanted): wanted == scalar
    case .set(let set): program.sets[set].contains(scalar)
    case .assertion, .split, .jump, .save, .match: false
    }
  }

  /// Follows everything that consumes no character, with a stack of its own: a pattern nests deeper
  /// than a thread's stack allows.
  private mutating func add(
    _ start: Int, at position: Int, captures: [Int], to threads: inout Threads,
    result: inout [Int]?
  ) {
    var pending = [(start, captures)]
    while let (index, captures) = pending.popLast() {
      steps += 1
      if threads.mark[index] == position { continue }
      threads.mark[index] = position
      switch program.instructions[index] {
      case .jump(let target): pending.append((target, captures))
      case .split(let first, let second):
        pending.append((second, captures))
        pending.append((first, captures))
      case .save(let slot):
        var changed = captures
        if wantsCaptures { changed[slot] = offset(position) }
        pending.append((index + 1, changed))
      case .assertion(let assertion):
        if holds(assertion, position) { pending.append((index + 1, captures)) }
      case .match:
        if result == nil { result = captures }
      case .scalar, .set:
        threads.order.append(index)
        if wantsCaptures { threads.captures.append(captures) }
      }
    }
  }

  private func offset(_ position: Int) -> Int { offsets[position] }

  private func holds(
    _ assertion: RegularExpressionNode.Assertion, _ position: Int
  ) -> Bool {
    switch assertion {
    case .textStart: position == 0
    case .textEnd: position == scalars.count
    case .lineStart: position == 0 || scalars[position - 1] == 10
    case .lineEnd: position == scalars.count || scalars[position] == 10
    case .wordBoundary: isWord(position - 1) != isWord(position)
    case .noWordBoundary: isWord(position - 1) == isWord(position)
    }
  }

  /// ASCII only, as in RE2.
  private func isWord(_ position: Int) -> Bool {
    guard position >= 0, position < scalars.count else { return false }
    let value = scalars[position]
    return value == 0x5F || (0x30...0x39).contains(value) || (0x41...0x5A).contains(value)
      || (0x61...0x7A).contains(value)
  }
}
