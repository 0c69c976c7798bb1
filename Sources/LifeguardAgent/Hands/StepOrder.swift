import LifeguardCore

/// One step to carry out, named rather than spelled: who acts looks the step up in the
/// configuration that it has read itself.
public struct StepOrder: Sendable, Codable {
  public var attempt: String
  public var fence: Int
  public var plan: String
  /// Must be the hash of the plan as the acting side knows it.
  public var planHash: String
  public var rung: Int
  public var target: Target
  public var alert: AlertContext

  public init(
    attempt: String, fence: Int, plan: String, planHash: String, rung: Int, target: Target,
    alert: AlertContext
  ) {
    self.attempt = attempt
    self.fence = fence
    self.plan = plan
    self.planHash = planHash
    self.rung = rung
    self.target = target
    self.alert = alert
  }
}

/// Preconditions to check before a step; like the step itself, named rather than spelled.
public struct PreparationOrder: Sendable, Codable {
  public var evidence: EvidenceRequest
  public var plan: String
  public var planHash: String
  public var rung: Int

  public init(evidence: EvidenceRequest, plan: String, planHash: String, rung: Int) {
    self.evidence = evidence
    self.plan = plan
    self.planHash = planHash
    self.rung = rung
  }
}

/// What the preconditions and the evidence said.
public struct PreparationReport: Sendable, Codable {
  public var refusals: [Refusal]
  public var evidence: EvidenceReport

  public init(refusals: [Refusal], evidence: EvidenceReport) {
    self.refusals = refusals
    self.evidence = evidence
  }
}

/// What was collected about a trouble.
public struct EvidenceReport: Sendable, Codable {
  public struct Section: Sendable, Codable {
    public var title: String
    public var text: String

    public init(title: String, text: String) {
      self.title = title
      self.text = text
    }
  }

  public var sections: [Section]
  /// In a few words, for messages.
  public var summary: String

  public init(sections: [Section] = [], summary: String = "") {
    self.sections = sections
    self.summary = summary
  }

  /// The first process of a list, for a summary; empty when there is none.
  static func busiest(in list: String) -> String {
    let isRow: (Substring) -> Bool = {
      $0.drop { $0 == " " }.first?.isNumber == true && $0.first == " "
    }
    guard let row = list.split(separator: "\n").first(where: isRow) else { return "" }
    let words = row.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return "; busiest: \(words.prefix(80))"
  }
}
