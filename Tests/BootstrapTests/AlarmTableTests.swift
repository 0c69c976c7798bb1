import Glibc
import LifeguardCore
import TestSupport
import Testing

/// All of CloudWatch's documented tables, where they are at hand.
@Suite struct AlarmTableTests {
  private static var path: String {
    // why: the test's own environment says where shared samples are.
    let folder = getenv("LIFEGUARD_SHARED").map { String(cString: $0) }
    return (folder ?? SourceTree.path("../shared"))
      + "/samples/aws/alarm-missing-data-tables.json"
  }

  @Test(
    .enabled(if: TextFile.exists(path), "needs the shared samples: set LIFEGUARD_SHARED"))
  func `every documented case of missing data gives the documented state`() throws {
    let json = try JSON.parse(try TextFile.read(Self.path))
    var cases = 0
    for table in json["tables"]?.array ?? [] {
      for row in table["rows"]?.array ?? [] {
        let points = (row["points"]?.string ?? "").map { point -> AlarmEvaluation.Point in
          point == "X" ? .breaching : point == "0" ? .healthy : .missing
        }
        for setting in AlarmEvaluation.MissingData.allCases {
          let evaluation = AlarmEvaluation(
            evaluationPeriods: Int(try #require(table["evaluationPeriods"]?.integer)),
            datapointsToAlarm: Int(try #require(table["datapointsToAlarm"]?.integer)),
            missingData: setting)
          let documented = row[setting.rawValue]?.string
          #expect(
            evaluation.verdict(over: points).rawValue == documented,
            "\(row["points"]?.string ?? "") \(setting)")
          cases += 1
        }
      }
    }
    #expect(cases == 40)
  }
}
