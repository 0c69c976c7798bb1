import LifeguardAWS
import LifeguardCore
import Logging
import Synchronization

/// Asks the metadata service whether this machine is about to be taken away.
///
/// AWS recommends a look every five seconds; a spot notice comes two minutes ahead
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html).
final class TerminationWatch: Sendable {
  /// What was announced, in words.
  struct Notices: Hashable, Sendable {
    /// Spot capacity is taken back.
    var spot: String?
    /// Its Auto Scaling group takes it out of service.
    var group: String?

    /// For people; nil while nothing is announced.
    var sentence: String? {
      let all = [spot, group].compactMap(\.self)
      return all.isEmpty ? nil : all.joined(separator: "; ")
    }

    /// By the value of the label `reason`.
    var byReason: [(reason: String, isGiven: Bool)] {
      [("autoscaling", group != nil), ("spot", spot != nil)]
    }
  }

  private static let interval: Duration = .seconds(5)

  private let context: InstanceContext
  private let metadata: InstanceMetadata
  private let logger: Logger
  private let onNotice: @Sendable () -> Void
  private let state = Mutex<Notices?>(nil)

  /// - Parameter onNotice: called when something is announced: what waits must not wait any more.
  init(
    context: InstanceContext, metadata: InstanceMetadata, logger: Logger,
    onNotice: @escaping @Sendable () -> Void
  ) {
    self.context = context
    self.metadata = metadata
    self.logger = logger
    self.onNotice = onNotice
  }

  /// What is announced now; nil while nobody has answered.
  var notices: Notices? { state.withLock { $0 } }

  /// Asks for as long as the task lives; outside of EC2 there is nobody to ask.
  func run() async {
    while !Task.isCancelled {
      if case .elsewhere = context.place { return }
      await look()
      // Cancellation ends the loop.
      try? await Task.sleep(for: Self.interval)
    }
  }

  /// A service that does not answer takes nothing back: what was announced stays.
  private func look() async {
    var seen = Notices()
    do {
      if let action = try await metadata.spotAction() {
        let when = action.at.map { " at \($0.text)" } ?? ""
        seen.spot = "spot capacity is taken back (\(action.action)\(when))"
      }
      if let target = try await metadata.autoScalingTarget(), target.hasSuffix("Terminated") {
        seen.group = "its Auto Scaling group wants it \(target)"
      }
    } catch {
      logger.debug("The metadata service does not answer", metadata: ["reason": "\(error)"])
      return
    }
    let before = state.withLock { state in
      defer { state = seen }
      return state
    }
    if seen.sentence != nil, before?.sentence != seen.sentence { onNotice() }
  }
}
