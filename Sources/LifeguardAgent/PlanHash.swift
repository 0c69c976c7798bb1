import LifeguardCore

/// A fingerprint of a plan, by which two processes make sure that they speak of the same one.
public enum PlanHash {
  /// FNV-1a, 64 bits, over everything that decides what a rung does; it guards against mix-ups
  /// after a reload, not against malice: the acting side runs only what it has read itself.
  public static func of(_ plan: Plan) -> String {
    let text = "\(plan.name)|\(plan.target?.text ?? "")|\(plan.steps)"
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }
}
