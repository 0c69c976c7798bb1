import TestSupport
import Testing

/// What the Lambda function needs of its host, and that nothing else is packed.
@Suite struct BinaryTests {
  @Test(.enabled(if: Self.needs.isMet, "\(Self.needs.reason)"))
  func `the function answers in a root file system with nothing but its C libraries`()
    async throws
  {
    let folder = try TemporaryFolder()
    let program: String
    if let shipped = Program.shippedBootstrap {
      // Only a release says something about its size.
      program = shipped
      let packed = try await package(program, to: folder)
      #expect(packed.succeeded, "\(packed)")
    } else {
      program = folder / "bootstrap"
      let linked = try await ChildProgram.run(
        [Self.check("link-static.sh"), Program.folder ?? "", program], timeout: .seconds(300))
      try #require(linked.succeeded, "\(linked)")
    }
    let result = try await ChildProgram.run(
      ["python3", Self.check("binary.py"), program],
      environment: ["PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": folder.path], timeout: .seconds(120))
    #expect(result.succeeded && result.standardOutput.contains("answered"), "\(result)")
  }

  @Test(
    .enabled(if: Requirement.program("gcc").isMet, "\(Requirement.program("gcc").reason)"),
    arguments: [
      ("newer-glibc", "needs GLIBC_2.35, newer than GLIBC_2.34"),
      ("newer-libstdc++", "needs GLIBCXX_3.4.30, newer than GLIBCXX_3.4.29"),
      ("newer-abi", "needs CXXABI_1.3.14, newer than CXXABI_1.3.13"),
      ("other-library", "needs libyaml-0.so.2, which not every host has"),
      ("large", "more than 30 MB"),
      ("dense", "more than 12 MB"),
    ])
  func `a function that Lambda would not run or not take is not packed`(
    kind: String, finding: String
  ) async throws {
    let folder = try TemporaryFolder()
    let result = try await package(try await plant(kind, in: folder), to: folder)
    #expect(result.end == .exited(1) && result.standardError.contains(finding), "\(result)")
  }

  @Test(.enabled(if: Requirement.program("gcc").isMet, "\(Requirement.program("gcc").reason)"))
  func `what is packed can be executed and has its checksum beside it`() async throws {
    let folder = try TemporaryFolder()
    let result = try await package(try await plant("fine", in: folder), to: folder)
    try #require(result.succeeded, "\(result)")
    let listed = try await ChildProgram.run(
      [
        "sh", "-c",
        """
        cd "$1" && sha256sum --check --quiet lifeguard-lambda-*.sha256 &&
        python3 -c 'import sys, zipfile
        for path in sys.argv[1:]:
            for entry in zipfile.ZipFile(path).infolist():
                print(entry.filename, oct(entry.external_attr >> 16))' *.zip
        """, "sh", folder.path,
      ])
    #expect(
      listed.standardOutput == "bootstrap 0o100755\nrestart_service.sh 0o100755\n", "\(listed)")
  }

  private static let needs = Requirement.all(
    .root, .program("gcc"), .program("python3"), .program("unshare"),
    Requirement(isMet: Program.bootstrap != nil, reason: "needs the bootstrap program built"))

  private static func check(_ name: String) -> String {
    SourceTree.path("Tests/DeployTests/checks/\(name)")
  }

  private func plant(_ kind: String, in folder: TemporaryFolder) async throws -> String {
    let program = folder / "bootstrap"
    let result = try await ChildProgram.run([Self.check("planted.sh"), kind, program])
    guard result.succeeded else { throw CheckFailure("\(kind): \(result)") }
    return program
  }

  private func package(
    _ program: String, to folder: TemporaryFolder
  ) async throws -> ProgramResult {
    try await ChildProgram.run(
      [SourceTree.path("scripts/package-lambda.sh"), program, folder.path], timeout: .seconds(120))
  }
}
