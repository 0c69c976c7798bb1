import ArgumentParser
import Glibc
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// A query over the samples that an agent left behind.
struct StoredQuery {
  var directory: String

  /// The answer in the form of the API.
  func answer(_ question: QueryQuestion) throws -> JSON {
    let path = "\(directory)/samples.db"
    guard access(path, R_OK) == 0 else {
      throw refused("no agent runs there, and \(path) cannot be read")
    }
    let query: Query
    do throws(ParseError) {
      query = try Query(parsing: question.expression)
    } catch {
      throw refused("invalid expression: \(error)")
    }
    throw refused("not read yet: \(query.text)")
  }

  private func refused(_ message: String) -> ExitCode {
    StandardError.write("lifeguard: \(Printable.text(message))\n")
    return .problem
  }
}
