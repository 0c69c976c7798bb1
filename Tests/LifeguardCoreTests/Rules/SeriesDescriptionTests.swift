import Testing

@testable import LifeguardCore

struct SeriesDescriptionTests {
  @Test(arguments: [
    ("1 2 3", "1 2 3"), ("1+2x3", "1 3 5 7"), ("10-3x2", "10 7 4"), ("-1x2", "-1 -1 -1"),
    ("_ 1 _x2 2", "_ 1 _ _ 2"), ("1 stale 2", "1 stale 2"), ("NaN +Inf -Inf", "NaN +Inf -Inf"),
    (".5 1.", "0.5 1"), ("1e3-1e2x1", "1000 900"), ("", ""), ("5x0", "5"), ("1\n2\t3", "1 2 3"),
  ])
  func `values are read as promtool reads them`(_ values: String, _ expected: String) throws {
    let series = try SeriesDescription(series: "x", values: values)
    let shown = series.points.map { point in
      guard let point else { return "_" }
      return point.isStaleMarker ? "stale" : SampleText.value(point)
    }
    #expect(shown.joined(separator: " ") == expected)
  }

  @Test(arguments: [
    ("x", "x"), ("x{}", "x"), ("{}", "{}"), ("", "{}"),
    (#"x{a="1",b='2',}"#, #"x{a="1", b="2"}"#),
    (#"{"my name", "a b"="\n"}"#, #"my name{a b="\n"}"#),
    (#" x { a = "}" } "#, #"x{a="}"}"#), ("sum{by=`1`}", #"sum{by="1"}"#),
  ])
  func `series are read in every notation`(_ text: String, _ expected: String) throws {
    #expect(try SeriesDescription(series: text, values: "").labels.description == expected)
  }

  @Test(arguments: ["1y", "x", "1+x2", "1x-1", "1x99999999999", "{{schema:1}}", "--1", "1 2,3"])
  func `what is no value is refused`(_ values: String) {
    #expect(throws: SeriesDescriptionError.self) {
      try SeriesDescription(series: "x", values: values)
    }
  }

  @Test(arguments: [
    "x{", "x{a}", "x{a=1}", "x{a=\"1}", "x{a=\"1\" b=\"2\"}", "x y", "x{a=\"1\",a=\"2\"}",
  ])
  func `what is no series is refused`(_ text: String) {
    #expect(throws: SeriesDescriptionError.self) {
      try SeriesDescription(series: text, values: "1")
    }
  }
}
