import Glibc
import TestSupport
import Testing

/// `scripts/smoke-lambda.sh`, which tries a packed function, with small programs in its place.
///
/// One at a time: each takes ports that were free a moment before.
@Suite(.serialized, .enabled(if: emulator.isMet, "\(emulator.reason)"))
struct SmokeTests {
  /// A runtime in a few lines of shell: logs are answered, everything else is an error.
  private static let runtime = """
    #!/bin/sh
    base=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
    headers=$(mktemp)
    while :; do
      event=$(curl -s -D "$headers" "$base/invocation/next") || exit 1
      id=$(tr -d '\\r' < "$headers" | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
      case $event in
        *awslogs*) curl -s -o /dev/null -d '{}' "$base/invocation/$id/response" ;;
        *) curl -s -o /dev/null -d '{"errorType":"Event.Unknown"}' "$base/invocation/$id/error" ;;
      esac
    done

    """

  @Test func `a function that answers and survives what it does not know is fine`() async throws {
    let result = try await smoke(Self.runtime)
    #expect(result.succeeded && result.standardOutput.contains("and answers"), "\(result)")
  }

  @Test(arguments: [
    ("#!/bin/sh\nexit 3\n", 0o755, "the first event failed"),
    (runtime.replacing("*awslogs*)", with: "*none*)"), 0o755, "the first event failed"),
    (runtime.replacing("*) curl", with: "*) exit 3; curl"), 0o755, "the first event failed"),
    (runtime, 0o644, "it must be executable for everybody"),
  ])
  func `a function that would not work in Lambda is found`(
    program: String, mode: Int, finding: String
  ) async throws {
    let result = try await smoke(program, mode: mode)
    #expect(result.end == .exited(1) && result.standardError.contains(finding), "\(result)")
  }

  private func smoke(_ program: String, mode: Int = 0o755) async throws -> ProgramResult {
    let folder = try TemporaryFolder()
    try TextFile.write(program, to: folder / "bootstrap")
    let packed = try await ChildProgram.run(
      [
        "python3", "-c",
        """
        import sys, zipfile
        entry = zipfile.ZipInfo("bootstrap")
        entry.create_system, entry.external_attr = 3, (0o100000 | int(sys.argv[3])) << 16
        zipfile.ZipFile(sys.argv[1], "w").writestr(entry, open(sys.argv[2]).read())
        """, folder / "function.zip", folder / "bootstrap", "\(mode)",
      ])
    guard packed.succeeded else { throw CheckFailure("\(packed)") }
    return try await ChildProgram.run(
      [SourceTree.path("scripts/smoke-lambda.sh"), folder / "function.zip"],
      environment: ["LAMBDA_RIE": Emulator.path ?? "", "TMPDIR": folder.path],
      timeout: .seconds(90))
  }
}

/// Lambda's Runtime Interface Emulator, where the tests' Python environment or a user has put it.
private enum Emulator {
  static let path: String? = {
    if let named = getenv("LIFEGUARD_TEST_RIE") { return String(cString: named) }
    let python = SourceTree.path(".build/venv/bin/python3")
    guard Requirement.locate(python) != nil else { return nil }
    // Found without importing it: it is there without what it would need to run.
    let program = try? ChildProgram([  // A failure to start means: there is none.
      python, "-c",
      "import importlib.util as u; print(u.find_spec('samcli').submodule_search_locations[0])",
    ])
    guard program?.waitForEndBlocking(seconds: 20) == .exited(0) else { return nil }
    let folder = program?.standardOutput.split(separator: "\n").first ?? ""
    #if arch(arm64)
      let path = "\(folder)/local/rapid/aws-lambda-rie-arm64"
    #else
      let path = "\(folder)/local/rapid/aws-lambda-rie-x86_64"
    #endif
    return chmod(path, 0o755) == 0 ? path : nil
  }()
}

private let emulator = Requirement.all(
  Requirement(
    isMet: Emulator.path != nil,
    reason:
      "needs Lambda's emulator: set LIFEGUARD_TEST_RIE, or `scripts/setup.sh test` installs it"),
  .program("python3"), .program("curl"))
