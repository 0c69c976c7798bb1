import LifeguardCore

/// How much of the disk one question may read.
public struct ArchiveLimits: Sendable, Hashable {
  /// Samples that the question's series have in its interval, all selectors together.
  public var samplesMax: Int
  /// Bytes of chunks that are held at once; a sample takes about one.
  public var bytesMax: Int
  /// Series that may match.
  public var seriesMax: Int

  public init(
    samplesMax: Int = 50_000_000, bytesMax: Int = 64 << 20, seriesMax: Int = 200_000
  ) {
    self.samplesMax = samplesMax
    self.bytesMax = bytesMax
    self.seriesMax = seriesMax
  }
}

/// Why the archive has no answer.
public enum ArchiveError: Error, Sendable, CustomStringConvertible {
  /// The file cannot be read.
  case store(StoreError)
  /// More samples than the limit.
  case tooManySamples(limit: Int)
  /// More bytes of chunks than the limit.
  case tooManyBytes(limit: Int)
  /// More series than the limit.
  case tooManySeries(limit: Int)
  /// Whoever asked no longer wants to know.
  case cancelled

  public var description: String {
    switch self {
    case .store(let error): "\(error)"
    case .tooManySamples: QueryError.tooManySamples.description
    case .tooManyBytes(let limit):
      "the query would read more than \(limit >> 20) MiB of stored samples: "
        + "ask for fewer series or a shorter time"
    case .tooManySeries(let limit):
      "the query matches more than \(limit) stored series: add matchers"
    case .cancelled: QueryError.interrupted(.canceled).description
    }
  }

  /// The same for whoever evaluates queries.
  public var queryError: QueryError {
    switch self {
    case .tooManySamples: .tooManySamples
    case .cancelled: .interrupted(.canceled)
    case .store, .tooManyBytes, .tooManySeries: .source(SeriesSourceError(description))
    }
  }
}
