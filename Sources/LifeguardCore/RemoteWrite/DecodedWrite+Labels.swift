extension DecodedWrite {
  /// The labels of a series, checked: a name, nothing twice, valid UTF-8, within the limits.
  ///
  /// Unsorted labels are sorted and empty ones dropped, as Prometheus does.
  public func labels(
    of series: Series, limits: WriteLimits = .standard
  ) throws(LabelFault) -> Labels {
    var found: [Label] = []
    found.reserveCapacity(12)
    do {
      try bytes.withUnsafeBufferPointer { raw throws(Interruption) in
        guard let start = raw.baseAddress else { return }
        let base = UnsafeRawPointer(start)
        var reader = ProtobufReader(base, series.labels)
        while !reader.isAtEnd {
          guard found.count < limits.labelsMax else {
            throw .fault(LabelFault("a series has more than \(limits.labelsMax) labels"))
          }
          found.append(try Self.label(base, &reader, limits))
        }
      }
    } catch {
      switch error {
      case .fault(let fault): throw fault
      case .wire(let failure): throw LabelFault(failure.description)
      }
    }
    return try Self.checked(found)
  }

  private enum Interruption: Error {
    case fault(LabelFault)
    case wire(ProtobufReader.Failure)
  }

  private static func label(
    _ base: UnsafeRawPointer, _ reader: inout ProtobufReader, _ limits: WriteLimits
  ) throws(Interruption) -> Label {
    var name: Range<Int>?
    var value: Range<Int>?
    do throws(ProtobufReader.Failure) {
      _ = try reader.field()
      var inner = ProtobufReader(base, try reader.range())
      while !inner.isAtEnd {
        let (number, type) = try inner.field()
        switch (number, type) {
        case (1, .bytes): name = try inner.range()
        case (2, .bytes): value = try inner.range()
        default: try inner.skip(type)
        }
      }
    } catch {
      throw .wire(error)
    }
    return Label(
      name: try text(base, name, limits.nameBytesMax, "name"),
      value: try text(base, value, limits.valueBytesMax, "value"))
  }

  private static func text(
    _ base: UnsafeRawPointer, _ range: Range<Int>?, _ limit: Int, _ what: String
  ) throws(Interruption) -> String {
    guard let range else { return "" }
    guard range.count <= limit else {
      throw .fault(
        LabelFault("a label's \(what) has \(range.count) bytes (limit \(limit))"))
    }
    let raw = UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw .fault(LabelFault("a label's \(what) is not valid UTF-8"))
    }
    return text
  }

  /// The rules for labels, in the words of Prometheus' remote write handler.
  private static func checked(_ labels: [Label]) throws(LabelFault) -> Labels {
    var sorted = labels
    let isSorted = zip(sorted, sorted.dropFirst()).allSatisfy { pair in
      pair.0.name.utf8.lexicographicallyPrecedes(pair.1.name.utf8)
    }
    if !isSorted { sorted.sort() }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.name == next.name {
      throw LabelFault(
        "invalid labels for series, labels \(Labels(sorted)), duplicated label \(one.name)")
    }
    if sorted.contains(where: { $0.value.isEmpty }) { sorted.removeAll { $0.value.isEmpty } }
    guard !sorted.contains(where: { $0.name.isEmpty }) else {
      throw LabelFault("invalid metric name or labels, got \(Labels(sorted)): a name is empty")
    }
    let result = Labels(sortedUnique: sorted)
    guard !result.metric.isEmpty else {
      throw LabelFault("invalid metric name or labels, got \(result): the metric has no name")
    }
    return result
  }
}
