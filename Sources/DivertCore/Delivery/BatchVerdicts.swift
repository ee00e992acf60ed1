// The answer to a batch → what became of each item (step 9 of the line): the whole by the target's rules, then each by its own result.

/// What came of one item.
package enum ItemVerdict: Sendable, Hashable {
  case judged(Judgement)
  /// The whole was refused, so that none was taken: it goes again with fewer beside it, until the culprit is alone.
  case apart(Judgement)
}

/// What came of one item, and the part of the answer that says so; nil: nothing is said of it alone.
package struct ItemResult: Sendable, Hashable {
  package var verdict: ItemVerdict
  package var part: JSONValue?
  package init(verdict: ItemVerdict, part: JSONValue?) {
    self.verdict = verdict
    self.part = part
  }
}

extension ResponseRules {
  /// - Parameters:
  ///   - whole: what the target's rules made of the answer as a whole.
  ///   - keys: of each item the key by which its result is found, where `match` says so.
  ///   - ambiguous: what the action says of an item of which the answer says nothing.
  package static func judge(
    items keys: [String?], of batch: BatchDefinition, whole: Judgement, _ result: ExchangeResult,
    ambiguous: AmbiguousPolicy, now: Timestamp, patterns: PatternCache
  ) -> [ItemResult] {
    guard case .answered(let answer) = result else {
      return keys.map { _ in ItemResult(verdict: .judged(whole), part: nil) }
    }
    let found = BatchResults(answer, batch, keys, patterns)
    return keys.indices.map { place in
      let part = found.part(of: place)
      if let own = found.judgement(of: place, wholeIsGood: whole.isGood, now) {
        return ItemResult(verdict: .judged(own), part: part)
      }
      let verdict: ItemVerdict =
        whole.isGood
        ? .judged(unknown(answer, ambiguous))
        : whole.outcome == .fail && keys.count > 1 ? .apart(whole) : .judged(whole)
      return ItemResult(verdict: verdict, part: part)
    }
  }

  private static func unknown(_ answer: HTTPAnswer, _ ambiguous: AmbiguousPolicy) -> Judgement {
    let what = "answer \(answer.status) to the batch says nothing of this item"
    return ambiguous == .retry ? Judgement(.retry, Reason("result_missing", what)) : parked(what, ambiguous)
  }
}

extension Judgement {
  fileprivate var isGood: Bool { outcome == .ok || outcome == .okDuplicate }
}

/// Finds the items' results in an answer.
private struct BatchResults {
  private let batch: BatchDefinition
  private let answer: HTTPAnswer
  private let patterns: PatternCache
  private var results: [JSONValue?]
  private var errors: [JSONValue?]

  init(_ answer: HTTPAnswer, _ batch: BatchDefinition, _ keys: [String?], _ patterns: PatternCache) {
    self.batch = batch
    self.answer = answer
    self.patterns = patterns
    var reader = AnswerReader(answer, patterns)
    let json = reader.json()
    let list = json?.value(at: batch.results)?.array
    let failed = batch.errors.flatMap { json?.value(at: $0)?.array } ?? []
    let bare = batch.match.map { match in
      failed.isEmpty && list?.count == keys.count
        && (list ?? []).allSatisfy { $0.values(at: match.result[...]).allSatisfy { $0 == nil } }
    }
    // As many results as items, no error, and not one that says whose it is: one for each.
    if bare == true {
      results = keys.indices.map { list?[$0] }
      errors = keys.map { _ in nil }
    } else if let match = batch.match {
      results = Self.found(keys, in: list ?? [], at: match.result)
      errors = Self.found(keys, in: failed, at: match.error)
    } else {
      // By place only where there is one for each: else nobody knows which is whose.
      results = keys.indices.map { list?.count == keys.count ? list?[$0] : nil }
      errors = keys.map { _ in nil }
    }
  }

  /// The one result that has an item's key; two items with one key have none.
  private static func found(_ keys: [String?], in list: [JSONValue], at path: [String]) -> [JSONValue?] {
    var places: [String: Int] = [:]
    var twice: Set<String> = []
    for (place, key) in keys.enumerated() {
      guard let key else { continue }
      if places.updateValue(place, forKey: key) != nil { twice.insert(key) }
    }
    var found = [JSONValue?](repeating: nil, count: keys.count)
    for one in list {
      for value in one.values(at: path[...]) {
        guard let key = value.map({ EventValue.json($0).text }), !twice.contains(key), let place = places[key] else {
          continue
        }
        found[place] = one
      }
    }
    return found
  }

  func part(of place: Int) -> JSONValue? { errors[place] ?? results[place] }

  /// What the batch's rules make of an item's own result; nil: there is none, or, where the whole is no success, none that a
  /// rule knows.
  func judgement(of place: Int, wholeIsGood: Bool, _ now: Timestamp) -> Judgement? {
    if let error = errors[place] {
      let reason = Reason("rejected", "answer \(answer.status): the target refuses this item of the batch")
      return ruled(error, now) ?? Judgement(.fail, reason)
    }
    guard let result = results[place] else { return nil }
    if let judgement = ruled(result, now) { return judgement }
    return wholeIsGood ? Judgement(.ok, Reason("accepted", "answer \(answer.status), for this item of the batch")) : nil
  }

  private func ruled(_ result: JSONValue, _ now: Timestamp) -> Judgement? {
    var reader = AnswerReader(part: result, of: answer, patterns)
    for rule in batch.each where rule.conditions.allSatisfy({ reader.holds($0) }) {
      return ResponseRules.bounded(ResponseRules.judgement(rule, &reader, now))
    }
    return nil
  }
}
