// What a delivery was given and has done so far: on disk before the next request, so that a retry neither asks another
// question nor repeats a finished step.

/// The memory of a delivery that goes out in stages.
package struct DeliveryMemo: Sendable, Hashable {
  /// Lookups' answers by their full name: an object of fields; null where nothing was found and the delivery goes on.
  package var lookups: [String: JSONValue]
  /// How many variants of a lookup were asked and found nothing, by its full name; a lookup without variants has one.
  package var asked: [String: Int]
  /// Finished steps' fields by the step's name; null for one that was left out.
  package var steps: [String: JSONValue]
  /// Its guards were judged, and said yes.
  package var isCleared: Bool
  /// The last attempt is ambiguous: the target is asked whether it arrived before it is sent again.
  package var isUncertain: Bool
  /// Answers that other deliveries of its event were given, as a claim found them. Not stored with this one, and no part of it.
  package var siblings: [String: JSONValue] = [:]

  package init() {
    lookups = [:]
    asked = [:]
    steps = [:]
    isCleared = false
    isUncertain = false
  }

  /// Lookups that are answered and steps that are finished.
  package var gains: Int { lookups.count + steps.count }

  /// Nothing is remembered: none is stored.
  package var isEmpty: Bool {
    lookups.isEmpty && asked.isEmpty && steps.isEmpty && !isCleared && !isUncertain
  }
}

extension DeliveryMemo {
  /// As a row and a dead letter hold it: `{"lookups": {…}, "asked": {…}, "steps": {…}, "cleared": true, "uncertain": true}`,
  /// without what is empty.
  package var json: JSONValue {
    var object = JSONObject()
    if !lookups.isEmpty { object.members.append(.init(key: "lookups", value: Self.object(lookups))) }
    if !asked.isEmpty {
      object.members.append(.init(key: "asked", value: Self.object(asked.mapValues { .number($0) })))
    }
    if !steps.isEmpty { object.members.append(.init(key: "steps", value: Self.object(steps))) }
    if isCleared { object.members.append(.init(key: "cleared", value: true)) }
    if isUncertain { object.members.append(.init(key: "uncertain", value: true)) }
    return .object(object)
  }

  private static func object(_ named: [String: JSONValue]) -> JSONValue {
    .object(JSONObject(named.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: $0.value) }))
  }

  /// Reads what `json` writes; nil where it is something else.
  package init?(json: JSONValue) {
    guard let object = json.object else { return nil }
    self.init()
    for member in object.members {
      switch (member.key, member.value) {
      case ("lookups", .object(let named)): lookups = Self.named(named)
      case ("asked", .object(let named)): asked = Self.named(named).compactMapValues { $0.integer.map { Int($0) } }
      case ("steps", .object(let named)): steps = Self.named(named)
      case ("cleared", .bool(let flag)): isCleared = flag
      case ("uncertain", .bool(let flag)): isUncertain = flag
      default: return nil
      }
    }
  }

  private static func named(_ object: JSONObject) -> [String: JSONValue] {
    Dictionary(object.members.map { ($0.key, $0.value) }) { $1 }
  }

  /// What a replay begins with: finished steps are never repeated, and conditions that were judged not judged again (those that a
  /// lookup's failure left open are); lookups are asked anew, and an ambiguous attempt is the operator's decision.
  package var forReplay: DeliveryMemo {
    var memo = DeliveryMemo()
    memo.steps = steps
    memo.isCleared = isCleared
    return memo
  }
}

extension DeliveryMemo {
  /// The value of a `lookup` or `step` path; nil: missing, or another kind of path.
  package func value(_ path: ValuePath) -> EventValue? {
    let found: JSONValue? =
      switch path {
      case .lookup(let name, let steps): lookups[name]?.value(at: steps)
      case .step(let name, let steps): self.steps[name]?.value(at: steps)
      default: nil
      }
    return found.map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
  }
}
