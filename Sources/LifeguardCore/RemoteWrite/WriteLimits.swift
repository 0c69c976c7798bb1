/// How much one remote write request may hold; what is beyond is refused with a reason.
public struct WriteLimits: Hashable, Sendable {
  /// Of the body as it is sent.
  public var compressedBytesMax: Int
  /// Of what the body says it becomes; checked before anything is allocated.
  public var bytesMax: Int
  public var seriesMax: Int
  public var samplesMax: Int
  /// Of one series; the metric's name is a label.
  public var labelsMax: Int
  public var nameBytesMax: Int
  public var valueBytesMax: Int
  /// Families whose description is kept from one request.
  public var metadataMax: Int

  public init(
    compressedBytesMax: Int = 10 << 20, bytesMax: Int = 32 << 20, seriesMax: Int = 100_000,
    samplesMax: Int = 1_000_000, labelsMax: Int = 64, nameBytesMax: Int = 1024,
    valueBytesMax: Int = 8192, metadataMax: Int = 10_000
  ) {
    self.compressedBytesMax = compressedBytesMax
    self.bytesMax = bytesMax
    self.seriesMax = seriesMax
    self.samplesMax = samplesMax
    self.labelsMax = labelsMax
    self.nameBytesMax = nameBytesMax
    self.valueBytesMax = valueBytesMax
    self.metadataMax = metadataMax
  }

  /// Prometheus sends at most 2,000 samples a request by default, vmagent 10,000 series.
  public static let standard = WriteLimits()
}
