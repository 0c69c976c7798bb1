import LifeguardCore

extension AWSClient {
  /// What a call has gone through so far.
  private struct Progress {
    var attempt = 0
    var hasNewCredentials = false
    var hasNewClock = false
    /// Whether an attempt may have been carried out, whatever the last one says.
    var mayHaveBeenDone = false
  }

  /// What to do about a failed attempt.
  private enum Answer {
    case giveUp
    case again
    case pause(Duration)
  }

  /// Sends a call until it succeeds, cannot succeed, or the policy ends it.
  func perform(_ call: AWSCall) async throws(AWSError) -> AWSResponse {
    let end = callEnd
    let (url, region) = try await target(call)
    var progress = Progress()
    while true {
      progress.attempt += 1
      let outcome = await attempt(call, url, region, end: end)
      guard case .failure(let failed) = outcome else { return try Self.success(outcome) }
      var failure = failed
      progress.mayHaveBeenDone = progress.mayHaveBeenDone || failure.error.mayHaveBeenDone
      failure.error.attempts = progress.attempt
      failure.error.mayHaveBeenDone = progress.mayHaveBeenDone
      switch await answer(failure, call, end, &progress) {
      case .giveUp: throw failure.error
      case .again: if clock.elapsed() >= end { throw failure.error }
      case .pause(let pause):
        guard clock.elapsed() + pause < end else { throw failure.error }
        do {
          try await clock.sleep(pause)
        } catch {
          throw failure.error
        }
      }
    }
  }

  private struct Failure: Error {
    var error: AWSError
    var response: AWSResponse?
    var credentials: AWSCredentials?
    var clockOffset: Duration?
  }

  private static func success(
    _ outcome: Result<AWSResponse, Failure>
  ) throws(AWSError) -> AWSResponse {
    do throws(Failure) { return try outcome.get() } catch { throw error.error }
  }

  private func target(_ call: AWSCall) async throws(AWSError) -> (AWSURL, String) {
    do throws(AWSConfigurationError) {
      let region = try await findRegion()
      var url = try Endpoint.resolve(
        call.service, region: region, settings: settings, files: memory.files(settings))
      let base = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
      url.path = base + call.path
      url.query = call.query
      return (url, region)
    } catch {
      throw call.error(.configuration, error.reason)
    }
  }

  private func attempt(
    _ call: AWSCall, _ url: AWSURL, _ region: String, end: Duration
  ) async -> Result<AWSResponse, Failure> {
    var request = AWSRequest(
      call.method, url, headers: call.headers, body: call.body, answerMax: call.answerMax)
    request.headers.append(AWSHeader("Host", url.authority))
    request.headers.append(AWSHeader("User-Agent", "lifeguard"))
    var credentials: AWSCredentials?
    let offset = memory.clockOffset
    if call.isSigned {
      switch await credentialsInTime(call, end) {
      case .failure(let error): return .failure(Failure(error: error))
      case .success(let found):
        credentials = found
        let signature = SignatureV4(
          found, region: region, service: call.service.signingName, time: clock.now() + offset)
        request = signature.sign(request)
      }
    }
    let left = end - clock.elapsed()
    guard left > .zero else {
      let error = call.error(
        .timedOut,
        deadline == nil
          ? "\(retry.callTimeout.text) were not enough" : "the time that was left for it is over")
      return .failure(Failure(error: error, credentials: credentials))
    }
    let response: AWSResponse
    do {
      response = try await transport.send(request, timeout: min(retry.attemptTimeout, left))
    } catch {
      let failure = AWSError(error, service: call.service, action: call.action)
      return .failure(Failure(error: failure, credentials: credentials))
    }
    if (200..<300).contains(response.status) { return .success(response) }
    let signedAt = clock.now() + offset
    let clockOffset = response.header("Date").flatMap(HTTPDate.parse).map { $0 - signedAt }
    let error = AWSError(
      response, service: call.service, action: call.action, clockOffset: clockOffset)
    return .failure(
      Failure(
        error: error, response: response, credentials: credentials, clockOffset: clockOffset))
  }

  /// Credentials, or the reason why there are none by the call's deadline.
  private func credentialsInTime(
    _ call: AWSCall, _ end: Duration
  ) async -> Result<AWSCredentials, AWSError> {
    let limit = end - clock.elapsed()
    let source = source
    typealias Outcome = Result<AWSCredentials, AWSCredentialsError>
    let outcome: Outcome? = await withTaskGroup(of: Outcome?.self) { group in
      group.addTask {
        do throws(AWSCredentialsError) {
          return .success(try await source.credentials())
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        // Cancelled as soon as there are credentials.
        try? await Task.sleep(for: max(limit, .zero))
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    switch outcome {
    case .success(let credentials): return .success(credentials)
    case nil:
      let isCancelled = Task.isCancelled
      return .failure(
        call.error(isCancelled ? .cancelled : .timedOut, "getting credentials took too long"))
    case .failure(let error):
      if error.isCancelled { return .failure(call.error(.cancelled, error.description)) }
      return .failure(
        call.error(error.isRetryable ? .transient : .noCredentials, error.description))
    }
  }

  private func answer(
    _ failure: Failure, _ call: AWSCall, _ end: Duration, _ progress: inout Progress
  ) async -> Answer {
    let error = failure.error
    switch error.kind {
    case .clockSkew:
      // Refused before anything was done, so once more is safe whatever the call.
      guard let offset = failure.clockOffset, !progress.hasNewClock else { return .giveUp }
      progress.hasNewClock = true
      memory.clockOffset += offset
      return .again
    case .expiredCredentials, .badCredentials:
      guard let credentials = failure.credentials, !progress.hasNewCredentials else {
        return .giveUp
      }
      progress.hasNewCredentials = true
      await source.reject(credentials)
      guard case .success(let others) = await credentialsInTime(call, end) else { return .giveUp }
      // A source that only has these would be refused again.
      return others.accessKeyID == credentials.accessKeyID ? .giveUp : .again
    case .throttled, .unreachable: break
    case .transient, .timedOut:
      if progress.mayHaveBeenDone && !call.isRepeatable { return .giveUp }
    case .noCredentials, .accessDenied, .notFound, .conflict, .conditionFailed, .invalid,
      .configuration, .badAnswer, .cancelled, .other:
      return .giveUp
    }
    guard progress.attempt < retry.attemptsMax else { return .giveUp }
    let pause = retry.pause(
      after: progress.attempt, isThrottled: error.kind == .throttled, random: clock.random())
    return .pause(max(pause, asked(failure.response)))
  }

  /// How long the service asks to be left alone, at most what a pause may be.
  private func asked(_ response: AWSResponse?) -> Duration {
    guard let text = response?.header("Retry-After"), let seconds = Int(text), seconds > 0 else {
      return .zero
    }
    return min(.seconds(min(seconds, 3600)), retry.pauseMax)
  }
}
