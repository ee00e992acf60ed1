// Time and memory that read well and do nothing: promises that no event can keep, counts of everything, keys that are never there.
import DivertCore

extension RouteWarnings {
  /// `frame`: what holds where the route matches.
  func checkMemory(_ route: Route, _ entry: YAMLNode.Entry, _ frame: RouteFrame) {
    if let expect = route.expect, let node = entry.value["expect"] { check(expect, node, frame) }
    checkAlone(route.otherwise, entry.value["expect"]?["else"], frame)
    let places = (entry.value["when"]?.entries("count") ?? [])
    for (term, place) in zip(route.when.counts, places) { check(term, place, frame) }
    if let once = route.once, let place = entry.value.entry("once")?.keyPlace {
      checkKey(once.per, at: entry.value["per"]?.place ?? place, in: frame.cases, "'once' limits nothing")
    }
  }

  private func check(_ expect: ExpectDefinition, _ node: YAMLNode, _ frame: RouteFrame) {
    guard let awaited = context.books[expect.book]?.condition, let when = node.entry("when") else { return }
    checkArrives(awaited, when.keyPlace, "nothing can keep this promise")
    let same = node["same"]?.place ?? when.keyPlace
    checkKey(expect.same, at: same, in: judge.judge(awaited).mayHold, "nothing can keep this promise")
    checkKey(expect.same, at: same, in: frame.cases, "no promise is opened")
  }

  private func check(_ term: CountTerm, _ place: YAMLNode.Entry, _ frame: RouteFrame) {
    if let book = context.books[term.book], book.condition.terms.isEmpty {
      context.warn(
        "counts_everything", place.keyPlace,
        "this counts events of every kind: nothing beside it or above it says which",
        "say which: { event: CALL_REJECTED, count: … }")
    }
    checkKey(term.per, at: place.value["per"]?.place ?? place.keyPlace, in: frame.cases, "nothing is counted")
  }

  func checkTiming(_ send: Send, _ item: YAMLNode, _ frame: RouteFrame) {
    if let unless = send.timing.unless, let node = item.entry("unless"), let book = context.books[unless.book] {
      checkArrives(book.condition, node.keyPlace, "this 'unless' keeps nothing back")
      let same = node.value["same"]?.place ?? node.keyPlace
      checkKey(unless.same, at: same, in: judge.judge(book.condition).mayHold, "this 'unless' keeps nothing back")
      checkKey(unless.same, at: same, in: frame.cases, "this 'unless' keeps nothing back")
    }
    if let throttle = send.timing.throttle, let node = item.entry("throttle") {
      checkKey(
        throttle.per, at: node.value["per"]?.place ?? node.keyPlace, in: frame.cases, "this 'throttle' limits nothing")
    }
  }

  /// Whether any event can match what is waited for; of names that nobody knows it is said as well.
  private func checkArrives(_ awaited: Condition, _ place: Place, _ consequence: String) {
    let cases = judge.judge(awaited).mayHold
    if cases.isEmpty || conflicts.excludes(Conjunction(), awaited) {
      context.warn(
        "never_arrives", place, "'\(awaited.words)' holds for no event: \(consequence)",
        "mend the condition; docs/routes.md lists the events' fields")
      return
    }
    guard let names = awaited.eventNames, !names.isEmpty, names.isDisjoint(with: KnownValues.events),
      !names.contains(where: { NearestName.to($0, among: KnownValues.events) != nil })
    else { return }
    let list = names.sorted().joined(separator: " or ")
    context.warn(
      "never_arrives", place, "no source is known to send \(list): \(consequence) unless one does",
      "the events that are known: CALL_ACCEPTED, CALL_OUTGOING_INITIATED, MESSAGE_RECEIVED …")
  }

  /// A key that none of these kinds of event carries.
  private func checkKey(_ key: Template, at place: Place, in cases: CaseSet, _ consequence: String) {
    guard case .field(let field)? = key.single?.path, !cases.isEmpty, cases.isWithin(.without(field)) else { return }
    context.warn(
      "impossible_field", place, "'\(field.rawValue)' is never there for \(cases.phrase): \(consequence)",
      "use a field that it carries, such as customer.phone")
  }
}

extension YAMLNode {
  /// The entries of this key in it, and in what stands under its `any` and `not`, in order.
  fileprivate func entries(_ key: String) -> [Entry] {
    (entries ?? []).flatMap { entry -> [Entry] in
      switch entry.key {
      case key: [entry]
      case "any": (entry.value.items ?? []).flatMap { $0.entries(key) }
      case "not": entry.value.entries(key)
      default: []
      }
    }
  }
}
