// How a book comes by its name: a hash of what it says, in a form that does not depend on the order in which the file says it. Made when
// a file is loaded; the store keeps books by it.
import Crypto

extension BookDefinition {
  /// A book named by what it says. Conditions that differ in the order of their parts or values alone give the same name. The time
  /// zone is a part of it where local times are asked for, zone and country where the key has filters.
  package init(condition: Condition, key: Template, span: Span, zone: Zone, country: String) {
    var parts: [JSONValue] = [condition.canonical, key.canonical]
    let hasFilters = key.expressions.contains { !$0.filters.isEmpty }
    if hasFilters || (condition.paths + key.paths).contains(where: \.isLocal) {
      parts.append(.string(zone.identifier))
    }
    if hasFilters { parts.append(.string(country)) }
    let digest = SHA256.hash(data: JSONValue.array(parts).encoded())
    self.init(
      name: digest.withUnsafeBytes { Hex.text($0.prefix(16)) }, condition: condition, key: key, span: span, zone: zone,
      country: country)
  }

  /// The key where the file names none: the customer's phone.
  package static let standardKey = Template(parts: [
    .expression(Expression(path: .field(.customerPhone), optional: true))
  ])
}

extension Condition {
  /// As JSON that is equal for conditions which say the same in another order.
  var canonical: JSONValue {
    switch self {
    case .all(let parts): Self.group("all", parts.flatMap(\.conjuncts).map(\.canonical))
    case .any(let parts): Self.group("any", parts.map(\.canonical))
    case .not(let part): ["not": part.canonical]
    case .value(let path, let comparison): .array([path.canonical, comparison.canonical])
    case .count(let term): ["count": .string(term.book), "is": term.comparison.canonical]
    case .suppressed(let wanted): ["suppressed": .bool(wanted)]
    }
  }

  private var conjuncts: [Condition] {
    if case .all(let parts) = self { parts.flatMap(\.conjuncts) } else { [self] }
  }

  /// Each part once, in the order of their texts; one alone stands for itself.
  private static func group(_ name: String, _ parts: [JSONValue]) -> JSONValue {
    let sorted = Set(parts).sorted { $0.text < $1.text }
    return sorted.count == 1 ? sorted[0] : [name: .array(sorted)]
  }
}

extension Comparison {
  fileprivate var canonical: JSONValue {
    switch self {
    case .isOneOf(let values): Self.operation("is", Self.ordered(values))
    case .isNoneOf(let values): Self.operation("not", Self.ordered(values))
    case .above(let bound): Self.operation("above", [bound.canonical])
    case .below(let bound): Self.operation("below", [bound.canonical])
    case .atLeast(let bound): Self.operation("at_least", [bound.canonical])
    case .atMost(let bound): Self.operation("at_most", [bound.canonical])
    case .between(let from, let to): Self.operation("between", [from.canonical, to.canonical])
    case .contains(let text): Self.operation("contains", [.string(text)])
    case .startsWith(let text): Self.operation("starts_with", [.string(text)])
    case .endsWith(let text): Self.operation("ends_with", [.string(text)])
    case .matches(let pattern): Self.operation("matches", [.string(pattern.source)])
    case .exists(let wanted): Self.operation("exists", [.bool(wanted)])
    }
  }

  private static func operation(_ name: String, _ values: [JSONValue]) -> JSONValue { [name: .array(values)] }

  private static func ordered(_ values: [JSONValue]) -> [JSONValue] { Set(values).sorted { $0.text < $1.text } }
}

extension Bound {
  fileprivate var canonical: JSONValue {
    switch self {
    case .number(let text): .number(text)
    case .moment(let time): .string(time.iso8601)
    case .clock(let minutes): ["clock": .number(minutes)]
    }
  }
}

extension Template {
  fileprivate var expressions: [Expression] {
    parts.compactMap { if case .expression(let expression) = $0 { expression } else { nil } }
  }

  /// Whether the value may be left out makes no difference for a key that is one value: without it there is none.
  fileprivate var canonical: JSONValue {
    .array(
      parts.map { part in
        switch part {
        case .literal(let text): .string(text)
        case .expression(let expression): expression.canonical(optional: expression.optional && parts.count > 1)
        }
      })
  }
}

extension Expression {
  fileprivate func canonical(optional: Bool) -> JSONValue {
    [
      "path": path.canonical, "optional": .bool(optional),
      "filters": .array(
        filters.map { call in
          .array([.string(call.filter.rawValue)] + call.arguments.map(\.canonical))
        }),
    ]
  }
}

extension FilterArgument {
  fileprivate var canonical: JSONValue {
    switch self {
    case .literal(let text): .string(text)
    case .path(let path): ["path": path.canonical]
    }
  }
}

extension ValuePath {
  fileprivate var isLocal: Bool { if case .local = self { true } else { false } }

  fileprivate var canonical: JSONValue {
    switch self {
    case .field(let field): .array(["field", .string(field.rawValue)])
    case .raw(let steps): .array(["raw"] + steps.map { .string($0) })
    case .local(let field): .array(["local", .string(field.rawValue)])
    default: .array(["other", .string(description)])
    }
  }
}
