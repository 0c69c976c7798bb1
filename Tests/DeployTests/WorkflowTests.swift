import TestSupport
import Testing

/// The workflows of GitHub, as far as they can be checked without it.
@Suite(.enabled(if: Checks.needsPython.isMet, "\(Checks.needsPython.reason)"))
struct WorkflowTests {
  private static let workflows = ["ci", "aws"].map {
    SourceTree.path(".github/workflows/\($0).yml")
  }

  @Test func `workflows pin what they use, may do little, and end by themselves`() async throws {
    let folder = try TemporaryFolder()
    let result = try await Checks.run("workflows", [folder.path] + Self.workflows)
    #expect(result.succeeded, "\(result)")
  }

  @Test(
    .enabled(
      if: Requirement.program("shellcheck").isMet, "\(Requirement.program("shellcheck").reason)"))
  func `scripts inside workflows are fine by shellcheck`() async throws {
    let folder = try TemporaryFolder()
    _ = try await Checks.run("workflows", [folder.path] + Self.workflows)
    let result = try await ChildProgram.run(
      ["sh", "-c", "shellcheck \"$1\"/*.sh && ls \"$1\" | wc -l", "sh", folder.path])
    #expect(result.succeeded, "\(result)")
    #expect((Int(result.standardOutput.filter(\.isNumber)) ?? 0) >= 10)
  }

  @Test(arguments: [
    ("@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4", "pin the action"),
    ("  contents: read\n\njobs", "  contents: write\n\njobs", "needs `permissions"),
    ("    timeout-minutes: 30\n", "", "has no timeout-minutes"),
    ("    environment: production\n", "", "outside a protected environment"),
    ("terraform apply plan", "echo ${{ github.head_ref }}", "hand it in through env"),
    ("persist-credentials: false", "fetch-depth: 1", "leaves a token"),
    ("needs: [test, package, infrastructure]", "needs: [test, packages]", "which does not exist"),
    ("needs: [test, package, infrastructure]", "needs: [package]", "deploys what the tests"),
    ("uses: ./.github/workflows/ci.yml", "uses: ./.github/workflows/no.yml", "no.yml, which does"),
    ("uses: ./.github/workflows/ci.yml", "uses: ./.github/workflows/aws.yml", "cannot be called"),
    ("uses: ./.github/workflows/ci.yml", "uses: a/b/.github/workflows/ci.yml@1", "somebody else"),
    ("runs-on: ubuntu-24.04\n", "runs-on: ubuntu-latest\n", "changes by itself"),
    ("      id-token: write", "      packages: write", "may write packages"),
    (
      "          aws-region:", "          aws-access-key-id: any\n          aws-region:",
      "stores keys"
    ),
  ])
  func `a workflow that trusts too much is found`(
    original: String, fault: String, finding: String
  ) async throws {
    let folder = try TemporaryFolder()
    let text = try TextFile.read(SourceTree.path(".github/workflows/aws.yml"))
    let changed = text.replacing(original, with: fault)
    try #require(changed != text, "the workflow does not contain \(original)")
    try TextFile.write(changed, to: folder / "aws.yml")
    let result = try await Checks.run("workflows", [folder.path, folder / "aws.yml"])
    #expect(result.end == .exited(1) && result.standardOutput.contains(finding), "\(result)")
  }
}
