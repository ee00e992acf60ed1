// What the tests of memory share: a table whose routes count, act once, expect and throttle, and the books that they read.

import DivertCore

extension BookDefinition {
  static let phone = Template(parts: [.expression(Expression(path: .field(.customerPhone)))])

  /// The events of a name, by phone.
  static func of(_ event: String, span: Span) -> BookDefinition {
    BookDefinition(
      name: "book of \(event)", condition: .value(.field(.event), .isOneOf([.string(event)])), key: phone, span: span)
  }
}

enum Remembering {
  static let within = Span.minutes(10)
  static let period = Span.minutes(15)
  static let patience = Span.minutes(5)
  static let rejected = BookDefinition.of("CALL_REJECTED", span: period)
  static let accepted = BookDefinition.of("CALL_ACCEPTED", span: patience)

  /// `twice` fires at the second call within ten minutes, `once` once in a quarter of an hour, `hope` expects a call to be accepted
  /// within five minutes, and `calm` lets one message out in ten.
  static let table: RouteTable = {
    var parts = RouteTable.Parts()
    parts.version = "v1"
    parts.books = [rejected.name: rejected, accepted.name: accepted]
    let isRejected = Condition.value(.field(.event), .isOneOf([.string("CALL_REJECTED")]))
    let term = CountTerm(
      book: rejected.name, per: BookDefinition.phone, within: within, comparison: .atLeast(.number("2")),
      words: "at least 2 within 10m")
    parts.routes = [
      route("twice", .all([isRejected, .count(term)])), route("once", isRejected), route("hope", isRejected),
      route("calm", isRejected),
    ]
    parts.routes[1].once = OnceDefinition(route: "once", period: period, per: BookDefinition.phone)
    parts.routes[2].expect = ExpectDefinition(
      book: accepted.name, same: BookDefinition.phone, within: patience, words: "event is CALL_ACCEPTED within 5m")
    var broken = Send(route: "hope", label: "else.0", target: "crm", action: "alert")
    broken.timing.promise = "hope"
    parts.routes[2].otherwise = [broken]
    parts.routes[3].sends[0].timing.throttle = ThrottleDefinition(
      atMost: 1, within: within, per: BookDefinition.phone)
    return RouteTable(parts)
  }()

  private static func route(_ name: String, _ when: Condition) -> Route {
    var route = Route(name: name, path: name, when: when)
    route.sends = [Send(route: name, label: "0", target: "crm", action: "log")]
    return route
  }

  /// An event as it is appended, not yet planned.
  static func append(
    _ name: String = "CALL_REJECTED", phone: String? = "+911", call: String? = nil, at: Timestamp,
    received: Timestamp? = nil, under table: RouteTable = table
  ) -> Append {
    var fields = Event.Fields(name: name, at: at)
    fields.customerPhone = phone
    fields.callID = call
    let body = Array("{}".utf8)
    let content = EventContent(
      source: "doubletick", receivedAt: received ?? at, fields: fields, body: body, raw: .object(JSONObject()))
    let key = call.map { DedupeEntry(key: Array("\($0) \(name)".utf8), until: nil) }
    let plan = table.plan(Event(id: EventID(sequence: 0, tag: 0), content: content))
    return Append(content, dedupe: key, plan: plan, table: table, congested: nil)
  }
}

extension AppendOutcome {
  /// The paths of the routes that acted.
  var routes: [String]? {
    if case .accepted(_, let plan, _) = self {
      plan.matched.map { Remembering.table.parts.routes[$0].path }
    } else {
      nil
    }
  }
}
