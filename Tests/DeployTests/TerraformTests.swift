import TestSupport
import Testing

/// The Terraform module against itself, against a stand-in for AWS, and against the CloudFormation
/// template.
@Suite(
  .serialized,
  .enabled(if: Checks.needsTerraform.isMet, "\(Checks.needsTerraform.reason)"),
  .timeLimit(.minutes(20)))
struct TerraformTests {
  @Test func `the module is formatted as terraform formats`() async throws {
    let result = try await ChildProgram.run(
      ["terraform", "fmt", "-check", "-recursive", "-diff", SourceTree.path("deploy/terraform")],
      environment: ["TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1"])
    #expect(result.succeeded, "\(result)")
  }

  @Test func `the module is valid and says what is wrong with a variable`() async throws {
    let terraform = try await TerraformFolder()
    try await terraform.initialize(backend: false)
    try await terraform.succeed(["validate"])
    // deploy/terraform/tests: a mocked provider, so that only our own checks are tried.
    let tests = try await terraform.run(["test"])
    #expect(tests.succeeded, "\(tests)")
    #expect(tests.standardOutput.contains(" passed, 0 failed"))
  }

  @Test func `one apply makes everything, a second plan changes nothing, a destroy leaves nothing`()
    async throws
  {
    let root = "examples/minimal"
    let package = try await emptyPackage()
    let variables = [
      "-var=region=us-east-1", "-var=function_zip=\(package / "function.zip")",
      "-var=email=ops@example.com", "-var=service=nginx.service",
    ]
    let terraform = try await TerraformFolder()
    let cloud = try await Cloud()
    defer { cloud.program.kill() }
    let state = try await apply(root, variables, terraform, cloud)
    let comparison = try await Checks.run(
      "compare",
      [
        Checks.template, state, "FunctionBucket=any", "FunctionKey=any", "Service=nginx.service",
        "NotificationEmail=ops@example.com",
      ])
    #expect(comparison.succeeded, "\(comparison)")
    // Resources of a default deployment, so that a comparison of two empty sides cannot pass.
    #expect(comparison.standardOutput.contains("9 alarm, 1 association, 1 dashboard, 3 document"))

    try await terraform.succeed(["destroy", "-auto-approve", "-input=false"] + variables, in: root)
    let left = try await terraform.succeed(["state", "list"], in: root)
    #expect(left.standardOutput.isEmpty, "\(left)")
  }

  @Test func `with everything switched on both ways of deploying make the same`() async throws {
    let root = "examples/complete"
    let checksum = String(repeating: "0123456789abcdef", count: 4)
    let variables = [
      "-var=region=us-east-1", "-var=artifacts_bucket=artifacts", "-var=lifeguard_version=1.0.0",
      "-var=agent_package_checksum=\(checksum)", "-var=email=ops@example.com",
      "-var=webhook=https://example.com/hook",
    ]
    let terraform = try await TerraformFolder()
    let cloud = try await Cloud()
    defer { cloud.program.kill() }
    let state = try await apply(root, variables, terraform, cloud)
    let instances = try await terraform.succeed(["output", "-raw", "instances"], in: root)
    let folder = SourceTree.path("deploy/terraform/examples/complete")
    let comparison = try await Checks.run(
      "compare",
      [
        Checks.template, state, "FunctionBucket=artifacts", "FunctionKey=any",
        "Architecture=arm64", "ReservedConcurrency=5",
        "InstanceIds=\(instances.standardOutput)",
        "Configuration=\(try TextFile.read(folder + "/lifeguard.yaml"))", "Agent=lifeguard",
        "AgentKey=lifeguard-1.0.0-x86_64.tar.gz", "AgentPackageChecksum=\(checksum)",
        "AgentConfiguration=\(try TextFile.read(folder + "/agent.yaml"))",
        "NotificationEmail=ops@example.com", "NotificationUrl=https://example.com/hook",
        "AlarmEventPrefix=prod-",
      ])
    #expect(comparison.succeeded, "\(comparison)")
    // Five alarms of each of two servers, five of all of them, four of the function.
    #expect(comparison.standardOutput.contains("19 alarm"))
  }

  /// Applies a root module, expects an empty second plan, and returns the state's path as JSON.
  private func apply(
    _ root: String, _ variables: [String], _ terraform: TerraformFolder, _ cloud: Cloud
  ) async throws -> String {
    try terraform.redirect(root, to: cloud.port)
    try await terraform.initialize(root)
    try await terraform.succeed(["apply", "-auto-approve", "-input=false"] + variables, in: root)
    // Status 2 means that there is something to change.
    let plan = try await terraform.run(
      ["plan", "-detailed-exitcode", "-input=false"] + variables, in: root)
    #expect(plan.succeeded, "\(plan)")
    let state = try await terraform.succeed(["show", "-json"], in: root)
    let path = terraform.folder / "state.json"
    try TextFile.write(state.standardOutput, to: path)
    return path
  }

  /// A zip that stands for the function: it is deployed, never run.
  private func emptyPackage() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try TextFile.write("#!/bin/sh\n", to: folder / "bootstrap", mode: 0o755)
    let result = try await ChildProgram.run(
      [
        Checks.python ?? "python3", "-m", "zipfile", "-c", folder / "function.zip",
        folder / "bootstrap",
      ])
    guard result.succeeded else { throw CheckFailure("\(result)") }
    return folder
  }
}
