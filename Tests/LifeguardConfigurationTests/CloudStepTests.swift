import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct CloudStepTests {
  private func steps(_ yaml: String) -> (steps: [Step], problems: [String]) {
    let loaded = load(
      "plans:\n  fix:\n    target: 'instance:{{ $labels.instance }}'\n    steps: [\(yaml)]\n")
    let errors = loaded.problems.filter { $0.severity == .error }
    return (loaded.configuration?.plans["fix"]?.steps ?? [], errors.map(\.message))
  }

  @Test func `steps of the cloud are read with their settings`() {
    let found = steps(
      "{autoscaling: {action: scale_out, group: web, by: 2, maximum: 8}},"
        + " {ssm: {document: Restart, parameters: {service: nginx, units: [a, b]}, timeout: 90s}},"
        + " {ec2: {action: reboot}}, {autoscaling: {action: mark_unhealthy}}, page")
    #expect(found.problems.isEmpty, "\(found.problems)")
    #expect(
      found.steps == [
        .cloud(.autoScaling(AutoScalingAction(.scaleOut, group: "web", by: 2, maximum: 8))),
        .cloud(
          .ssm(
            SSMAction(
              document: "Restart", parameters: ["service": ["nginx"], "units": ["a", "b"]],
              timeout: .seconds(90)))),
        .cloud(.ec2(EC2Action(.reboot))), .cloud(.autoScaling(AutoScalingAction(.markUnhealthy))),
        .page(receiver: nil),
      ])
  }

  @Test func `commands become those of the shell document`() {
    let found = steps("{ssm: {commands: ['systemctl restart web']}}, {lambda: {function: drain}}")
    guard case .cloud(.ssm(let action)) = found.steps.first else {
      Issue.record("\(found.problems)")
      return
    }
    #expect(action.document == SSMAction.shellDocument)
    #expect(action.parameters["commands"] == ["systemctl restart web"])
    #expect(found.steps.last == .cloud(.lambda(LambdaAction(function: "drain"))))
  }

  @Test(arguments: [
    ("{ssm: {}}", "document"), ("{ssm: {document: a, commands: [b]}}", "not both"),
    ("{ssm: {document: 'a b'}}", "is not the name"), ("{ssm: {commands: []}}", "empty"),
    ("{ec2: {action: terminate}}", "terminate"), ("{ec2: {}}", "action"),
    ("{autoscaling: {action: scale_out, group: web}}", "needs a bound"),
    ("{autoscaling: {action: scale_in, minimum: 5, maximum: 2}}", "more than"),
    ("{lambda: {}}", "function"),
    ("{ec2: {action: reboot}}, {ssm: {document: Restart}}", "milder"),
  ])
  func `what makes no sense is refused where it stands`(yaml: String, word: String) {
    let found = steps(yaml)
    #expect(found.problems.contains { $0.contains(word) }, "\(found.problems)")
  }
}
