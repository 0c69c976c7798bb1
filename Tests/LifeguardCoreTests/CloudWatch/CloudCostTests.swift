import LifeguardCore
import Testing

@Suite struct CloudCostTests {
  @Test func `a metric costs by the set of dimensions, a request by the thousand`() {
    let cost = CloudCost(CloudUse(metrics: 6, dimensionSets: 2))
    #expect(cost.customMetrics == 12)
    #expect(cost.requests == 43_800)
    #expect(abs(cost.metricDollars - 3.60) < 1e-9)
    #expect(abs(cost.requestDollars - 0.438) < 1e-9)
    #expect(cost.logDollars == 0 && cost.logLines == 0)
    #expect(abs(cost.dollars - 4.038) < 1e-9)
  }

  @Test func `high resolution costs more only by the requests that it fills`() {
    let calm = CloudUse(metrics: 6, dimensionSets: 1)
    let fine = CloudUse(metrics: 6, dimensionSets: 1, resolution: .seconds(1))
    #expect(CloudCost(fine).requests == CloudCost(calm).requests)
    // 60 data a metric and minute: 17 metrics are more than a request holds.
    let wide = CloudUse(metrics: 17, dimensionSets: 1, resolution: .seconds(1))
    #expect(CloudCost(wide).requests == 2 * CloudCost(calm).requests)
    let hurried = CloudUse(
      metrics: 6, dimensionSets: 1, resolution: .seconds(1), sendEvery: .seconds(1))
    #expect(CloudCost(hurried).requests == 60 * CloudCost(calm).requests)
  }

  @Test func `a slow resolution makes fewer requests`() {
    let use = CloudUse(
      metrics: 6, dimensionSets: 1, resolution: .seconds(300), sendEvery: .seconds(60))
    #expect(CloudCost(use).requests == 8760)
  }

  @Test func `lines are counted with what CloudWatch adds to them`() {
    let use = CloudUse(metrics: 0, dimensionSets: 0, lineBytes: 174, lineEvery: .seconds(60))
    let cost = CloudCost(use)
    #expect(cost.requests == 0 && cost.customMetrics == 0)
    #expect(cost.logLines == 43_800)
    #expect(abs(cost.logGigabytes - 0.00876) < 1e-9)
    #expect(abs(cost.dollars - 0.00438) < 1e-9)
  }
}
