import LifeguardCore

/// An expression with what its names and values stand for.
///
/// ```swift
/// DynamoExpression("attribute_not_exists(#k) OR #e < :now",
///   names: ["#k": "key", "#e": "expires"], values: [":now": .integer(now)])
/// ```
public struct DynamoExpression: Hashable, Sendable {
  public var text: String
  public var names: [String: String]
  public var values: [String: DynamoValue]

  /// An expression from its parts.
  public init(
    _ text: String, names: [String: String] = [:], values: [String: DynamoValue] = [:]
  ) {
    self.text = text
    self.names = names
    self.values = values
  }
}

/// What became of a write.
public enum DynamoWrite: Hashable, Sendable {
  /// Done; the attributes that were asked for.
  case written(DynamoItem)
  /// The condition does not hold; the item as it is, where the service sends it.
  case refused(current: DynamoItem?)
}

/// What a write returns.
public enum DynamoReturn: String, Sendable {
  case none = "NONE"
  case allOld = "ALL_OLD"
  case allNew = "ALL_NEW"
  case updatedNew = "UPDATED_NEW"
}

/// DynamoDB.
public struct DynamoDB: Sendable {
  let client: AWSClient

  /// An item by its key, nil when there is none.
  ///
  /// - Parameter isConsistent: sees every write that was done before.
  public func getItem(
    _ table: String, key: DynamoItem, isConsistent: Bool = true
  ) async throws(AWSError) -> DynamoItem? {
    let answer = try await client.json(
      .dynamoDB, "GetItem",
      [
        "TableName": .string(table), "Key": DynamoValue.json(key),
        "ConsistentRead": .bool(isConsistent),
      ], repeatable: true)
    return answer["Item"].map(DynamoValue.item)
  }

  /// Writes a whole item, if the condition holds.
  ///
  /// - Parameter repeatable: whether the write is tried again when its answer was lost. Left out:
  ///   only without a condition. A repeated write with a condition would meet its own first try and
  ///   report `refused`; so the error says `mayHaveBeenDone`, and the caller reads the item.
  public func putItem(
    _ table: String, _ item: DynamoItem, condition: DynamoExpression? = nil,
    returning: DynamoReturn = .none, repeatable: Bool? = nil
  ) async throws(AWSError) -> DynamoWrite {
    var input = JSONObject()
    input["TableName"] = .string(table)
    input["Item"] = DynamoValue.json(item)
    return try await write(
      "PutItem", input, nil, condition, returning, repeatable ?? (condition == nil))
  }

  /// Changes attributes of an item, if the condition holds; makes the item when there is none.
  ///
  /// - Parameter repeatable: whether doing it twice is the same as doing it once; an update that
  ///   counts is not.
  public func updateItem(
    _ table: String, key: DynamoItem, _ update: DynamoExpression,
    condition: DynamoExpression? = nil, returning: DynamoReturn = .none, repeatable: Bool = false
  ) async throws(AWSError) -> DynamoWrite {
    var input = JSONObject()
    input["TableName"] = .string(table)
    input["Key"] = DynamoValue.json(key)
    input["UpdateExpression"] = .string(update.text)
    return try await write("UpdateItem", input, update, condition, returning, repeatable)
  }

  /// Removes an item, if the condition holds; see `putItem` about repeating.
  public func deleteItem(
    _ table: String, key: DynamoItem, condition: DynamoExpression? = nil,
    returning: DynamoReturn = .none, repeatable: Bool? = nil
  ) async throws(AWSError) -> DynamoWrite {
    var input = JSONObject()
    input["TableName"] = .string(table)
    input["Key"] = DynamoValue.json(key)
    return try await write(
      "DeleteItem", input, nil, condition, returning, repeatable ?? (condition == nil))
  }

  private func write(
    _ action: String, _ input: JSONObject, _ update: DynamoExpression?,
    _ condition: DynamoExpression?, _ returning: DynamoReturn, _ repeatable: Bool
  ) async throws(AWSError) -> DynamoWrite {
    var input = input
    var names = update?.names ?? [:]
    var values = update?.values ?? [:]
    if let condition {
      input["ConditionExpression"] = .string(condition.text)
      input["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
      names.merge(condition.names) { $1 }
      values.merge(condition.values) { $1 }
    }
    if !names.isEmpty {
      input["ExpressionAttributeNames"] = .object(
        JSONObject(names.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }))
    }
    if !values.isEmpty { input["ExpressionAttributeValues"] = DynamoValue.json(values) }
    if returning != .none { input["ReturnValues"] = .string(returning.rawValue) }
    do {
      let answer = try await client.json(
        .dynamoDB, action, .object(input), repeatable: repeatable)
      return .written(answer["Attributes"].map(DynamoValue.item) ?? [:])
    } catch {
      // After an attempt without an answer, what is there may be this very write.
      guard error.kind == .conditionFailed, !error.mayHaveBeenDone else { throw error }
      return .refused(current: error.body?["Item"].map(DynamoValue.item))
    }
  }
}
