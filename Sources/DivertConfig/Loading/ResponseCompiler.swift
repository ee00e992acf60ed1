// `responses:` → ResponseRules.
import DivertCore

extension LoadContext {
  func responses(_ node: YAMLNode) -> [ResponseRule] {
    list(node, "'responses'").compactMap(response)
  }

  private func response(_ node: YAMLNode) -> ResponseRule? {
    guard let fields = fields(node, .response) else { return nil }
    let outcome = fields["then"].flatMap { choice($0, "'then'", Language.outcomes) }
      .flatMap(AttemptOutcome.init(rawValue:))
    var conditions = fields["status"].map(statuses) ?? []
    conditions += fields["header"].map(answerHeaders) ?? []
    if let text = fields["text"] {
      conditions += plain(comparisons(text, .init(name: "text", kind: .text)), text) { .text($0) }
    }
    conditions += fields["json"].map { paths($0, .one) } ?? []
    conditions += fields["any"].map { paths($0, .any) } ?? []
    conditions += fields["every"].map { paths($0, .every) } ?? []
    let isBare = !fields.entries.contains { Language.responseConditions.contains($0.key) }
    if isBare, fields.isWhole {
      error("no_condition", node.place, "a response rule without a condition matches every answer", "add 'status:'")
    }
    let wait = fields["wait"].flatMap(wait)
    if wait != nil, let outcome, !Language.waitingOutcomes.contains(outcome.rawValue),
      let place = fields.entry("wait")?.keyPlace
    {
      error(
        "contradictory", place, "'wait' means nothing beside 'then: \(outcome.rawValue)'",
        "for retry, throttle and hold")
    }
    let because = fields["because"].flatMap { text($0, "'because'") }
    return outcome.map { ResponseRule(conditions: conditions, then: $0, wait: wait, because: because) }
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
      return plain(comparisons(entry.value, .init(name: entry.key, kind: .text)), entry.value) { .header(name, $0) }
    }
  }

  private func paths(_ node: YAMLNode, _ quantifier: ResponseCondition.Quantifier) -> [ResponseCondition] {
    named(node, "a response rule's JSON paths", strict: false).flatMap { entry -> [ResponseCondition] in
      guard let steps = path(entry.key, entry.keyPlace, quantifier) else { return [] }
      let comparisons = comparisons(entry.value, .init(name: entry.key, kind: .json))
      return plain(comparisons, entry.value) { .json(steps, quantifier, $0) }
    }
  }

  private func path(_ text: String, _ place: Place, _ quantifier: ResponseCondition.Quantifier) -> [String]? {
    guard let steps = JSONPath.steps(text) else {
      error("bad_path", place, "'\(text)' is no path into JSON", "such as data.0.id")
      return nil
    }
    let stars = steps.count { $0 == "*" }
    if quantifier == .one, stars > 0 {
      error("bad_path", place, "a path with '*' stands under 'any' or 'every'", "any: { \(text): … }")
      return nil
    }
    if quantifier != .one, stars != 1 {
      error(
        "bad_path", place, "'\(quantifier.rawValue)' takes a path with one '*' for the items", "such as data.*.status")
      return nil
    }
    return steps
  }

  // A rule's conditions are an AND; an OR of texts would need more than its type can say.
  private func plain(_ comparisons: [[Comparison]], _ node: YAMLNode, _ make: (Comparison) -> ResponseCondition)
    -> [ResponseCondition]
  {
    if comparisons.contains(where: { $0.count > 1 }) {
      error(
        "not_supported", node.place, "a list is not supported yet here", "write one rule for each, or 'matches: a|b'")
    }
    return comparisons.flatMap { $0 }.map(make)
  }

  private func wait(_ node: YAMLNode) -> WaitSource? {
    guard node.entries != nil else {
      if let text = node.text, Language.waitHeader.contains(text) { return .retryAfter }
      return duration(node, "'wait'").map { .fixed($0) }
    }
    guard let fields = fields(node, .wait) else { return nil }
    let unit = fields["unit"].flatMap { choice($0, "'unit'", Language.waitUnits) }.flatMap(WaitSource.WaitUnit.init)
    let sources = fields.entries.filter { $0.key != "unit" }
    guard let source = sources.first, sources.count == 1 else {
      error("contradictory", node.place, "'wait' takes one of header, json and midnight")
      return nil
    }
    switch source.key {
    case "header": return text(source.value, "'header'").map { .header($0.lowercased(), unit ?? .seconds) }
    case "midnight": return zone(source.value, "'midnight'").map { .midnight(zone: $0) }
    default:
      guard let text = text(source.value, "'json'") else { return nil }
      return path(text, source.value.place, .one).map { .json($0, unit ?? .seconds) }
    }
  }
}
