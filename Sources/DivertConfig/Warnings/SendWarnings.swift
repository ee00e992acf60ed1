// Sends that cannot go well where they stand: a field that is never there, a free text after the time for it, the same
// message twice.
import DivertCore

extension RouteWarnings {
  /// `frame`: what holds where the send's route matches; it learns of the send.
  func check(_ send: Send, _ item: YAMLNode, _ frame: inout RouteFrame) {
    checkTwice(send, item, &frame)
    checkAlone(send, item, frame)
  }

  /// What does not depend on the route's other sends.
  func checkAlone(_ send: Send, _ item: YAMLNode, _ frame: RouteFrame) {
    checkFields(send, item, frame)
    checkWindow(send, item, frame)
    checkLoop(send, item, frame)
    checkTiming(send, item, frame)
    checkAlone(send.timing.otherwise, item["otherwise"], frame)
  }

  /// `node`: the list that `sends` were made from.
  func checkAlone(_ sends: [Send], _ node: YAMLNode?, _ frame: RouteFrame) {
    guard let items = node?.items, items.count == sends.count else { return }
    for (send, item) in zip(sends, items) { checkAlone(send, item, frame) }
  }

  private func checkTwice(_ send: Send, _ item: YAMLNode, _ frame: inout RouteFrame) {
    let message = SentMessage(send)
    guard let first = frame.sent[message] else {
      frame.sent[message] = SentPlace(route: send.route, item: item)
      return
    }
    // A label says that it is meant.
    if first.route == send.route, item["as"] != nil { return }
    let reason = first.route == send.route ? "this route sends it already" : "route '\(first.route)' sends it already"
    context.warn(
      "sent_twice", place(item), "'\(send.target).\(send.action)' is sent twice for the same event: \(reason)",
      "remove one of the two", notes: [.init(place(first.item), "the first is here")])
  }

  private func checkWindow(_ send: Send, _ item: YAMLNode, _ frame: RouteFrame) {
    guard let actions = context.targets[send.target]?.actions, let window = actions[send.action]?.window else { return }
    if send.timing.after >= window {
      context.warn(
        "window_not_open", place(item),
        "'\(send.target).\(send.action)' is allowed only within \(window.duration) after the customer last wrote or called: "
          + "'after: \(send.timing.after.duration)' is later", "send it earlier, or as a template")
      return
    }
    let closed = frame.cases.isWithin(.unopened) ? frame.cases : frame.certain & .unopened
    guard !closed.isEmpty else { return }
    let others = actions.filter { $0.value.definition.toPerson && $0.value.window == nil }.keys.sorted()
    let other = others.first.map { "use \(send.target).\($0), which may be sent at any time, or " } ?? ""
    context.warn(
      "window_not_open", place(item),
      "'\(send.target).\(send.action)' is allowed only within \(window.duration) after the customer last wrote or called: "
        + "\(closed.phrase) does not count", other + "narrow 'when'")
  }

  /// Where the item names its action.
  func place(_ item: YAMLNode) -> Place {
    item.entries?.first { $0.key.contains(".") }?.keyPlace ?? item.place
  }
}

// Fields that are never there.
extension RouteWarnings {
  private func checkFields(_ send: Send, _ item: YAMLNode, _ frame: RouteFrame) {
    let given = send.arguments.flatMap(\.value.templates).reduce(into: Set<EventField>()) { $0.formUnion($1.needed) }
    for field in given.sorted(by: { $0.rawValue < $1.rawValue }) {
      guard let cases = lacking(field, frame) else { continue }
      let argument = item.entries?.first { $0.key.contains(".") }?.value
      context.warn(
        "impossible_field", argument.flatMap { use(of: field, in: $0) } ?? place(item), complaint(field, cases, frame),
        "{{ \(field.rawValue)? }} leaves it out, {{ \(field.rawValue) | default: … }} fills it in")
    }
    for field in needs(of: send).subtracting(given).sorted(by: { $0.rawValue < $1.rawValue }) {
      guard let cases = lacking(field, frame) else { continue }
      context.warn(
        "impossible_field", place(item),
        "'\(send.target).\(send.action)' needs a field: " + complaint(field, cases, frame),
        "write {{ \(field.rawValue)? }} in the action, or send something else here")
    }
  }

  private func complaint(_ field: EventField, _ cases: CaseSet, _ frame: RouteFrame) -> String {
    if (cases & CaseSet.without(field)).isEmpty {
      return "'\(field.rawValue)' is missing where this route matches, as 'when' says: this delivery would always fail"
    }
    let always = frame.cases.isWithin(cases) ? "this delivery would always fail" : "for it this delivery would fail"
    return "'\(field.rawValue)' is never there for \(cases.phrase): \(always)"
  }

  /// The kinds of event that certainly get here without the field; nil: there are none, or it cannot be known.
  private func lacking(_ field: EventField, _ frame: RouteFrame) -> CaseSet? {
    if conflicts.excludes(frame.terms, .value(.field(field), .exists(true))) { return frame.cases }
    let absent = CaseSet.without(field)
    if frame.cases.isWithin(absent) { return frame.cases }
    // A route for all sorts of events is not asked about each of them.
    let lacking = frame.certain & absent
    return frame.cases.isOpen || lacking.isEmpty ? nil : lacking
  }

  /// The fields without which the action's request cannot be made, those of its arguments' defaults included.
  private func needs(of send: Send) -> Set<EventField> {
    guard let target = context.targets[send.target], let action = target.actions[send.action] else { return [] }
    let given = Set(send.arguments.map(\.key))
    let defaults = action.definition.arguments.filter { !given.contains($0.name) }.compactMap(\.fallback)
    let key = "\(send.target).\(send.action)"
    let fixed =
      needs[key]
      ?? (action.definition.templates + (target.definition.headers + target.definition.query).map(\.value)
      + [target.definition.base]).reduce(into: Set<EventField>()) { $0.formUnion($1.needed) }
    needs[key] = fixed
    let asked = send.lookups.compactMap { context.lookupDefinitions[$0] }.flatMap(\.request.templates)
    return (defaults.flatMap(\.templates) + asked).reduce(into: fixed) { $0.formUnion($1.needed) }
  }

  /// Where a template in the tree needs the field.
  private func use(of field: EventField, in node: YAMLNode) -> Place? {
    switch node.content {
    case .sequence(let items): return items.lazy.compactMap { self.use(of: field, in: $0) }.first
    case .mapping(let entries): return entries.lazy.compactMap { self.use(of: field, in: $0.value) }.first
    case .scalar(let text, _):
      guard case .success(let template) = Template.parse(text, in: context.sendScope), template.needed.contains(field),
        let range = text.firstRange(of: field.rawValue)
      else { return nil }
      let offset = text[..<range.lowerBound].unicodeScalars.count
      return ScalarText.place(of: node, offset: offset, length: field.rawValue.unicodeScalars.count)
    }
  }
}

extension Template {
  /// The event's fields without which it is a fault.
  fileprivate var needed: Set<EventField> {
    var needed: Set<EventField> = []
    for case .expression(let expression) in parts {
      guard case .field(let field) = expression.path, !expression.optional,
        !expression.filters.contains(where: { $0.filter == .default })
      else { continue }
      needed.insert(field)
    }
    return needed
  }
}
