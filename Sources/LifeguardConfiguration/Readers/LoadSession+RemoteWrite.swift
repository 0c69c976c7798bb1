import LifeguardCore

extension LoadSession {
  /// Each has a thread and a place on disk.
  private static let destinationsMax = 8

  /// `remote_write`.
  func readRemoteWrite(_ items: [Node]) {
    var names: Set<String> = []
    for (index, item) in items.enumerated() {
      guard let reader = SectionReader(item, Schema.remoteWrite, log: log),
        let settings = readDestination(reader, number: index + 1)
      else { continue }
      if !names.insert(settings.name).inserted {
        log.error(
          reader.location(of: "name"),
          "two entries of remote_write are named \(quoted(settings.name)); names tell their"
            + " queues apart")
      }
      configuration.remoteWrite.append(settings)
    }
    guard items.count > LoadSession.destinationsMax, let last = items.last else { return }
    log.error(
      last.location,
      "\"remote_write\" has \(items.count) entries (limit \(LoadSession.destinationsMax))")
  }

  private func readDestination(_ reader: SectionReader, number: Int) -> RemoteWriteSettings? {
    let url = readAddress("url", reader, such: "url: 'http://127.0.0.1:9090/api/v1/write'")
    var settings = RemoteWriteSettings(name: "remote-\(number)", url: url ?? Secret(""))
    if let name = reader.word("name"),
      checkName(name, of: "remote_write entry", at: reader.location(of: "name"))
    {
      settings.name = name
    }
    for entry in reader.entries("headers", of: "texts") {
      settings.headers[entry.key] = readHeader(entry)
    }
    settings.access = readAccess(reader)
    settings.relabelling = readRelabelling("write_relabel_configs", reader)
    if let timeout = reader.duration("remote_timeout", maximum: .seconds(600)) {
      settings.timeout = timeout
    }
    if let bytes = reader.bytes("spool_max", minimum: 1 << 20) { settings.spoolBytesMax = bytes }
    if let node = reader["queue_config"] { readQueue(node, &settings) }
    return url == nil ? nil : settings
  }

  private func readQueue(_ node: Node, _ settings: inout RemoteWriteSettings) {
    guard let reader = SectionReader(node, Schema.remoteWriteQueue, log: log) else { return }
    if let count = reader.integer("capacity", in: 1000...1_000_000_000) {
      settings.capacity = count
    }
    if let count = reader.integer("max_samples_per_send", in: 1...100_000) {
      settings.samplesPerSend = count
    }
    if let deadline = reader.duration("batch_send_deadline", maximum: .seconds(300)) {
      settings.batchDeadline = deadline
    }
    if let backoff = reader.duration("min_backoff") { settings.backoffMin = backoff }
    if let backoff = reader.duration("max_backoff") { settings.backoffMax = backoff }
    if settings.backoffMin > settings.backoffMax {
      log.error(
        reader.location(of: reader.has("min_backoff") ? "min_backoff" : "max_backoff"),
        "\"min_backoff\" is \(DurationFormat.text(settings.backoffMin)), more than"
          + " \"max_backoff\" of \(DurationFormat.text(settings.backoffMax))")
    }
    if let retries = reader.bool("retry_on_http_429") {
      settings.retriesTooManyRequests = retries
    }
  }
}
