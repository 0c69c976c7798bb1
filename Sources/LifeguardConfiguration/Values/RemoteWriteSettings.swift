import LifeguardCore

/// One entry of `remote_write`: a store that samples are sent to.
public struct RemoteWriteSettings: Hashable, Sendable {
  /// Names the queue in the data directory and in `/metrics`.
  public var name: String
  public var url: Secret
  public var headers: [String: Secret] = [:]
  public var access = WebAccess()
  /// How long one request may take.
  public var timeout: Duration = .seconds(30)
  public var relabelling: [RelabelRule] = []
  /// Samples that may wait; the oldest go first.
  public var capacity = 10_000_000
  /// Bytes on disk that waiting samples may take.
  public var spoolBytesMax: Int64 = 128 << 20
  public var samplesPerSend = 2000
  /// How long a sample waits for others to be sent with.
  public var batchDeadline: Duration = .seconds(5)
  public var backoffMin: Duration = .milliseconds(30)
  public var backoffMax: Duration = .seconds(5)
  /// Whether 429 means later; otherwise it means never, as every other 4xx.
  public var retriesTooManyRequests = true

  public init(name: String, url: Secret) {
    self.name = name
    self.url = url
  }
}
