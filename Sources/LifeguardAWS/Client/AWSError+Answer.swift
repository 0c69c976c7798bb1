import LifeguardCore

extension AWSError {
  /// The failure that an answer outside of 200…299 tells of.
  ///
  /// - Parameter clockOffset: how far the service's clock is ahead of the one that signed, when the
  ///   answer has a date.
  init(_ response: AWSResponse, service: AWSService, action: String, clockOffset: Duration?) {
    let body = ErrorBody(response)
    let code = body.code.map { String($0.prefix(100)) }
    let kind = ErrorClass.kind(
      code: code, message: body.message ?? "", status: response.status, clockOffset: clockOffset)
    self.init(
      kind, service: service.name, action: action, code: code,
      message: body.message ?? "status \(response.status)", status: response.status,
      requestID: body.requestID)
    self.body = body.json
    mayHaveBeenDone = kind == .transient || kind == .timedOut
    if kind == .accessDenied {
      permission =
        Self.permission(in: body.message ?? "")
        ?? "\(service.name):\(Self.iamAction(action))"
    }
  }

  /// The failure of an exchange without an answer.
  init(_ error: AWSTransportError, service: AWSService, action: String) {
    let kind: Kind =
      switch error.kind {
      case .unreachable: .unreachable
      case .timedOut: .timedOut
      case .connectionLost: .transient
      case .answerTooLarge: .badAnswer
      case .cancelled: .cancelled
      case .invalid: .configuration
      }
    self.init(kind, service: service.name, action: action, message: error.reason)
    mayHaveBeenDone = error.mayHaveBeenSent
  }

  /// `… is not authorized to perform: sns:Publish on resource: …`.
  private static func permission(in message: String) -> String? {
    guard let mark = message.firstRange(of: "to perform: ") else { return nil }
    let name = message[mark.upperBound...].prefix {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ":" || $0 == "-")
    }
    return name.contains(":") ? String(name) : nil
  }

  /// The few actions whose permission has another name.
  private static func iamAction(_ action: String) -> String {
    action == "Invoke" ? "InvokeFunction" : action
  }
}
