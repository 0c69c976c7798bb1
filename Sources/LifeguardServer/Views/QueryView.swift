import LifeguardCore

/// A query's result in the form of Prometheus' HTTP API
/// (prometheus.io/docs/prometheus/latest/querying/api).
enum QueryView {
  static func json(_ result: QueryResult, at time: Timestamp) -> JSON {
    switch result.value {
    case .scalar(let value):
      return ["resultType": "scalar", "result": point(time, SampleText.value(value))]
    case .string(let text): return ["resultType": "string", "result": point(time, text)]
    case .vector(let elements):
      let rows = elements.map { element -> JSON in
        ["metric": labels(element.labels), "value": point(time, SampleText.value(element.value))]
      }
      return ["resultType": "vector", "result": .array(rows)]
    case .matrix(let series):
      let rows = series.map { series -> JSON in
        let values = series.samples.map { point($0.timestamp, SampleText.value($0.value)) }
        return ["metric": labels(series.labels), "values": .array(values)]
      }
      return ["resultType": "matrix", "result": .array(rows)]
    }
  }

  private static func point(_ time: Timestamp, _ text: String) -> JSON {
    [.number(time.seconds), .string(text)]
  }

  private static func labels(_ labels: Labels) -> JSON {
    .object(JSONObject(labels.map { ($0.name, .string($0.value)) }))
  }
}
