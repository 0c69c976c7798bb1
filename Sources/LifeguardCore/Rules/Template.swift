/// A text with `{{ … }}` in the form of Prometheus' templates. (Stand-in until the engine lands.)
public struct Template: Hashable, Sendable {
  public let text: String
  public init(parsing text: String) throws(TemplateError) { self.text = text }
  public func render(_ context: TemplateContext) -> String { text }
}
public struct TemplateContext: Sendable {
  public var labels: Labels
  public var externalLabels: Labels
  public var value: Double
  /// What `$name` other than labels, externalLabels and value stands for (plain strings).
  public var variables: [String: String]
  public init(
    labels: Labels, value: Double = .nan, externalLabels: Labels = Labels(),
    variables: [String: String] = [:]
  ) {
    self.labels = labels
    self.value = value
    self.externalLabels = externalLabels
    self.variables = variables
  }
}
public struct TemplateError: Error, Hashable, Sendable {
  public var message: String
  /// From the start of the text, from 0, in UTF-8 bytes.
  public var offset: Int
}
