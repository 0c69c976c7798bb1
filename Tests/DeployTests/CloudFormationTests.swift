import TestSupport
import Testing

/// The CloudFormation template by cfn-lint, and every policy by the list of IAM's actions.
@Suite(.enabled(if: Checks.needsPython.isMet, "\(Checks.needsPython.reason)"))
struct CloudFormationTests {
  /// Everything that a parameter can switch on.
  private static let everything = [
    "FunctionBucket=any", "FunctionKey=any", "LayerKey=any", "ReservedConcurrency=5",
    "VpcSubnetIds=subnet-0123456789abcdef0", "VpcSecurityGroupIds=sg-0123456789abcdef0",
    "Service=nginx", "AllowRunShellScript=true", "Agent=lifeguard",
    "InvocableFunctionArns=arn:aws:lambda:us-east-1:123456789012:function:other",
    "InstanceIds=i-0123456789abcdef0,i-0123456789abcdef1", "DetailedMonitoring=true",
    "NotificationEmail=ops@example.com", "NotificationUrl=https://example.com/",
    "SlackWorkspaceId=T0000000000", "SlackChannelId=C0000000000", "AlarmsNotify=true",
    "AlarmEventPrefix=prod-", "AlarmTopicArn=arn:aws:sns:us-east-1:123456789012:others",
  ]

  @Test func `cfn-lint has nothing to say about the template`() async throws {
    let result = try await lint(Checks.template)
    #expect(result.succeeded && result.standardOutput.isEmpty, "\(result)")
  }

  @Test(arguments: [
    ("Runtime: provided.al2023", "Runtime: provided.al2024", "E3030"),
    ("ssm:GetCommandInvocation", "ssm:GetCommandInvocations", "W3037"),
    ("!GetAtt StateTable.Arn", "!GetAtt StateTables.Arn", "E1010"),
    ("TreatMissingData: breaching", "TreatMissing: breaching", "E3002"),
  ])
  func `cfn-lint finds a planted fault`(original: String, fault: String, rule: String) async throws
  {
    let folder = try TemporaryFolder()
    let result = try await lint(try plant(original, fault, in: folder))
    #expect(result.standardOutput.contains(rule), "\(result)")
  }

  @Test(arguments: [["FunctionBucket=any", "FunctionKey=any"], everything])
  func `policies allow what exists, by name, and act on tagged servers only`(
    parameters: [String]
  ) async throws {
    let result = try await Checks.run("policies", [Checks.template] + parameters)
    #expect(result.succeeded, "\(result)")
  }

  @Test(arguments: [
    ("cloudwatch:GetMetricData", "cloudwatch:ReadMetricData", "there is no such action"),
    (
      "Condition: {StringEquals: {ssm:resourceTag/AutoRecovery: enabled}}", "",
      "acts on servers that do not carry the tag"
    ),
    (
      "Condition: {StringEquals: {aws:ResourceTag/AutoRecovery: enabled}}", "",
      "acts on servers that do not carry the tag"
    ),
    ("Action: ssm:GetParameter", "Action: \"ssm:*\"", "name the actions one by one"),
    ("Resource: !GetAtt StateTable.Arn", "Resource: \"*\"", "name them instead of *"),
    ("Resource: !GetAtt StateTable.Arn", "Resource: !Ref AlertsTopic", "is none of"),
    ("ssm:resourceTag/AutoRecovery", "ssm:tag/AutoRecovery", "there is no such condition"),
    ("SourceArn: !GetAtt ServersLogGroup.Arn", "", "names no source"),
    ("Principal: {Service: cloudwatch.amazonaws.com}", "Principal: {AWS: '*'}", "open to others"),
  ])
  func `a policy that allows too much or nothing is found`(
    original: String, fault: String, finding: String
  ) async throws {
    let folder = try TemporaryFolder()
    let planted = try plant(original, fault, in: folder)
    let result = try await Checks.run("policies", [planted] + Self.everything)
    #expect(result.end == .exited(1) && result.standardOutput.contains(finding), "\(result)")
  }

  @Test func `the function may do what its code does, and nothing else`() async throws {
    let result = try await actions(of: Checks.template)
    #expect(result.succeeded, "\(result)")
    // So that a look at no code cannot pass.
    #expect(result.standardOutput.contains("26 calls"), "\(result)")
  }

  @Test(arguments: [
    ("                  - dynamodb:DeleteItem\n", "", "dynamodb:DeleteItem is called, and not"),
    ("ec2:RebootInstances,", "ec2:RebootInstances, ec2:TerminateInstances,", "never called"),
  ])
  func `a right that is missing or not needed is found`(
    original: String, fault: String, finding: String
  ) async throws {
    let folder = try TemporaryFolder()
    let result = try await actions(of: try plant(original, fault, in: folder))
    #expect(result.end == .exited(1) && result.standardOutput.contains(finding), "\(result)")
  }

  private func actions(of template: String) async throws -> ProgramResult {
    try await Checks.run(
      "actions", [template, SourceTree.path("Sources")] + Self.everything)
  }

  @Test func `what is kept in two places is the same in both`() async throws {
    let result = try await ChildProgram.run(
      ["python3", SourceTree.path("scripts/refresh-deploy.py"), "--check"])
    #expect(result.succeeded, "\(result)")
  }

  private func lint(_ path: String) async throws -> ProgramResult {
    try await ChildProgram.run(
      [
        Checks.python ?? "python3", "-c",
        "import sys; from cfnlint.runner import main; sys.exit(main())", path,
      ],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"], timeout: .seconds(120))
  }

  /// The template with every occurrence of a text replaced.
  private func plant(
    _ original: String, _ fault: String, in folder: TemporaryFolder
  ) throws -> String {
    let text = try TextFile.read(Checks.template)
    let changed = text.replacing(original, with: fault)
    try #require(changed != text, "the template does not contain \(original)")
    let path = folder / "template.yaml"
    try TextFile.write(changed, to: path)
    return path
  }
}
