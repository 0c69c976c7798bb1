import LifeguardCore

/// Pressure stall information from `/proc/pressure` (Documentation/accounting/psi.rst).
///
/// `some` is time in which at least one task waited, `full` time in which all of them did; the
/// kernel counts microseconds.
struct PressureCollector: Collector {
  private struct Resource {
    var file: ProcFile
    var some: Figure?
    var full: Figure?
    var isRequired: Bool
  }

  private var resources: [Resource]

  init(_ context: CollectorContext) {
    func counter(_ name: String, _ help: String) -> Figure {
      Figure(.counter("node_pressure_\(name)_seconds_total", help))
    }
    resources = [
      Resource(
        file: context.file("proc/pressure/cpu"),
        some: counter(
          "cpu_waiting", "Total time in seconds that processes have waited for CPU time"),
        full: nil, isRequired: true),
      Resource(
        file: context.file("proc/pressure/io"),
        some: counter(
          "io_waiting", "Total time in seconds that processes have waited due to IO congestion"),
        full: counter(
          "io_stalled",
          "Total time in seconds no process could make progress due to IO congestion"),
        isRequired: true),
      Resource(
        file: context.file("proc/pressure/memory"),
        some: counter(
          "memory_waiting", "Total time in seconds that processes have waited for memory"),
        full: counter(
          "memory_stalled",
          "Total time in seconds no process could make progress due to memory congestion"),
        isRequired: true),
      Resource(
        file: context.file("proc/pressure/irq"), some: nil,
        full: counter(
          "irq_stalled",
          "Total time in seconds no process could make progress due to IRQ congestion"),
        isRequired: false),
    ]
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    for index in resources.indices {
      do {
        try read(&resources[index], into: &scrape)
      } catch {
        // Time lost to interrupts is known from Linux 6.1 on, and only where it is configured.
        if resources[index].isRequired { throw isDisabled(error) }
      }
    }
  }

  /// A kernel booted with `psi=0` has the files but refuses to read them (EOPNOTSUPP).
  private func isDisabled(_ error: CollectorError) -> CollectorError {
    if case .unavailable(_, 95) = error { return .absent(what: "pressure stall information") }
    return error
  }

  private func read(
    _ resource: inout Resource, into scrape: inout Scrape
  ) throws(CollectorError) {
    var content = try resource.file.read()
    var found = false
    while var line = content.line() {
      let kind = line.word()
      var total: UInt64?
      while !line.isAtEnd {
        let word = line.word()
        if word.isEmpty { break }
        guard word.hasPrefix("total=") else { continue }
        var digits = ByteCursor(Bytes(rebasing: word[6...]))
        total = digits.unsigned()
      }
      guard let total else {
        throw .malformed(path: resource.file.path, reason: "a line without \"total=\"")
      }
      let seconds = Double(total) / 1000 / 1000
      if kind.equals("some") { resource.some?.write(seconds, to: &scrape) }
      if kind.equals("full") { resource.full?.write(seconds, to: &scrape) }
      found = true
    }
    guard found else { throw .malformed(path: resource.file.path, reason: "the file is empty") }
  }
}
