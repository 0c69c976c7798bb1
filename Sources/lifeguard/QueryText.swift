import LifeguardCore
import LifeguardServer

/// A query's answer for people.
struct QueryText {
  /// Warnings and infos.
  var remarks: [String] = []
  var lines: [String] = []

  /// - Parameter answer: of Prometheus' API, with `data`, `warnings` and `infos`.
  init(_ answer: JSON) {
    for kind in ["warnings", "infos"] {
      remarks += (answer[kind]?.array ?? []).compactMap(\.string).map { Printable.text($0) }
    }
    let data = answer["data"] ?? .null
    guard case .array(let rows) = data["result"] ?? .null else { return }
    if data["resultType"]?.string == "scalar" || data["resultType"]?.string == "string" {
      lines = [Printable.text(rows.last?.string ?? "")]
      return
    }
    if rows.isEmpty { lines = ["Nothing matches."] }
    for row in rows {
      let labels = Labels(
        (row["metric"]?.object?.members ?? []).map {
          Label(name: $0.key, value: $0.value.string ?? "")
        })
      let name = Printable.text(labels.description)
      if let value = row["value"] {
        lines.append("\(name) \(Printable.text(value[1]?.string ?? ""))")
        continue
      }
      lines.append(name)
      for value in row["values"]?.array ?? [] {
        let time = value[0]?.double.map { Timestamp(seconds: $0).text } ?? ""
        lines.append("  \(time) \(Printable.text(value[1]?.string ?? ""))")
      }
    }
  }
}
