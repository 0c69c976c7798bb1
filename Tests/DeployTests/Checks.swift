import Glibc
import TestSupport

/// What the checks of `deploy/` run with.
enum Checks {
  /// A Python that has cfn-lint and moto: the one of the tests' own environment, else the system's.
  static let python: String? = {
    for candidate in [SourceTree.path(".build/venv/bin/python3"), "python3"] {
      guard let path = Requirement.locate(candidate) else { continue }
      // A failure to start means: not this one.
      let program = try? ChildProgram([path, "-c", "import cfnlint, moto, yaml"])
      if program?.waitForEndBlocking(seconds: 60) == .exited(0) { return path }
    }
    return nil
  }()

  /// A folder that holds Terraform's provider for AWS as `terraform init -plugin-dir` wants it.
  static let plugins: String? = {
    var folders = ["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"]
    if let home = getenv("HOME") {
      folders.insert(String(cString: home) + "/.terraform.d/plugins", at: 0)
    }
    if let named = getenv("LIFEGUARD_TERRAFORM_PLUGINS") {
      folders.insert(String(cString: named), at: 0)
    }
    folders += children(of: "/opt")
    return folders.first { TextFile.exists($0 + "/registry.terraform.io/hashicorp/aws") }
  }()

  static let needsPython = Requirement(
    isMet: python != nil,
    reason: "needs cfn-lint and moto: `scripts/setup.sh test` installs them")

  static let needsTerraform = Requirement.all(
    needsPython,
    Requirement(
      isMet: Requirement.locate("terraform") != nil,
      reason: "needs terraform 1.9 or newer in PATH"),
    Requirement(
      isMet: plugins != nil,
      reason: "needs the provider hashicorp/aws in a plugin folder: set"
        + " LIFEGUARD_TERRAFORM_PLUGINS to one that `terraform providers mirror` made"))

  static let template = SourceTree.path("deploy/cloudformation/lifeguard.yaml")

  /// Runs one of the programs in `checks`.
  static func run(
    _ name: String, _ arguments: [String], timeout: Duration = .seconds(120)
  ) async throws -> ProgramResult {
    try await ChildProgram.run(
      [python ?? "python3", SourceTree.path("Tests/DeployTests/checks/\(name).py")] + arguments,
      environment: ["PYTHONDONTWRITEBYTECODE": "1"], timeout: timeout)
  }

  private static func children(of folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) { names.append(TextFile.name(of: entry)) }
    return names.filter { !$0.hasPrefix(".") }.sorted().map { folder + "/" + $0 }
  }
}
