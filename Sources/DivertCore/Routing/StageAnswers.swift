// What came of a stage's request (step 9 of the line, for all but a delivery's own): the memo advances, or the delivery is judged
// like an attempt.

/// What came of it.
package enum StageOutcome: Sendable, Hashable {
  /// The memo has learnt something: once it is stored the next stage follows.
  case onward
  /// Nobody knows whether it arrived, and the memo says so: the target is asked this long from now.
  case uncertain(after: Span)
  /// The delivery's own answer.
  case ended(Judgement)
  /// An attempt that failed, at the request's target.
  case failed(Judgement)
}

extension StageRequest {
  /// Reads a result that the target's response rules have judged.
  /// - Parameter memo: learns what the answer gives; also where it failed it may have changed.
  package func settle(
    _ result: ExchangeResult, _ judgement: Judgement, patterns: PatternCache, memo: inout DeliveryMemo
  ) -> StageOutcome {
    switch purpose {
    case .delivery: deliver(judgement, &memo)
    case .step(let step): finish(step, result, judgement, &memo)
    case .lookup(let lookup): find(lookup, result, judgement, &memo)
    case .create(let lookup): create(lookup, result, judgement, &memo)
    case .verify(let verify): verify.settle(result, judgement, patterns, wanted.map(\.text), &memo)
    }
  }

  private func deliver(_ judgement: Judgement, _ memo: inout DeliveryMemo) -> StageOutcome {
    guard judgement.outcome == .park, action.ambiguous == .verify, let verify = action.verify else {
      return .ended(judgement)
    }
    memo.isUncertain = true
    return .uncertain(after: verify.after)
  }

  private func finish(
    _ step: StepDefinition, _ result: ExchangeResult, _ judgement: Judgement, _ memo: inout DeliveryMemo
  ) -> StageOutcome {
    guard judgement.outcome.isOK, case .answered(let answer) = result else { return .failed(judgement) }
    memo.steps[step.name] = .object(answer.json?.fields(step.request.fields) ?? JSONObject())
    return .onward
  }

  private func find(
    _ lookup: LookupDefinition, _ result: ExchangeResult, _ judgement: Judgement, _ memo: inout DeliveryMemo
  ) -> StageOutcome {
    guard case .answered(let answer) = result, judgement.outcome.isOK || answer.saysAbsent(judgement) else {
      // A question leaves nothing of which nobody knows.
      return .failed(judgement.outcome == .park ? Judgement(.retry, judgement.reason) : judgement)
    }
    switch lookup.read(answer, wanted: wanted) {
    case .found(let fields):
      memo.lookups[lookup.name] = .object(fields)
      memo.asked[lookup.name] = nil
      return .onward
    case .none:
      memo.asked[lookup.name] = place + 1
      return .onward
    case .fault(let reason): return .failed(Judgement(.fail, reason))
    }
  }

  private func create(
    _ lookup: LookupDefinition, _ result: ExchangeResult, _ judgement: Judgement, _ memo: inout DeliveryMemo
  ) -> StageOutcome {
    guard judgement.outcome.isOK, case .answered(let answer) = result else {
      // It may have been created: it is looked for again before it is created once more.
      if judgement.outcome == .retry { memo.asked[lookup.name] = nil }
      return .failed(judgement)
    }
    let fields = answer.json?.fields(action.fields) ?? JSONObject()
    if !fields.members.isEmpty {
      memo.lookups[lookup.name] = .object(fields)
      memo.asked[lookup.name] = nil
      return .onward
    }
    if judgement.outcome == .okDuplicate {
      memo.asked[lookup.name] = nil
      let sentence = "\(lookup.name) was created by somebody else meanwhile: it is looked for again"
      return .failed(Judgement(.retry, Reason("lookup_created", sentence)))
    }
    let sentence = "the answer of \(target).\(action.name), which creates \(lookup.name), has none of its fields"
    return .failed(Judgement(.fail, Reason("lookup_unreadable", sentence)))
  }
}

