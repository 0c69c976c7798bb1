import Glibc
import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

/// Users, TLS, pages of other origins, and packed bodies.
@Suite(.serialized) struct WayInTests {
  private static func withUsers(
    _ body: @escaping @Sendable (ServedAgent) async throws -> Void
  ) async throws {
    try await ServedAgent.with(
      prepared: { folder in
        for name in ["reader", "writer", "actor"] {
          try TextFile.write("\(name)-password\n", to: folder / name, mode: 0o600)
        }
        return """
          default_rules: false
          http:
            users:
              - {username: reader, password: '${file:\(folder / "reader")}'}
              - {username: writer, password: '${file:\(folder / "writer")}', may: write}
              - {username: actor, password: '${file:\(folder / "actor")}', may: act}
          """
      }, body)
  }

  @Test func `users come in with a name and a password and do what they may`() async throws {
    try await Self.withUsers { served in
      func ask(_ method: String, _ path: String, _ user: String, _ word: String) async throws -> Int
      {
        let secret = "Basic " + Base64.encode("\(user):\(word)".utf8)
        return try await served.ask(
          method, path,
          headers: ["Authorization": secret, "Content-Type": "application/json"],
          body: method == "POST" ? "{}" : "", withToken: false
        ).status
      }
      #expect(try await ask("GET", "/api/v1/query?query=1", "reader", "reader-password") == 200)
      #expect(try await ask("POST", "/api/v1/query?query=1", "reader", "reader-password") == 200)
      #expect(try await ask("POST", "/api/v1/thaw", "reader", "reader-password") == 403)
      #expect(try await ask("POST", "/api/v1/write", "reader", "reader-password") == 403)
      // It may, but the agent takes no samples from others unless told to.
      #expect(try await ask("POST", "/api/v1/write", "writer", "writer-password") == 404)
      #expect(try await ask("POST", "/api/v1/thaw", "writer", "writer-password") == 403)
      #expect(try await ask("POST", "/api/v1/thaw", "actor", "actor-password") == 200)
      for (user, word) in [("reader", "actor-password"), ("nobody", ""), ("", ""), ("reader", "")] {
        #expect(try await ask("GET", "/api/v1/query?query=1", user, word) == 401)
      }
      let refused = try await served.ask("GET", "/api/v1/query?query=1", withToken: false)
      #expect(refused.headers["www-authenticate"]?.contains("Basic realm") == true)
      #expect(try await served.ask("/api/v1/query?query=1").status == 200)
    }
  }

