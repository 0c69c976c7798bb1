import Glibc
import LifeguardCore
import Synchronization
import Testing

@testable import LifeguardHost

/// Holds a thread up until the test has seen what it wanted to see.
private final class Gate: Sendable {
  private let state = Mutex(false)
  var isOpen: Bool { state.withLock { $0 } }
  func open() { state.withLock { $0 = true } }
}

@Suite struct EvidenceCollectorTests {
  @Test func `a service's sockets, stacks and files are in its evidence, its secrets are not`()
    async throws
  {
    let host = try Processes()
    let threads = try BlockingThreads()
    let server = try CannedServer(.silent)
    defer {
      server.stop()
      threads.stop()
      host.end()
    }
    setenv("LIFEGUARD_EVIDENCE_SECRET", "hunter2-in-the-environment", 1)
    let collector = EvidenceCollector(runner: host.runner, threads: threads)
    let own = try #require(ProcessIdentity.current(pid: getpid()))
    let bundle = await collector.collect(
      EvidenceCollector.Subject(processes: [own], topProcesses: { "1.0 web" }),
      within: .seconds(20))
    #expect(bundle["top processes"]?.text == "1.0 web")
    let sockets = try #require(bundle["sockets"]?.text)
    #expect(sockets.contains("127.0.0.1:\(server.port) → 0.0.0.0:0 LISTEN queue 0 of 128"))
    #expect(try #require(bundle["stacks"]?.text).contains("thread "))
    #expect(try #require(bundle["open files"]?.text).contains("Max open files"))
    #expect(try #require(bundle["memory"]?.text).contains("MemAvailable"))
    #expect(try #require(bundle["processes"]?.text).contains("exe: /"))
    #expect(bundle.byteCount <= EvidenceBundle.bytesMax)
    for section in bundle.sections {
      #expect(!section.text.contains("hunter2"), "\(section.name)")
    }
  }

  @Test func `a section that hangs is named and holds up nothing`() async throws {
    let host = try Processes()
    let threads = try BlockingThreads()
    defer {
      threads.stop()
      host.end()
    }
    let gate = Gate()
    defer { gate.open() }
    let script = host.script("journalctl", "echo early; sleep 300")
    let collector = EvidenceCollector(
      runner: host.runner, threads: threads, systemctl: ["/no/such/systemctl"],
      journalctl: [script])
    let subject = EvidenceCollector.Subject(
      unit: "web.service",
      topProcesses: {
        while !gate.isOpen { usleep(1000) }
        return "late"
      })
    let bundle = await collector.collect(subject, within: .milliseconds(300))
    #expect(bundle.duration < .seconds(20))
    #expect(bundle["top processes"]?.note == "not collected within 0.3 seconds")
    #expect(bundle["journal"]?.text == "early\n")
    #expect(bundle["journal"]?.note?.contains("timed out") == true)
    #expect(bundle["unit"]?.note?.contains("could not start") == true)
    #expect(bundle["memory"]?.note == nil)
  }

  @Test func `a flood of text is cut to the newest and stays below the limit`() async throws {
    let host = try Processes()
    let threads = try BlockingThreads()
    defer {
      threads.stop()
      host.end()
    }
    let collector = EvidenceCollector(runner: host.runner, threads: threads)
    let subject = EvidenceCollector.Subject(
      topProcesses: { String(repeating: "é", count: 1 << 20) + "END" })
    let bundle = await collector.collect(subject, within: .seconds(20))
    let section = try #require(bundle["top processes"])
    #expect(section.text.hasSuffix("éEND"))
    #expect(section.text.utf8.count <= EvidenceCollector.sectionBytesMax)
    #expect(section.note?.hasPrefix("the first ") == true)
    #expect(bundle.byteCount <= EvidenceBundle.bytesMax)
  }

  @Test func `a process that has ended is said to have ended`() async throws {
    let gone = ProcessIdentity(pid: getpid(), startTicks: 1)
    #expect(ProcessEvidence.status(of: [gone]) == "pid \(getpid()): has ended\n")
  }

  @Test func `kernel messages and socket rows are written for people`() throws {
    let record = Array("6,339,5140900,-;eth0: link up\n SUBSYSTEM=net\n".utf8)
    #expect(KernelMessages.format(record[...]) == "[5] eth0: link up")
    #expect(SocketEvidence.Row.address("0100007F:0050") == "127.0.0.1:80")
    #expect(
      SocketEvidence.Row.address("00000000000000000000000001000000:1F90") == "[::1]:8080")
    #expect(SocketEvidence.Row.address("xyz") == nil)
  }
}
