import Testing

/// Lets a few scenarios run side by side and no more: each has an agent, and some keep processors
/// busy on purpose.
struct ScenarioTrait: TestTrait, SuiteTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @Sendable () async throws -> Void
  ) async throws {
    // A suite only holds tests; its place would be taken for nothing.
    guard testCase != nil else { return try await function() }
    await Self.places.enter()
    do {
      try await function()
    } catch {
      await Self.places.leave()
      throw error
    }
    await Self.places.leave()
  }

  func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { self }

  private static let places = Places(4)
}

extension Trait where Self == ScenarioTrait {
  /// At most four at once.
  static var scenario: Self { ScenarioTrait() }
}

/// Places that tests take and give back, first come first served.
private actor Places {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  func enter() async {
    if free > 0 {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func leave() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}
