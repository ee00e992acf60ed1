// What holds where a route matches: gathered from the top down, and asked by the warnings of routes and sends.
import DivertCore

/// A route's conditions with those of the routes above it, and what was sent before it.
struct RouteFrame {
  /// Nil above the top routes.
  var path: String?
  /// The kinds of event that can get here.
  var cases = CaseSet.all
  /// The kinds of which some events do not.
  var maybe = CaseSet.none
  var terms = Conjunction()
  var sent: [SentMessage: SentPlace] = [:]

  /// The kinds of event, as documented, of which every event gets here.
  var certain: CaseSet { (cases - maybe) & .documented }
}

/// A send as its receiver sees it.
struct SentMessage: Hashable {
  var target: String
  var action: String
  var arguments: [BodyTemplate.Entry]

  init(_ send: Send) {
    target = send.target
    action = send.action
    arguments = send.arguments
  }
}

struct SentPlace {
  var route: String
  var item: YAMLNode
}

extension CaseSet {
  static let documented = matching(\.isDocumented)
  /// A customer's message or call that opens the time for free texts is certainly no part of these.
  static let unopened = matching { $0.window == .unopened }

  private static let absences: [EventField: CaseSet] = EventField.allCases.reduce(into: [:]) { all, field in
    all[field] = matching { $0.absent.contains(field) }
  }

  /// The kinds of event that never carry a field.
  static func without(_ field: EventField) -> CaseSet { absences[field] ?? .none }

  private static func matching(_ holds: (EventCase) -> Bool) -> CaseSet {
    EventCase.all.enumerated().reduce(into: .none) { set, one in
      if holds(one.element) { set.bits |= 1 << UInt64(one.offset) }
    }
  }

  func isWithin(_ other: CaseSet) -> Bool { (self - other).isEmpty }

  /// `CALL_REJECTED`, `outgoing CALL_REJECTED`, `CALL_ENDED or CALL_MISSED`; `event` where there are many or none is known.
  var phrase: String {
    let cases = cases
    let names = cases.compactMap(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    guard !isOpen, (1...3).contains(names.count) else { return "event" }
    let directions = Set(cases.filter(\.isDocumented).map(\.direction))
    var way = ""
    if directions.count == 1, case .text(let direction)? = directions.first {
      way = direction.lowercased() + " "
    }
    return way + names.joined(separator: " or ")
  }

  /// The values that a field can have in these kinds of event; empty where anything is possible.
  func values(of field: EventField) -> [String] {
    var values: [String] = []
    for one in cases where one.isDocumented {
      guard case .text(let text) = one.value(of: field) else { return [] }
      if !values.contains(text) { values.append(text) }
    }
    return values
  }
}
