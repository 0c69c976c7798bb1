import TestSupport
import Testing

/// How `make bench` judges what it has measured.
@Suite(.enabled(if: Requirement.program("python3").isMet, "needs python3"))
struct BenchReportTests {
  @Test(arguments: [
    // measurement, our values, verdict, status, status with --strict
    ("cpu", "[7.9, 8.0, 30.0]", "ok", "0 0"),
    ("cpu", "[8.1, 8.1, 1.0]", "missed", "0 1"),
    ("cpu", "[12.0]", "missed", "0 1"),
    ("cpu", "[12.1]", "missed by far", "1 1"),
    ("cpu", "[7.0, None]", "failed", "1 1"),
    ("series", "[1000000.0]", "", "0 0"),
    // Where nothing is allowed, one in twenty is too many, whatever the median says.
    ("false_alarms", "[0] * 20", "ok", "0 0"),
    ("false_alarms", "[0] * 19 + [1]", "missed by far", "1 1"),
  ])
  func `a figure is judged by its budget, and a wide miss fails the run`(
    measurement: String, values: String, verdict: String, statuses: String
  ) async throws {
    let result = try await python(
      """
      results.add("\(measurement)", LIFEGUARD, \(values))
      results.add("\(measurement)", "peer", [0.0])
      print(results.verdict("\(measurement)"), *(int(results.is_bad(each)) for each in (0, 1)))
      shown = results.table()
      assert (verdict := results.verdict("\(measurement)")) in ("", "ok") or verdict.upper() in shown
      """)
    #expect(result.standardOutput == "\(verdict) \(statuses)\n", "\(result)")
  }

  @Test(arguments: [("Lifeguard", "1"), ("a peer", "0")])
  func `what is lacking fails the run when it is ours`(subject: String, status: String)
    async throws
  {
    let result = try await python(
      """
      results.lack("cpu", "\(subject)", "is not installed")
      print(int(results.is_bad(False)))
      """)
    #expect(result.standardOutput == "\(status)\n", "\(result)")
  }

  @Test func `figures are written between the marks of a page, with machine and commit`()
    async throws
  {
    let folder = try TemporaryFolder()
    let page = folder / "page.md"
    let marks = ["<!-- figures: begin -->", "<!-- figures: end -->"]
    try TextFile.write("above\n\(marks[0])\nold\n\(marks[1])\nbelow\n", to: page)
    let result = try await python(
      """
      results.add("kill", LIFEGUARD, [4.0, 9.0, 9.0])
      results.add("kill", "runit", [3.0])
      results.lack("kill", "monit", "/usr/local/bin/monit is not installed")
      open("\(folder / "bench.json")", "w").write(results.document())
      page.fill("\(page)", "\(folder / "bench.json")")
      """)
    try #require(result.succeeded, "\(result)")
    let text = try TextFile.read(page)
    #expect(text.hasPrefix("above\n") && text.hasSuffix("\(marks[1])\nbelow\n"), "\(text)")
    #expect(!text.contains("old") && !text.contains("/usr/local"), "\(text)")
    #expect(text.contains("commit `") && text.contains("…/monit is not installed"), "\(text)")
    #expect(
      text.contains(
        "| kill -9 → answering (ms) | 9 | 9 | 3 | runit 3 | ≤ 5 | **missed by far** |"), "\(text)")
  }

  private func python(_ text: String) async throws -> ProgramResult {
    let start = "from measure import page\nfrom measure.report import LIFEGUARD, Results\n"
    return try await ChildProgram.run(
      ["python3", "-c", start + "results = Results()\n" + text],
      environment: [
        "PYTHONPATH": SourceTree.path("Benchmarks"), "PYTHONDONTWRITEBYTECODE": "1",
      ])
  }
}
