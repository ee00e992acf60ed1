// Books: what `count`, `unless` and `expect` read. A condition on events alone and a key → a book of the table.
import DivertCore

/// Whose condition is read: not all of them may ask the same.
enum ConditionOwner: Equatable {
  /// A route's `when`: everything.
  case route
  /// A step's `when`: events, lookups, the steps before it.
  case step
  /// `'unless'`, `'expect'`: events alone, which are judged as they come.
  case events(String)

  /// As messages call it.
  var name: String { if case .events(let name) = self { name } else { "'when'" } }
}

extension LoadContext {
  /// The name of the book of events that match the condition, by the key. Equal ones are one, kept for the longest of the spans.
  func book(_ condition: Condition, _ key: Template, span: Span) -> String {
    // What arrives a day late finds its neighbours, however short the window.
    let book = BookDefinition(
      condition: condition, key: key, span: max(span, Language.leastBookSpan), zone: Zone.named(zone) ?? .utc,
      country: country)
    books[book.name] = books[book.name].map { $0.span < book.span ? book : $0 } ?? book
    return book.name
  }

  /// What events belong together by: a path or a template on the event alone; the customer's phone where nothing is given.
  func memoryKey(_ node: YAMLNode?, _ what: String) -> Template {
    guard let node else { return BookDefinition.standardKey }
    guard let template = pathTemplate(node, what, TemplateScope(now: false)) else { return BookDefinition.standardKey }
    if template.paths.contains(.field(.id)) {
      let message = "\(what) cannot be 'id': each event has an id of its own, so nothing would belong together"
      error("bad_key", node.place, message, "use customer.phone, customer.id or agent")
    }
    return template
  }

  /// How the file says a key; nil where it is the usual one.
  func words(ofKey node: YAMLNode?) -> String? {
    node?.text.flatMap { $0 == EventField.customerPhone.rawValue ? nil : $0 }
  }

  /// A stretch of the memory: no longer than the record is kept.
  func memorySpan(_ node: YAMLNode, _ what: String) -> Span? {
    guard let span = duration(node, what, Language.memorySpans) else { return nil }
    if let record = retention.record, span > record {
      error(
        "contradictory", node.place,
        "\(what): \(span.duration) is longer than the record is kept, which is \(record.duration)",
        "keep it longer ('retention: { record: \(span.duration) }'), or write at most \(record.duration)")
    }
    return span
  }

  /// A condition on events alone: `owner` says whose, as messages call it.
  func eventCondition(_ node: YAMLNode, of owner: String) -> Condition {
    let before = conditionOwner
    defer { conditionOwner = before }
    conditionOwner = .events(owner)
    return condition(node)
  }

  /// Reports a term that has no place in the condition that is being read; whether it did.
  func isMisplaced(_ name: String, _ place: Place) -> Bool {
    switch conditionOwner {
    case .route: return false
    case .step:
      error(
        "not_here", place, "'\(name)' is asked in a route's 'when', and not in a step's",
        "move it to the route's 'when'")
    case .events(let owner):
      error(
        "not_here", place, "'\(name)' cannot stand in \(owner), which knows events by their own fields alone",
        "remove it, or ask it in the 'when' of a route")
    }
    return true
  }
}

extension Language {
  static let leastBookSpan = Span.days(1)
}

extension Condition {
  /// It can be judged by an event's own fields: no count, no lookup, no suppression occurs in it.
  var asksEventOnly: Bool {
    switch self {
    case .all(let parts), .any(let parts): parts.allSatisfy(\.asksEventOnly)
    case .not(let part): part.asksEventOnly
    case .value(.lookup, _), .value(.step, _), .value(.argument, _), .count, .suppressed: false
    case .value: true
    }
  }

  /// Those of its parts that an event's own fields decide, all of which must hold. An `any` or a `not` with something else in it is
  /// left out whole.
  var eventParts: [Condition] {
    if case .all(let parts) = self { return parts.flatMap(\.eventParts) }
    return asksEventOnly ? [self] : []
  }
}
