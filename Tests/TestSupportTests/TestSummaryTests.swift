import TestSupport
import Testing

/// The summary that `make test` ends with, from logs as Swift Testing writes them.
@Suite struct TestSummaryTests {
  @Test func `passed, failed and skipped tests are counted, with the reasons of skips`()
    async throws
  {
    let result = try await summary(
      """
      ➜ Suite S skipped: "needs a box"
      ◇ Test "a plain one" started.
      ➜ Test "it needs root" skipped: "needs root: run `make test` as root"
      ➜ Test "inner one" skipped: "needs a box"
      ✘ Test "many cases fail" recorded an issue with 1 argument a → 2 at A.swift:5:60: no
      ✔ Test "many cases here" with 3 test cases passed after 0.003 seconds.
      ✔ Test "it passes with "quotes" here" passed after 0.003 seconds.
      ✔ Test plain() passed after 0.003 seconds.
      ✘ Test "many cases fail" with 2 test cases failed after 0.002 seconds with 1 issue.
      ✘ Test run with 6 tests in 1 suite failed after 0.012 seconds with 1 issue.
      """, status: 1)
    #expect(result.end == .exited(1))
    #expect(result.standardOutput.contains("failed: many cases fail\n"))
    #expect(result.standardOutput.contains("  it needs root: needs root: run `make test`"))
    #expect(result.standardOutput.contains("  inner one: needs a box\n"))
    #expect(result.standardOutput.hasSuffix("\n3 passed, 1 failed, 2 skipped\n"))
  }

  @Test func `a green run ends with status 0`() async throws {
    let result = try await summary("✔ Test a() passed after 0.003 seconds.", status: 0)
    #expect(result.succeeded)
    #expect(result.standardOutput.hasSuffix("\n1 passed, 0 failed, 0 skipped\n"))
  }

  @Test(arguments: [
    ("✔ Test a() passed after 0.003 seconds.", 134, "ended with status 134"),
    ("✔ Test a() passed after 0.003 seconds.", 124, "stopped after 1500 s"),
    ("", 0, "no test ran"),
  ])
  func `a run that crashed, was stopped or ran nothing is no success`(
    log: String, status: Int, reason: String
  ) async throws {
    let result = try await summary(log, status: status)
    #expect(result.end == .exited(1))
    #expect(result.standardOutput.contains(reason))
    #expect(result.standardOutput.contains(", 1 failed, 0 skipped\n"))
  }

  @Test(arguments: [
    ("1", "needs root: run `make test` as root", 1), ("", "needs root", 0),
    // Data that are not part of the repository.
    ("1", "needs the shared samples: set LIFEGUARD_SHARED", 0),
  ])
  func `where every test has to run, one that is skipped is a failure`(
    all: String, reason: String, expected: Int32
  ) async throws {
    let result = try await summary(
      """
      ➜ Test "it needs more" skipped: "\(reason)"
      ✔ Test a() passed after 0.003 seconds.
      """, status: 0, all: all)
    #expect(result.end == .exited(expected), "\(result)")
    #expect(result.standardOutput.contains("  it needs more: \(reason)\n"))
    #expect(result.standardOutput.hasSuffix("\n1 passed, \(expected) failed, 1 skipped\n"))
  }

  private func summary(_ log: String, status: Int, all: String = "") async throws
    -> ProgramResult
  {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try TextFile.write(log + "\n", to: folder / "log")
    return try await ChildProgram.run(
      [
        "python3", SourceTree.path("scripts/test-summary.py"), folder / "log", "\(status)",
        "1500",
      ], environment: ["LIFEGUARD_TEST_ALL": all])
  }
}
