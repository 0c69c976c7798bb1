import LifeguardCore
import Testing

/// Every action of Prometheus' relabelling; the cases restate those of `relabel_test.go`.
@Suite struct RelabelRuleTests {
  private func rule(
    _ action: RelabelRule.Action, _ sources: [String] = [], _ pattern: String = "(.*)",
    target: String = "", replacement: String = "$1", separator: String = ";", modulus: UInt64 = 0
  ) throws -> RelabelRule {
    RelabelRule(
      action: action, sourceLabels: sources, separator: separator,
      expression: try RegularExpression(pattern), modulus: modulus, targetLabel: target,
      replacement: replacement)
  }

  /// nil when it is dropped.
  private func apply(_ rules: [RelabelRule], _ labels: Labels) -> Labels? {
    var labels = labels
    return rules.apply(to: &labels) ? labels : nil
  }

  private let labels: Labels = ["a": "foo", "b": "bar", "c": "baz"]

  @Test func `replace takes groups, and does nothing when the expression does not match`() throws {
    #expect(
      try apply([rule(.replace, ["a"], "f(.*)", target: "d", replacement: "ch${1}-ch${1}")], labels)
        == ["a": "foo", "b": "bar", "c": "baz", "d": "choo-choo"])
    #expect(
      try apply(
        [rule(.replace, ["a", "b"], "f(.*);(.*)r", target: "a", replacement: "b${1}${2}m")],
        labels) == ["a": "boobam", "b": "bar", "c": "baz"])
    #expect(
      try apply([rule(.replace, ["a"], "nothing", target: "d", replacement: "x")], labels) == labels
    )
  }

  @Test func `an empty result removes the label, and the target may be made from groups`() throws {
    #expect(
      try apply([rule(.replace, ["a"], ".*", target: "a", replacement: "")], labels)
        == ["b": "bar", "c": "baz"])
    #expect(
      try apply([rule(.replace, ["a"], "(f)(.*)", target: "${1}_$2", replacement: "v")], labels)
        == ["a": "foo", "b": "bar", "c": "baz", "f_oo": "v"])
  }

  @Test func `keep and drop look at the joined values`() throws {
    #expect(try apply([rule(.drop, ["a"], ".*o.*")], labels) == nil)
    #expect(try apply([rule(.drop, ["a"], "f")], labels) == labels)
    #expect(try apply([rule(.keep, ["a", "b"], "foo/bar", separator: "/")], labels) == labels)
    #expect(try apply([rule(.keep, ["a"], "no-match")], labels) == nil)
    #expect(try apply([rule(.drop, ["missing"], "")], labels) == nil)
  }

  @Test func `keepequal and dropequal compare with the target`() throws {
    let pair: Labels = ["__tmp_port": "1234", "__port1": "1234", "__port2": "5678"]
    #expect(try apply([rule(.dropequal, ["__tmp_port"], target: "__port1")], pair) == nil)
    #expect(try apply([rule(.dropequal, ["__tmp_port"], target: "__port2")], pair) == pair)
    #expect(try apply([rule(.keepequal, ["__tmp_port"], target: "__port1")], pair) == pair)
    #expect(try apply([rule(.keepequal, ["__tmp_port"], target: "__port2")], pair) == nil)
  }

  @Test func `hashmod is Prometheus' own`() throws {
    #expect(
      try apply([rule(.hashmod, ["c"], target: "d", modulus: 1000)], labels)
        == ["a": "foo", "b": "bar", "c": "baz", "d": "976"])
    // Longer than a block of MD5.
    #expect(
      try apply([rule(.hashmod, ["a"], target: "d", modulus: 1000)], ["a": "foo\nbar"])
        == ["a": "foo\nbar", "d": "734"])
  }

  @Test func `labelmap copies, labeldrop and labelkeep choose by name`() throws {
    let map: Labels = ["a": "foo", "b1": "bar", "b2": "baz"]
    #expect(
      try apply([rule(.labelmap, [], "(b.*)", replacement: "bar_${1}")], map)
        == ["a": "foo", "b1": "bar", "b2": "baz", "bar_b1": "bar", "bar_b2": "baz"])
    #expect(try apply([rule(.labeldrop, [], "(b.*)")], map) == ["a": "foo"])
    #expect(try apply([rule(.labelkeep, [], "(b.*)")], map) == ["b1": "bar", "b2": "baz"])
  }

  @Test func `lowercase and uppercase`() throws {
    #expect(
      try apply(
        [rule(.lowercase, ["x"], target: "low"), rule(.uppercase, ["x"], target: "up")],
        ["x": "bAr123Foo"]) == ["x": "bAr123Foo", "low": "bar123foo", "up": "BAR123FOO"])
  }

  @Test func `an expression that makes others hang is linear here`() throws {
    let text = String(repeating: "a", count: 5000)
    #expect(try apply([rule(.keep, ["a"], "(a+)+b")], ["a": text]) == nil)
  }
}
