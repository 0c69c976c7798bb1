import LifeguardCore
import Synchronization

/// What the copies of a client share: learned once, good for all.
final class ClientMemory: Sendable {
  private struct State {
    var files: SharedFiles?
    var instanceRegion: String?
    var clockOffset = Duration.zero
  }

  private let state = Mutex(State())

  /// The shared files, read at the first call.
  func files(_ settings: AWSSettings) -> SharedFiles {
    state.withLock { state in
      if let files = state.files { return files }
      let files = SharedFiles.load(settings)
      state.files = files
      return files
    }
  }

  var instanceRegion: String? {
    get { state.withLock { $0.instanceRegion } }
    set { state.withLock { $0.instanceRegion = newValue } }
  }

  /// What must be added to this machine's clock to get the services'.
  var clockOffset: Duration {
    get { state.withLock { $0.clockOffset } }
    set { state.withLock { $0.clockOffset = newValue } }
  }
}
