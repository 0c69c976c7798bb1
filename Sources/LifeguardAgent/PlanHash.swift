import LifeguardCore

/// A fingerprint of a plan, by which two processes make sure that they speak of the same one.
public enum PlanHash {
  /// FNV-1a, 64 bits, over everything that decides what a rung does; it guards against mix-ups
  /// after a reload, not against malice: the acting side runs only what it has read itself.
  public static func of(_ plan: Plan) -> String {
    let parts = [plan.name, plan.target?.text ?? ""] + plan.steps.flatMap(words)
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for part in parts {
      for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      // The end of a part counts, so that words cannot move from one to the next.
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  /// A step in words whose order is the same in every process, which that of a dictionary is not.
  private static func words(_ step: Step) -> [String] {
    switch step {
    case .run(let command):
      [step.name] + command.arguments + [command.user ?? "", command.workingDirectory ?? ""]
        + sorted(command.environment) + ["\(command.timeout.milliseconds)"]
    case .http(let action):
      [step.name, action.method, action.url, action.body ?? ""] + sorted(action.headers)
    case .cloud(let action): [step.name] + action.words
    case .signal(let name): [step.name, name]
    case .page(let receiver): [step.name, receiver ?? ""]
    case .reload, .nudge, .start, .stop, .restart, .stopCleanStart: [step.name]
    }
  }

  private static func sorted(_ pairs: [String: String]) -> [String] {
    pairs.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
  }
}
