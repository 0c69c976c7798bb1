import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardServer
import Logging
import Synchronization

@testable import TestSupport

/// A real agent in a private folder, served on a free port and a socket.
struct ServedAgent: Sendable {
  let runtime: AgentRuntime
  let folder: TemporaryFolder
  let port: Int
  let socketPath: String
  let token: String
  /// The path of the link that signs a browser in.
  let signInPath: String

  var agent: Agent { runtime.agent }

  struct CouldNotServe: Error, CustomStringConvertible {
    var description: String
  }

  /// Runs `body` beside the agent and ends the agent after it.
  static func with(
    _ configuration: String = "mode: auto\ndefault_rules: false\n",
    _ body: @escaping @Sendable (ServedAgent) async throws -> Void
  ) async throws {
    try await with(prepared: { _ in configuration }, body)
  }

  /// The same with a configuration that names files of the folder.
  static func with(
    prepared configuration: (TemporaryFolder) async throws -> String,
    _ body: @escaping @Sendable (ServedAgent) async throws -> Void
  ) async throws {
    await agentsAtOnce.enter()
    defer { agentsAtOnce.leave() }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let file = folder / "lifeguard.yaml"
    try TextFile.write(try await configuration(folder), to: file)
    chmod(file, 0o600)
    let data = try folder.makeFolder("data", mode: 0o700)
    let loader = ConfigurationLoader(files: .system, environment: { _ in nil }, user: geteuid())
    let load: @Sendable () -> LoadedConfiguration = { loader.load(mainFile: file) }
    let loaded = load()
    guard let settings = loaded.configuration else {
      throw CouldNotServe(description: "\(loaded.problems)")
    }
    let logger = TestLogger.quiet
    let hands = try LocalHands(
      tools: try HandsTools(), configuration: settings, childLogs: "\(data)/children", load: load,
      isStopped: AgentRuntime.killSwitch(data), topProcesses: { "" })
    let runtime = try AgentRuntime(
      settings,
      AgentRuntime.Options(
        dataDirectory: data, configurationFile: file, version: "test", hands: hands, load: load),
      logger: logger)
    var http = settings.http
    http.port = 0
    let server = try APIServer(
      agent: runtime.agent,
      ServerSettings(http, socketPath: "\(data)/sock", dataDirectory: data), logger: logger)
    try await serve(runtime, server, folder, body)
  }

  private static func serve(
    _ runtime: AgentRuntime, _ server: APIServer, _ folder: TemporaryFolder,
    _ body: @escaping @Sendable (ServedAgent) async throws -> Void
  ) async throws {
    let (started, starting) = AsyncStream.makeStream(of: APIServer.Listening.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { starting.finish() }
        try await server.run { starting.yield($0) }
      }
      var listenings = started.makeAsyncIterator()
      guard let listening = await listenings.next() else {
        try await group.next()
        return
      }
      group.addTask { try await runtime.run() }
      guard await eventually({ await runtime.agent.isReady }),
        let colon = listening.address.lastIndex(of: ":"),
        let port = Int(listening.address[listening.address.index(after: colon)...]),
        let slash = listening.signInLink.firstRange(of: "/sign-in")?.lowerBound
      else { throw CouldNotServe(description: "the agent takes no turns") }
      let served = ServedAgent(
        runtime: runtime, folder: folder, port: port, socketPath: listening.socketPath,
        token: try TextFile.read(folder / "data/token").filter { $0 != "\n" },
        signInPath: String(listening.signInLink[slash...]))
      do {
        try await body(served)
      } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
      while !group.isEmpty {
        // Only the cancellation itself comes here.
        _ = try? await group.next()
      }
    }
  }

  /// Asks over TCP, with the token unless told otherwise.
  func ask(
    _ method: String = "GET", _ path: String, headers: [String: String] = [:], body: String = "",
    withToken: Bool = true
  ) async throws -> HTTPAnswer {
    var fields = headers
    if withToken { fields["Authorization"] = fields["Authorization"] ?? "Bearer \(token)" }
    fields["Host"] = fields["Host"] ?? "127.0.0.1:\(port)"
    fields["Connection"] = "close"
    if !body.isEmpty || method == "POST" { fields["Content-Length"] = "\(body.utf8.count)" }
    var head = "\(method) \(path) HTTP/1.1\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    let connection = try RawConnection(port: port)
    await connection.send(head + "\r\n" + body)
    return try HTTPExchange.parse(Array(await connection.receive().utf8))
  }

  /// The member `data` of an answer.
  func data(_ path: String) async throws -> JSON {
    try JSON.parse(Array(try await ask(path).body.utf8))["data"] ?? .null
  }

  func ask(_ path: String) async throws -> HTTPAnswer { try await ask("GET", path) }

  func command(_ name: String, _ body: String) async throws -> HTTPAnswer {
    try await ask(
      "POST", "/api/v1/\(name)", headers: ["Content-Type": "application/json"], body: body)
  }

  /// Waits until this host's load is known: collectors come one after another at a start.
  func isSampled() async -> Bool {
    await eventually {
      let now = await agent.now().wall
      return try await agent.query("node_load1 and node_load5", at: now).value != .vector([])
    }
  }

  /// The whole answer of Prometheus' API, asked with a form.
  func form(_ path: String, _ fields: [(String, String)]) async throws -> HTTPAnswer {
    let body = fields.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
    return try await ask(
      "POST", path, headers: ["Content-Type": "application/x-www-form-urlencoded"], body: body)
  }

  /// The same asked with the address.
  func get(_ path: String, _ fields: [(String, String)]) async throws -> HTTPAnswer {
    let query = fields.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
    return try await ask("GET", query.isEmpty ? path : "\(path)?\(query)")
  }

  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte) || "-._~".utf8.contains(byte)
      if isPlain {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return result
  }
}

/// Every agent has a dozen threads and looks at the whole host each second: a few at once finish
/// sooner than all of them.
private let agentsAtOnce = Turnstile(4)

/// Lets a bounded number through at once, in the order in which they came.
private final class Turnstile: Sendable {
  private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

  init(_ places: Int) { state = Mutex((places, [])) }

  func enter() async {
    await withCheckedContinuation { continuation in
      let mayEnter = state.withLock { state in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if mayEnter { continuation.resume() }
    }
  }

  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if !state.waiting.isEmpty { return state.waiting.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