  @Test func `pages of named origins may read and of others may not`() async throws {
    let text = "default_rules: false\nhttp: {cors: ['https://grafana.example.com']}\n"
    try await ServedAgent.with(text) { served in
      let page = ["Origin": "https://grafana.example.com", "Sec-Fetch-Site": "cross-site"]
      let asked = try await served.ask(
        "OPTIONS", "/api/v1/query", headers: page, withToken: false)
      #expect(asked.status == 204)
      #expect(asked.headers["access-control-allow-origin"] == "https://grafana.example.com")
      #expect(asked.headers["access-control-allow-headers"]?.contains("Authorization") == true)
      let read = try await served.ask("POST", "/api/v1/query?query=1", headers: page)
      #expect(read.status == 200)
      #expect(read.headers["access-control-allow-origin"] == "https://grafana.example.com")
      #expect(read.headers["access-control-allow-credentials"] == nil)
      #expect(
        try await served.ask("POST", "/api/v1/freeze", headers: page, body: "{}").status == 403)
      let other = ["Origin": "https://evil.example.com"]
      #expect(try await served.ask("POST", "/api/v1/query?query=1", headers: other).status == 403)
      let foreign = try await served.ask("GET", "/api/v1/query?query=1", headers: other)
      #expect(foreign.headers["access-control-allow-origin"] == nil)
      #expect(try await served.ask("OPTIONS", "/api/v1/query", headers: other).status == 405)
    }
  }

  @Test(.enabled(if: Requirement.program("curl").isMet, "\(Requirement.program("curl").reason)"))
  func `answers are packed for who takes that, and packed forms are read`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let url = "http://127.0.0.1:\(served.port)/api/v1/series"
      let curl = try #require(Requirement.locate("curl"))
      let common = [curl, "-sS", "-H", "Authorization: Bearer \(served.token)"]
      let packed = try await ChildProgram.run(
        common + ["--compressed", "-D", "-", "-G", "-d", "match[]={job=\"node\"}", url])
      #expect(packed.standardOutput.lowercased().contains("content-encoding: gzip"), "\(packed)")
      #expect(packed.standardOutput.contains(#""__name__":"node_load1""#))
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      let query = "http://127.0.0.1:\(served.port)/api/v1/query"
      func send(_ bytes: [UInt8], _ encoding: String) async throws -> String {
        try TextFile.write(bytes: bytes, to: folder / "body")
        return try await ChildProgram.run(
          common + [
            "-H", "Content-Encoding: \(encoding)", "-w", "%{http_code}", "--data-binary",
            "@\(folder / "body")", query,
          ]
        ).standardOutput
      }
      let form = try #require(Gzip.compress(Array("query=1%2B1&time=4".utf8)))
      #expect(try await send(form, "gzip").contains(#"[4,"2"]}}200"#))
      let bomb = try #require(Gzip.compress([UInt8](repeating: 0x61, count: 64 << 20)))
      #expect(try await send(bomb, "gzip").hasSuffix("413"))
      #expect(try await send(Array(form.dropLast(4)), "gzip").hasSuffix("400"))
      #expect(try await send(form, "br").hasSuffix("415"))
    }
  }

  private static func certificate(_ folder: TemporaryFolder, _ name: String) async throws {
    let openssl = try #require(Requirement.locate("openssl"))
    let made = try await ChildProgram.run([
      openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1",
      "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
    ])
    #expect(made.succeeded, "\(made)")
    chmod(folder / "key.pem", 0o600)
  }

  @Test(
    .enabled(
      if: Requirement.all(.program("openssl"), .program("curl")).isMet,
      "\(Requirement.all(.program("openssl"), .program("curl")).reason)"))
  func `https works, plain text to it does not, and a renewed certificate is taken over`()
    async throws
  {
    try await ServedAgent.with(
      prepared: { folder in
        try await Self.certificate(folder, "first")
        return "default_rules: false\nhttp: {tls: {certificate: cert.pem, key: key.pem}}\n"
      },
      { served in
        let curl = try #require(Requirement.locate("curl"))
        func ask(_ arguments: String...) async throws -> ProgramResult {
          try await ChildProgram.run(
            [curl, "-sS", "--cacert", served.folder / "cert.pem"] + arguments)
        }
        let base = "https://127.0.0.1:\(served.port)"
        let healthy = try await ask("\(base)/-/healthy")
        #expect(healthy.standardOutput == "Lifeguard is healthy.\n", "\(healthy)")
        let token = "Authorization: Bearer \(served.token)"
        let value = try await ask("-H", token, "\(base)/api/v1/query?query=1&time=4")
        #expect(value.standardOutput.contains(#"[4,"1"]"#), "\(value)")

        let plain = try await ask("http://127.0.0.1:\(served.port)/-/healthy")
        #expect(!plain.succeeded && !plain.standardOutput.contains("healthy"))
        #expect(try await ask("--tls-max", "1.1", "\(base)/-/healthy").succeeded == false)

        try await Self.certificate(served.folder, "second")
        #expect(try await ask("\(base)/-/healthy").succeeded == false, "the old one is still used")
        let reload = try await ask("-k", "-X", "POST", "-H", token, "\(base)/-/reload")
        #expect(reload.standardOutput.hasPrefix("reloaded"), "\(reload)")
        #expect(try await ask("\(base)/-/healthy").succeeded)
        try TextFile.write("nothing", to: served.folder / "cert.pem")
        let refused = try await ask("-k", "-X", "POST", "-H", token, "\(base)/-/reload")
        #expect(refused.standardOutput.contains("stays"), "\(refused)")
        #expect(try await ask("-k", "\(base)/-/healthy").succeeded)
      })
  }
}
