import LifeguardCore

/// A query's result in the bytes of Prometheus' API, for whoever evaluated it elsewhere.
public enum QueryAnswer {
  /// An answer that would be too large, with the reason.
  public struct Problem: Error, Sendable, CustomStringConvertible {
    public var description: String
  }

  /// `{"status":"success","data":…}` with the result's warnings and infos.
  ///
  /// - Throws: when it would have more than 64 MiB.
  public static func json(
    _ result: QueryResult, at time: Timestamp
  ) throws(Problem) -> [UInt8] {
    do throws(APIFailure) {
      return try AnswerWriter.success(result, at: time, limit: 0) { nil }
    } catch {
      throw Problem(description: error.message)
    }
  }
}
