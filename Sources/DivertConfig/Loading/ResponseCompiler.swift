// `responses:` → ResponseRules: conditions, outcome. Where a wait comes from is in WaitCompiler.swift.
import DivertCore

extension LoadContext {
  func responses(_ node: YAMLNode) -> [ResponseRule] {
    list(node, "'responses'").compactMap(response)
  }

  private func response(_ node: YAMLNode) -> ResponseRule? {
    guard let fields = fields(node, .response) else { return nil }
    let outcome = fields["then"].flatMap { choice($0, "'then'", Language.outcomes) }
      .flatMap(AttemptOutcome.init(rawValue:))
    let isBare = !fields.entries.contains { Language.responseConditions.contains($0.key) }
    if isBare, fields.isWhole {
      error("no_condition", node.place, "a response rule without a condition matches every answer", "add 'status:'")
    }
    let conditions = conditions(of: fields)
    let wait = fields["wait"].flatMap(wait)
    if wait != nil, let outcome, !Language.waitingOutcomes.contains(outcome.rawValue),
      let place = fields.entry("wait")?.keyPlace
    {
      error(
        "contradictory", place, "'wait' means nothing beside 'then: \(outcome.rawValue)'",
        "for retry, throttle and hold")
    }
    let because = fields["because"].flatMap { text($0, "'because'") }
    guard let outcome else { return nil }
    var rule = ResponseRule(conditions: conditions, then: outcome, wait: wait?.source, because: because)
    rule.waitAtLeast = wait?.atLeast
    rule.waitAtMost = wait?.atMost
    return rule
  }

  /// What a mapping says of an answer: `status`, `header`, `text`, `json`, `any`, `every`.
  func conditions(of fields: Fields) -> [ResponseCondition] {
    var conditions = fields["status"].map(statuses) ?? []
    conditions += fields["header"].map(answerHeaders) ?? []
    if let text = fields["text"] {
      conditions += joined(comparisons(text, .init(name: "text", kind: .text))) { .text($0) }
    }
    conditions += fields["json"].map(paths) ?? []
    conditions += fields["any"].map { items($0, .any) } ?? []
    conditions += fields["every"].map { items($0, .every) } ?? []
    return conditions
  }

  private func statuses(_ node: YAMLNode) -> [ResponseCondition] {
    let ranges = oneOrMore(node).compactMap { item -> ClosedRange<Int>? in
      guard let text = text(item, "'status'") else { return nil }
      if let range = SmallGrammar.statuses(text) { return range }
      error("bad_status", item.place, "'\(text)' is no HTTP status", "write 404, 2xx or 500-504")
      return nil
    }
    return ranges.isEmpty ? [] : [.status(ranges)]
  }

  private func answerHeaders(_ node: YAMLNode) -> [ResponseCondition] {
    named(node, "'header'", strict: false).flatMap { entry in
      let name = entry.key.lowercased()
      return joined(comparisons(entry.value, .init(name: entry.key, kind: .text))) { .header(name, $0) }
    }
  }

  /// Operators are an AND; what stands in a list behind one is an OR.
  private func joined(
    _ comparisons: [[Comparison]], _ make: (Comparison) -> ResponseCondition
  ) -> [ResponseCondition] {
    comparisons.map { $0.count == 1 ? make($0[0]) : .oneOf($0.map(make)) }
  }
}

// Paths into JSON.
extension LoadContext {
  private func paths(_ node: YAMLNode) -> [ResponseCondition] {
    named(node, "a response rule's JSON paths", strict: false).flatMap { entry -> [ResponseCondition] in
      guard let steps = path(entry.key, entry.keyPlace) else { return [] }
      return joined(comparisons(entry.value, .init(name: entry.key, kind: .json))) { .json(steps, $0) }
    }
  }

  /// Paths with `*`. Those with the same steps in front of it speak of the same items.
  private func items(_ node: YAMLNode, _ quantifier: ResponseCondition.Quantifier) -> [ResponseCondition] {
    var lists: [(path: [String], conditions: [ResponseCondition])] = []
    for entry in named(node, "a response rule's JSON paths", strict: false) {
      guard let steps = path(entry.key, entry.keyPlace, quantifier), let star = steps.firstIndex(of: "*") else {
        continue
      }
      let comparisons = comparisons(entry.value, .init(name: entry.key, kind: .json))
      let inner = within(steps[(star + 1)...], quantifier, comparisons)
      let path = Array(steps[..<star])
      if let place = lists.firstIndex(where: { $0.path == path }) {
        lists[place].conditions += inner
      } else {
        lists.append((path, inner))
      }
    }
    return lists.map { .items($0.path, quantifier, $0.conditions) }
  }

  /// The conditions on an item: at a path within it, or on the items of a list in it.
  private func within(
    _ steps: ArraySlice<String>, _ quantifier: ResponseCondition.Quantifier, _ comparisons: [[Comparison]]
  ) -> [ResponseCondition] {
    guard let star = steps.firstIndex(of: "*") else { return joined(comparisons) { .json(Array(steps), $0) } }
    return [.items(Array(steps[..<star]), quantifier, within(steps[(star + 1)...], quantifier, comparisons))]
  }

  /// Without a quantifier a path to one value; with one, a path to items.
  func path(_ text: String, _ place: Place, _ quantifier: ResponseCondition.Quantifier? = nil) -> [String]? {
    guard let steps = JSONPath.steps(text) else {
      error("bad_path", place, "'\(text)' is no path into JSON", "such as data.0.id")
      return nil
    }
    let hasStar = steps.contains("*")
    if quantifier == nil, hasStar {
      error("bad_path", place, "a path with '*' stands under 'any' or 'every'", "any: { \(text): … }")
      return nil
    }
    if let quantifier, !hasStar {
      error(
        "bad_path", place, "'\(quantifier.rawValue)' takes a path with a '*' for the items", "such as data.*.status")
      return nil
    }
    return steps
  }
}
