import LifeguardCore
import Testing

/// Rows of CloudWatch's documentation of missing data, and the rules behind them.
@Suite struct AlarmEvaluationTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var points: String
    var datapoints: Int
    /// By setting: missing, ignore, breaching, notBreaching.
    var verdicts: [AlarmEvaluation.Verdict]

    var testDescription: String { "\(datapoints) of 3: \(points)" }
  }

  static let rows = [
    Row(points: "0-X-X", datapoints: 3, verdicts: [.ok, .ok, .ok, .ok]),
    Row(points: "0----", datapoints: 3, verdicts: [.ok, .ok, .ok, .ok]),
    Row(points: "-----", datapoints: 3, verdicts: [.insufficientData, .retain, .alarm, .ok]),
    Row(points: "0XX-X", datapoints: 3, verdicts: [.alarm, .alarm, .alarm, .alarm]),
    Row(points: "--X--", datapoints: 3, verdicts: [.alarm, .retain, .alarm, .ok]),
    Row(points: "0-X-X", datapoints: 2, verdicts: [.alarm, .alarm, .alarm, .alarm]),
    Row(points: "00X0X", datapoints: 2, verdicts: [.alarm, .alarm, .alarm, .alarm]),
    Row(points: "0-X--", datapoints: 2, verdicts: [.ok, .ok, .alarm, .ok]),
    Row(points: "----0", datapoints: 2, verdicts: [.ok, .ok, .alarm, .ok]),
    Row(points: "---X-", datapoints: 2, verdicts: [.alarm, .retain, .alarm, .ok]),
    // A late first point waits for its neighbours.
    Row(points: "----X", datapoints: 3, verdicts: [.retain, .retain, .alarm, .ok]),
  ]

  static func points(_ text: String) -> [AlarmEvaluation.Point] {
    text.map { $0 == "X" ? .breaching : $0 == "0" ? .healthy : .missing }
  }

  @Test(arguments: rows)
  func `the documented tables hold`(row: Row) {
    for (setting, verdict) in zip(AlarmEvaluation.MissingData.allCases, row.verdicts) {
      let evaluation = AlarmEvaluation(
        evaluationPeriods: 3, datapointsToAlarm: row.datapoints, missingData: setting)
      #expect(evaluation.verdict(over: Self.points(row.points)) == verdict, "\(setting)")
    }
  }

  @Test func `with enough points it does not matter what a missing one counts as`() {
    for setting in AlarmEvaluation.MissingData.allCases {
      let evaluation = AlarmEvaluation(
        evaluationPeriods: 2, datapointsToAlarm: 2, missingData: setting)
      #expect(evaluation.verdict(over: Self.points("X-X-X")) == .alarm)
      #expect(evaluation.verdict(over: Self.points("X-0-X")) == .ok)
    }
  }
}
