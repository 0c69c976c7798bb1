import LifeguardCore

/// A fault planted in the core's settings or in the agent, which the simulation must notice.
enum Mutant: Hashable, Sendable {
  case without(GuardRail)
  case budgetPlusOne
  case actionBudgetPlusOne
  case breakerPassesPlusOne
  case startUpMinusOne
  case noSettle
  case shortHold
  case cooldownHalved
  case approvalNeverExpires
  case uptimeIgnored
  case pressureIgnored
  case modeAlwaysAuto
  case intentWrittenLate
  case restoredFromOldSnapshot
  case unfinishedIntentRunAgain
  case effectsCarriedOutTwice
  case verifiedWithOldSamples
  case absenceTakenForHealth
  case lostStateNotReported
  case rebootBudgetPlusOne
  case rebootDayBudgetPlusOne
  case healthForgivesTwice
  case unknownTakenForFailure
  case neighboursNotWatched
  case evidenceViewNotCut
  case anySelectorFeeds

  var name: String {
    if case .without(let rail) = self { "without \(rail.rawValue) \(rail)" } else { "\(self)" }
  }

  /// Planted between the samples and the monitor, so that it shows in whole turns only.
  var isOfTurns: Bool { self == .evidenceViewNotCut || self == .anySelectorFeeds }

  /// The policy that the mutated agent gives to its monitor.
  func policy(_ policy: Policy) -> Policy {
    var policy = policy
    switch self {
    case .budgetPlusOne:
      policy.guardRails.targetBudget.count += 1
      for name in policy.plans.keys { policy.plans[name]?.limit?.count += 1 }
    case .actionBudgetPlusOne: policy.guardRails.actionBudget.count += 1
    case .rebootBudgetPlusOne: policy.guardRails.rebootBudget.count += 1
    case .rebootDayBudgetPlusOne: policy.guardRails.rebootDayBudget.count += 1
    case .healthForgivesTwice:
      policy.guardRails.cooldownHalving = policy.guardRails.cooldownHalving / 2
    case .breakerPassesPlusOne: policy.guardRails.breakerPasses += 1
    case .startUpMinusOne: policy.guardRails.startupEvaluations -= 1
    case .noSettle: for name in policy.plans.keys { policy.plans[name]?.verify.settle = .zero }
    case .shortHold:
      for name in policy.plans.keys { policy.plans[name]?.verify.hold = .seconds(2) }
    case .cooldownHalved:
      policy.guardRails.cooldown = policy.guardRails.cooldown / 2
      for name in policy.plans.keys {
        let base = policy.plans[name]?.cooldown
        policy.plans[name]?.cooldown = base.map { $0 / 2 }
      }
    case .approvalNeverExpires: policy.guardRails.approvalExpiry = .seconds(100_000)
    case .uptimeIgnored: policy.guardRails.minimumUptime = .zero
    case .pressureIgnored:
      policy.guardRails.pressureSome = 1000
      policy.guardRails.pressureFull = 1000
    case .modeAlwaysAuto:
      policy.mode = .auto
      for name in policy.plans.keys { policy.plans[name]?.mode = nil }
      for name in policy.rules.keys { policy.rules[name]?.mode = nil }
      for name in policy.services.keys { policy.services[name]?.mode = nil }
    default: break
    }
    return policy
  }

  var guards: [Guard] {
    guard case .without(let rail) = self else { return Guard.standard }
    return Guard.standard.filter { $0.rail != rail }
  }

  static let planted: [Mutant] =
    Guard.standard.map { .without($0.rail) } + [
      .budgetPlusOne, .actionBudgetPlusOne, .breakerPassesPlusOne, .startUpMinusOne, .noSettle,
      .shortHold, .cooldownHalved, .approvalNeverExpires, .uptimeIgnored, .pressureIgnored,
      .modeAlwaysAuto, .intentWrittenLate, .restoredFromOldSnapshot, .unfinishedIntentRunAgain,
      .effectsCarriedOutTwice, .verifiedWithOldSamples, .absenceTakenForHealth,
      .lostStateNotReported, .rebootBudgetPlusOne, .rebootDayBudgetPlusOne, .healthForgivesTwice,
      .unknownTakenForFailure, .neighboursNotWatched, .evidenceViewNotCut, .anySelectorFeeds,
    ]
}
