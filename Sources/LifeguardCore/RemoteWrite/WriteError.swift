/// Why a remote write request was not taken at all.
public enum WriteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The body is not a Snappy block, or would become too large.
  case snappy(Snappy.Failure)
  /// The content is not a `WriteRequest`.
  case malformed(String)
  /// More of something than one request may hold.
  case tooMany(String, limit: Int)

  public var description: String {
    switch self {
    case .snappy(let failure): failure.description
    case .malformed(let reason): reason
    case .tooMany(let what, let limit):
      "the request has more than \(limit) \(what); send smaller requests"
    }
  }
}

/// Why one series of a remote write request was refused.
public struct LabelFault: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String

  init(_ description: String) {
    self.description = description
  }
}
