import LifeguardAWS
import LifeguardCore

/// The state table in DynamoDB: one item for the fleet's state, one for each claimed event.
///
/// ```
/// pk            attributes
/// state#FLEET   version N · document S · writer S · frozen S (an operator's brake)
/// claim#KEY     holder S · lease N · outcome S · exp N (time to live)
/// ```
///
/// Expiry is compared in conditions: DynamoDB deletes late, by days at worst.
struct DynamoTable: StateTable {
  let table: String
  let fleet: String
  let client: AWSClient

  var isDurable: Bool { true }

  func within(_ limit: Duration) -> any StateTable {
    DynamoTable(table: table, fleet: fleet, client: client.ending(after: limit))
  }

  private var database: DynamoDB { client.dynamoDB }

  private var stateKey: DynamoItem { ["pk": .string("state#\(fleet)")] }

  func load() async throws(StateTableError) -> StoredFleet {
    do throws(AWSError) {
      guard let item = try await database.getItem(table, key: stateKey) else {
        return StoredFleet()
      }
      return StoredFleet(
        version: item["version"]?.integer ?? 0,
        document: Array((item["document"]?.string ?? "").utf8), frozen: item["frozen"]?.string)
    } catch {
      throw failure(error, "reading the fleet's state")
    }
  }

  func save(
    _ document: [UInt8], after version: Int64, by writer: String
  ) async throws(StateTableError) -> Int64? {
    let update = DynamoExpression(
      "SET #version = :next, #document = :document, #writer = :writer",
      names: ["#version": "version", "#document": "document", "#writer": "writer"],
      values: [
        ":next": .integer(version + 1), ":writer": .string(writer),
        ":document": .string(String(decoding: document, as: UTF8.self)),
      ])
    // An operator's brake may have made the item before there was any state.
    let condition =
      version == 0
      ? DynamoExpression("attribute_not_exists(#version)", names: ["#version": "version"])
      : DynamoExpression(
        "#version = :old", names: ["#version": "version"], values: [":old": .integer(version)])
    do throws(AWSError) {
      let answer = try await database.updateItem(
        table, key: stateKey, update, condition: condition)
      if case .written = answer { return version + 1 }
      return nil
    } catch {
      // The answer was lost: the item tells whether the write was not.
      guard error.mayHaveBeenDone else { throw failure(error, "writing the fleet's state") }
      return try await isOurs(version + 1, writer) ? version + 1 : nil
    }
  }

  private func isOurs(_ version: Int64, _ writer: String) async throws(StateTableError) -> Bool {
    do throws(AWSError) {
      let item = try await database.getItem(table, key: stateKey)
      return item?["version"]?.integer == version && item?["writer"]?.string == writer
    } catch {
      throw failure(error, "reading the fleet's state")
    }
  }

  func claim(_ claim: EventClaim) async throws(StateTableError) -> EventClaim.Answer {
    if try await put(claim, over: nil) { return .won }
    guard let item = try await claimItem(claim) else {
      // Deleted in between: nobody has it.
      return try await put(claim, over: nil) ? .won : .held(until: claim.leaseUntil)
    }
    if item["outcome"]?.string != nil { return .done }
    let lease = item["lease"]?.integer ?? 0
    let holder = item["holder"]?.string ?? ""
    let isGone = holder == claim.holder || lease < claim.now.milliseconds
    guard isGone else { return .held(until: Timestamp(milliseconds: lease)) }
    // Of several that find it abandoned, one takes it over.
    return try await put(claim, over: lease) ? .abandoned : .held(until: claim.leaseUntil)
  }

  /// Writes the claim where there is none that counts, or over the abandoned one with this lease.
  private func put(_ claim: EventClaim, over lease: Int64?) async throws(StateTableError) -> Bool {
    let expiry = (claim.now + EventClaim.kept).milliseconds / 1000
    let item: DynamoItem = [
      "pk": .string("claim#\(claim.key)"), "holder": .string(claim.holder),
      "lease": .integer(claim.leaseUntil.milliseconds), "exp": .integer(expiry),
    ]
    let condition =
      lease.map {
        DynamoExpression(
          "#lease = :old AND attribute_not_exists(#outcome)",
          names: ["#lease": "lease", "#outcome": "outcome"], values: [":old": .integer($0)])
      }
      ?? DynamoExpression(
        "attribute_not_exists(pk) OR #exp < :now", names: ["#exp": "exp"],
        values: [":now": .integer(claim.now.milliseconds / 1000)])
    do throws(AWSError) {
      if case .written = try await database.putItem(table, item, condition: condition) {
        return true
      }
      return false
    } catch {
      guard error.mayHaveBeenDone else { throw failure(error, "claiming the event") }
      let found = try await claimItem(claim)
      return found?["holder"]?.string == claim.holder
        && found?["lease"]?.integer == claim.leaseUntil.milliseconds
    }
  }

  private func claimItem(_ claim: EventClaim) async throws(StateTableError) -> DynamoItem? {
    do throws(AWSError) {
      return try await database.getItem(table, key: ["pk": .string("claim#\(claim.key)")])
    } catch {
      throw failure(error, "reading the event's claim")
    }
  }

  func release(_ claim: EventClaim) async throws(StateTableError) {
    do throws(AWSError) {
      _ = try await database.deleteItem(
        table, key: ["pk": .string("claim#\(claim.key)")],
        condition: DynamoExpression(
          "#holder = :holder", names: ["#holder": "holder"],
          values: [":holder": .string(claim.holder)]))
    } catch {
      throw failure(error, "giving the event's claim back")
    }
  }

  func finish(_ claim: EventClaim, outcome: String) async throws(StateTableError) {
    do throws(AWSError) {
      _ = try await database.updateItem(
        table, key: ["pk": .string("claim#\(claim.key)")],
        DynamoExpression(
          "SET #outcome = :outcome", names: ["#outcome": "outcome"],
          values: [":outcome": .string(String(outcome.prefix(1000)))]),
        repeatable: true)
    } catch {
      throw failure(error, "noting the event's outcome")
    }
  }

  private func failure(_ error: AWSError, _ doing: String) -> StateTableError {
    StateTableError(
      description: "\(doing) in the table \(table): \(error)", isRetryable: error.isRetryable)
  }
}
