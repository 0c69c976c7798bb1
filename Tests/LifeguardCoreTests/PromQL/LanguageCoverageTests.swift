import Testing

@testable import LifeguardCore

/// Whether the restated suite is the whole language, so that it proves it without Prometheus' own.
struct LanguageCoverageTests {
  private static var expressions: [Expression] {
    get throws {
      try LanguageScripts.all.flatMap { script in
        // Cases that must fail may not parse at all.
        try Script(script.text).cases.compactMap { try? Query(parsing: $0.query).expression }
      }
    }
  }

  @Test func `every stable function has a case`() throws {
    var used: Set<Function> = []
    for expression in try Self.expressions {
      expression.visit { if case .call(let call) = $0 { used.insert(call.function) } }
    }
    let missing = Function.allCases.filter { !$0.isExperimental && !used.contains($0) }
    // These work on native histograms alone, of which there are none here: they give nothing.
    let native = Set<Function>([
      .histogramAvg, .histogramCount, .histogramSum, .histogramStddev, .histogramStdvar,
      .histogramFraction,
    ])
    #expect(missing.filter { !native.contains($0) }.map(\.rawValue).isEmpty)
  }

  @Test func `every stable aggregation and every operator has a case`() throws {
    var aggregators: Set<Aggregator> = []
    var operators: Set<BinaryOperator> = []
    for expression in try Self.expressions {
      expression.visit { node in
        switch node {
        case .aggregation(let aggregation): aggregators.insert(aggregation.aggregator)
        case .binary(let binary): operators.insert(binary.operation)
        default: break
        }
      }
    }
    let missing = Aggregator.allCases.filter { $0 != .limitk && $0 != .limitRatio }
      .filter { !aggregators.contains($0) }
    #expect(missing.map(\.rawValue).isEmpty)
    #expect(BinaryOperator.allCases.filter { !operators.contains($0) }.map(\.rawValue).isEmpty)
  }
}
