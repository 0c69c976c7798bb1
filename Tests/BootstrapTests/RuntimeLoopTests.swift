import Glibc
import LifeguardCore
import Synchronization
import Testing

@testable import bootstrap

/// A runtime API of a few lines: it answers each request with the next text, and keeps requests.
private final class RuntimeAPI: Sendable {
  let port: UInt16
  let requests = Mutex<[String]>([])
  private let listener: Int32

  /// - Parameter answers: whole answers; "close" closes the connection instead.
  init(_ answers: [String]) throws {
    listener = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size)
        listen(descriptor, 4)
        getsockname(descriptor, $0, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
    let thread = Thread { self.serve(answers) }
    thread.start()
  }

  deinit { close(listener) }

  private func serve(_ answers: [String]) {
    var connection: Int32 = -1
    for answer in answers {
      if connection < 0 { connection = accept(listener, nil, nil) }
      guard let request = Self.read(connection) else {
        close(connection)
        connection = accept(listener, nil, nil)
        guard let again = Self.read(connection) else { break }
        requests.withLock { $0.append(again) }
        Self.write(connection, answer)
        continue
      }
      requests.withLock { $0.append(request) }
      if answer == "close" {
        close(connection)
        connection = -1
      } else {
        Self.write(connection, answer)
      }
    }
    if connection >= 0 { close(connection) }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private static func write(_ connection: Int32, _ text: String) {
    _ = Array(text.utf8).withUnsafeBytes {
      send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  private static func read(_ connection: Int32) -> String? {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      text += buffer[..<count]
      let whole = String(decoding: text, as: UTF8.self)
      guard let end = whole.firstRange(of: "\r\n\r\n") else { continue }
      let length =
        whole.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        .flatMap { Int($0.dropFirst(16)) } ?? 0
      if whole[end.upperBound...].utf8.count >= length { return whole }
    }
  }

  /// pthread_create(3) with a closure.
  private struct Thread {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
      final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
      }
      var thread = pthread_t()
      let context = Unmanaged.passRetained(Box(body)).toOpaque()
      pthread_create(
        &thread, nil,
        { context in
          if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
          return nil
        }, context)
      pthread_detach(thread)
    }
  }
}

@Suite struct RuntimeLoopTests {
  private static func next(_ id: String, _ body: String) -> String {
    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: \(id)\r\n"
      + "Lambda-Runtime-Deadline-Ms: 1713567660000\r\n"
      + "Lambda-Runtime-Trace-Id: Root=1-5bef4de7\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
      + body
  }

  private static let accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nOK"

  private func run(
    _ answers: [String], handle: @escaping ([UInt8]) -> RuntimeLoop.Outcome
  ) throws -> (requests: [String], error: String, traces: [String]) {
    let api = try RuntimeAPI(answers)
    let log = RuntimeLog(level: .error, now: { Samples.time }, write: { _ in })
    let connection = try #require(RuntimeConnection(address: "127.0.0.1:\(api.port)"))
    var loop = RuntimeLoop(connection: connection, log: log, now: { Samples.time })
    var traces: [String] = []
    do throws(RuntimeConnection.Failure) {
      try loop.run(trace: { traces.append($0 ?? "") }, handle: { body, _ in handle(body) })
      return (api.requests.withLock { $0 }, "", traces)
    } catch {
      return (api.requests.withLock { $0 }, error.description, traces)
    }
  }

  @Test func `events are answered by their id until the runtime is gone`() throws {
    let found = try run([
      Self.next("a-1", "{}"), Self.accepted, Self.next("a-2", "[]"), Self.accepted, "close",
    ]) { body in
      body == Array("{}".utf8)
        ? .response(Array("\"yes\"".utf8)) : .failure(type: "Handler.X", message: "no")
    }
    let paths = found.requests.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    #expect(
      paths.prefix(5) == [
        "GET /2018-06-01/runtime/invocation/next",
        "POST /2018-06-01/runtime/invocation/a-1/response",
        "GET /2018-06-01/runtime/invocation/next",
        "POST /2018-06-01/runtime/invocation/a-2/error",
        "GET /2018-06-01/runtime/invocation/next",
      ])
    #expect(found.requests[1].hasSuffix("\"yes\""))
    #expect(found.requests[3].contains("Lambda-Runtime-Function-Error-Type: Handler.X"))
    #expect(found.requests[3].contains(#""errorMessage":"no""#))
    #expect(found.traces == ["Root=1-5bef4de7", "Root=1-5bef4de7"])
    #expect(!found.error.isEmpty)
  }

  @Test func `a container error ends the loop at once`() throws {
    let found = try run([
      Self.next("a-1", "{}"), "HTTP/1.1 500 Container error\r\nContent-Length: 0\r\n\r\n",
    ]) { _ in .response([]) }
    #expect(found.error.contains("500"))
    #expect(found.requests.count == 2)
  }

  @Test func `chunked bodies are read whole`() throws {
    let head =
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a-1\r\nTransfer-Encoding: chunked\r\n\r\n"
    var seen = ""
    _ = try run([
      head + "4\r\n{\"a\"\r\n3;x=y\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n",
      "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n",
    ]) { body in
      seen = String(decoding: body, as: UTF8.self)
      return .response([])
    }
    #expect(seen == "{\"a\": 1}")
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
  ])
  func `an answer that makes no sense ends the loop`(answer: String) throws {
    #expect(try !run([answer]) { _ in .response([]) }.error.isEmpty)
  }

  @Test(
    arguments: [
      ("Lambda-Runtime-Deadline-Ms: 1713567660000\r\n", 1_713_567_660_000), ("", nil),
      ("Lambda-Runtime-Deadline-Ms: soon\r\n", nil),
      ("Lambda-Runtime-Deadline-Ms: 9223372036854775807\r\n", nil),
      ("Lambda-Runtime-Deadline-Ms: -9223372036854775808\r\n", nil),
    ] as [(String, Int64?)])
  func `without a deadline that can be one, little time is taken for granted`(
    header: String, expected: Int64?
  ) throws {
    let api = try RuntimeAPI([
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a-1\r\n\(header)Content-Length: 2\r\n\r\n{}",
      "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n",
    ])
    let log = RuntimeLog(level: .error, now: { Samples.time }, write: { _ in })
    let connection = try #require(RuntimeConnection(address: "127.0.0.1:\(api.port)"))
    var loop = RuntimeLoop(connection: connection, log: log, now: { Samples.time })
    var deadline: Timestamp?
    #expect(throws: RuntimeConnection.Failure.self) {
      try loop.run(
        trace: { _ in },
        handle: { _, invocation in
          deadline = invocation.deadline
          return .response([])
        })
    }
    #expect(deadline?.milliseconds == expected ?? Samples.time.milliseconds + 10_000)
  }

  @Test(arguments: ["", "127.0.0.1", "127.0.0.1:x", "a:b:c"])
  func `an address that is none is refused`(address: String) {
    #expect(RuntimeConnection(address: address) == nil)
  }
}