extension VerifyDefinition {
  fileprivate func settle(
    _ result: ExchangeResult, _ judgement: Judgement, _ patterns: PatternCache, _ texts: [String],
    _ memo: inout DeliveryMemo
  ) -> StageOutcome {
    if case .answered(let answer) = result {
      var reader = AnswerReader(answer, patterns)
      let body = String(decoding: answer.body, as: UTF8.self)
      if landed.allSatisfy({ reader.holds($0) }), texts.allSatisfy({ body.contains($0) }) {
        let sentence = "no answer had come to the request; the target was asked and says that it arrived"
        return .ended(Judgement(.ok, Reason("verified", sentence)))
      }
      if judgement.outcome.isOK, landed.contains(where: \.readsJSON), !answer.isBlank, answer.json == nil {
        // A page in its place (a proxy's, a notice of maintenance) is no answer.
        let sentence = "the answer to the question whether it arrived is no JSON, or is cut off"
        return .failed(Judgement(.retry, Reason("verify_unreadable", sentence)))
      }
      if judgement.outcome.isOK || answer.saysAbsent(judgement) {
        memo.isUncertain = false
        return .onward
      }
    }
    // Not to know is no reason to give up before `retry` is used up.
    let unclear = judgement.outcome == .fail || judgement.outcome == .park
    return .failed(unclear ? Judgement(.retry, judgement.reason) : judgement)
  }
}

extension ResponseCondition {
  fileprivate var readsJSON: Bool {
    switch self {
    case .json, .items: true
    case .oneOf(let conditions): conditions.contains(where: \.readsJSON)
    case .status, .header, .text: false
    }
  }
}

extension HTTPAnswer {
  /// The body as JSON; nil where it is none.
  fileprivate var json: JSONValue? { try? JSONValue.parse(body) }

  /// A 404 that no rule of the target reads as trouble of its own.
  fileprivate func saysAbsent(_ judgement: Judgement) -> Bool { status == 404 && judgement.outcome == .fail }
}

extension AttemptOutcome {
  /// The target did what it was asked for.
  package var isOK: Bool { self == .ok || self == .okDuplicate }
}

// MARK: - Lookups' answers

/// What an answer says to a lookup's question.
package enum LookupReading: Sendable, Hashable {
  case found(JSONObject)
  case none
  /// It cannot be used: the delivery is dead.
  case fault(Reason)
}

extension LookupDefinition {
  /// Reads an answer that the target's rules let pass, or a 404.
  /// - Parameter wanted: what an item must have to be meant, rendered.
  package func read(_ answer: HTTPAnswer, wanted: [(path: [String], text: String)] = []) -> LookupReading {
    if answer.status == 404 || answer.status == 204 || answer.isBlank { return .none }
    guard let json = try? JSONValue.parse(answer.body) else {
      return .fault(Reason("lookup_unreadable", "the answer to the lookup \(name) is no JSON, or is cut off"))
    }
    guard let items else {
      let found = json.fields(fields)
      return found.members.isEmpty ? .none : .found(found)
    }
    guard let list = json.value(at: items)?.array else { return .none }
    let meant = list.filter { item in wanted.allSatisfy { item.has($0.text, at: $0.path) } }
    return choose(meant)
  }

  private func choose(_ items: [JSONValue]) -> LookupReading {
    guard let first = items.first else { return .none }
    if items.count == 1 { return .found(first.fields(fields)) }
    switch many {
    case .first: return .found(first.fields(fields))
    case .newest(let path): return .found((items.max { $0.isOlder(than: $1, by: path) } ?? first).fields(fields))
    case .fail:
      let sentence = "\(items.count) were found for the lookup \(name), and `many: fail` takes one alone"
      return .fault(Reason("lookup_many", sentence))
    }
  }
}

extension HTTPAnswer {
  fileprivate var isBlank: Bool { body.allSatisfy { $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 } }
}

extension JSONValue {
  /// The values at the fields' paths; what is missing, null or empty is left out.
  package func fields(_ fields: [AnswerField]) -> JSONObject {
    JSONObject(
      fields.compactMap { field in
        guard let value = value(at: field.path), !EventValue.json(value).isMissing else { return nil }
        return JSONObject.Member(key: field.name, value: value)
      })
  }

  fileprivate func has(_ text: String, at path: [String]) -> Bool {
    guard let value = value(at: path) else { return false }
    return EventValue.json(value).text.lowercased() == text.lowercased()
  }

  /// Moments and numbers as such, else as text; what has no value is older than anything.
  fileprivate func isOlder(than other: JSONValue, by path: [String]) -> Bool {
    guard let theirs = other.value(at: path) else { return false }
    guard let mine = value(at: path) else { return true }
    if case .number(let a) = mine, case .number(let b) = theirs { return (JSONNumber.compare(a, b) ?? 0) < 0 }
    let (a, b) = (EventValue.json(mine).text, EventValue.json(theirs).text)
    if let first = Timestamp(iso8601: a), let second = Timestamp(iso8601: b) { return first < second }
    return a < b
  }
}
