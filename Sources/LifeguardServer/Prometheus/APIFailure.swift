import HTTPTypes
import LifeguardCore

/// Why a request of Prometheus' API has no answer, in its shape (`web/api/v1/api.go`, apiError).
struct APIFailure: Error {
  var type: Reply.ErrorType
  var message: String

  init(_ type: Reply.ErrorType, _ message: String) {
    self.type = type
    self.message = message
  }

  /// `invalid parameter "step": …`.
  static func invalid(_ parameter: String, _ why: String) -> APIFailure {
    APIFailure(.badData, "invalid parameter \"\(parameter)\": \(why)")
  }

  init(_ error: QueryError) {
    switch error {
    case .invalid(let message): self.init(.badData, message)
    case .execution, .tooManySamples: self.init(.execution, error.description)
    case .interrupted(.timedOut): self.init(.timeout, error.description)
    case .interrupted(.canceled): self.init(.canceled, error.description)
    case .source: self.init(.internalError, error.description)
    }
  }

  var reply: Reply { .failure(type.status, type, message) }
}

extension Reply.ErrorType {
  /// As Prometheus answers; 499 is nginx' number for a client that has gone.
  var status: HTTPResponse.Status {
    switch self {
    case .badData: .badRequest
    case .execution, .refused: .unprocessableContent
    case .timeout, .unavailable: .serviceUnavailable
    case .canceled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
    case .internalError: .internalServerError
    case .notFound: .notFound
    case .notAcceptable: .notAcceptable
    case .unauthorized: .unauthorized
    case .forbidden: .forbidden
    case .tooLarge: .contentTooLarge
    case .methodNotAllowed: .methodNotAllowed
    }
  }
}
