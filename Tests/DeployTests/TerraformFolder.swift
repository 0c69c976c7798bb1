import TestSupport

/// A private copy of `deploy/`, so that `.terraform` and the state never reach the sources.
struct TerraformFolder {
  let folder: TemporaryFolder

  init() async throws {
    folder = try TemporaryFolder()
    let copy = try await ChildProgram.run(
      ["cp", "-R", SourceTree.path("deploy"), folder / "deploy"])
    guard copy.succeeded else { throw CheckFailure("\(copy)") }
    // An empty file: whatever this machine's user has configured must not matter.
    try TextFile.write("", to: folder / "settings")
  }

  /// Runs Terraform in a folder below `deploy/terraform`; it may end with any status.
  func run(_ arguments: [String], in root: String = "") async throws -> ProgramResult {
    try await ChildProgram.run(
      ["terraform", "-chdir=\(folder / "deploy/terraform")/\(root)"] + arguments,
      environment: [
        "TF_CLI_CONFIG_FILE": folder / "settings", "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1", "NO_COLOR": "1",
        // Nothing that this machine's user is signed in to may be reached.
        "AWS_CONFIG_FILE": folder / "none", "AWS_SHARED_CREDENTIALS_FILE": folder / "none",
        "AWS_EC2_METADATA_DISABLED": "true",
      ],
      timeout: .seconds(400))
  }

  /// Runs Terraform and throws with its output when it does not succeed.
  @discardableResult
  func succeed(_ arguments: [String], in root: String = "") async throws -> ProgramResult {
    let result = try await run(arguments, in: root)
    guard result.succeeded else { throw CheckFailure("terraform \(arguments): \(result)") }
    return result
  }

  func initialize(_ root: String = "", backend: Bool = true) async throws {
    try await succeed(
      ["init", "-input=false", "-plugin-dir=\(Checks.plugins ?? "")"]
        + (backend ? [] : ["-backend=false"]), in: root)
  }

  /// Turns a root module towards a server that stands in for AWS, by an override file.
  func redirect(_ root: String, to port: Int) throws {
    let services = [
      "cloudwatch", "logs", "dynamodb", "ec2", "events", "iam", "lambda", "s3", "sns", "sqs",
      "ssm", "sts",
    ]
    let endpoints = services.map { "    \($0) = \"http://127.0.0.1:\(port)\"" }
    try TextFile.write(
      """
      provider "aws" {
        region                      = "us-east-1"
        access_key                  = "test"
        secret_key                  = "test"
        max_retries                 = 2
        skip_credentials_validation = true
        skip_metadata_api_check     = true
        s3_use_path_style           = true
        endpoints {
      \(endpoints.joined(separator: "\n"))
        }
      }

      """, to: folder / "deploy/terraform/\(root)/cloud_override.tf")
  }
}

/// A check whose preparation went wrong.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// moto, with what it lacks added by `checks/moto_server.py`.
struct Cloud {
  let program: ChildProgram
  let port: Int

  init() async throws {
    port = try FreePort.tcp()
    program = try ChildProgram(
      [
        Checks.python ?? "python3", SourceTree.path("Tests/DeployTests/checks/moto_server.py"),
        "\(port)",
      ], environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    let running = program
    let isReady = await eventually(within: .seconds(60), every: .milliseconds(100)) {
      running.standardOutput.contains("ready")
    }
    guard isReady else { throw CheckFailure("moto: \(program.standardError.suffix(2000))") }
  }
}
