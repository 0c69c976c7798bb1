import LifeguardCore
import Testing

@Suite struct SampleTextTests {
  @Test(arguments: [
    (1e21, "1000000000000000000000"), (1e-7, "0.0000001"), (-0.0, "-0"), (1.5, "1.5"),
    (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (123_456_789, "123456789"),
    (0.1 + 0.2, "0.30000000000000004"),
  ])
  func `scalars are written as plain decimals`(value: Double, text: String) {
    #expect(SampleText.scalar(value) == text)
  }

  @Test(arguments: [
    (1e21, "1e+21"), (999_999_999_999_999_868_928, "999999999999999900000"), (1e-7, "1e-07"),
    (1e-6, "0.000001"), (0, "0"), (-0.0, "-0"), (1.5e300, "1.5e+300"),
    (.leastNonzeroMagnitude, "5e-324"),
    (.nan, "NaN"), (-2, "-2"),
  ])
  func `samples get an exponent only at the ends of the range`(value: Double, text: String) {
    #expect(SampleText.value(value) == text)
  }

  @Test(arguments: [
    (3, "3e+00"), (0, "0e+00"), (-0.25, "-2.5e-01"), (1e100, "1e+100"), (.infinity, "+Inf"),
  ])
  func `alerts always get an exponent`(value: Double, text: String) {
    #expect(SampleText.alert(value) == text)
  }

  @Test(arguments: [
    (1500, "1.500", "1.5"), (1000, "1", "1"), (1001, "1.001", "1.001"), (-1, "-0.001", "-0.001"),
    (1_700_000_000_050, "1700000000.050", "1700000000.05"),
  ])
  func `times are seconds`(milliseconds: Int64, vector: String, scalar: String) {
    let time = Timestamp(milliseconds: milliseconds)
    #expect(SampleText.timestamp(time) == vector)
    #expect(SampleText.scalarTimestamp(time) == scalar)
  }
}
