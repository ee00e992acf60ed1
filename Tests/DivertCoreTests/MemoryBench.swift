// What the tests of time and memory share: events of a few phones, tables with books, and a router of which only the rules are real.

import DivertCore
import Testing

/// An event as a source would send it, with the moments that matter chosen.
func happening(
  _ name: String = "REJECTED", at: Timestamp, received: Timestamp? = nil, phone: String? = "+911", call: String? = nil,
  place: Int
) -> Event {
  var fields = Event.Fields(name: name, at: at)
  fields.customerPhone = phone
  fields.callID = call
  let received = received ?? at
  return Event(
    id: EventID(sequence: EventID.firstSequence(at: received) + Int64(place), tag: 7), source: "doubletick",
    receivedAt: received, fields: fields, body: [], raw: .object(JSONObject()))
}

let phoneKey = Template(parts: [.expression(Expression(path: .field(.customerPhone)))])

func named(_ name: String) -> Condition { RehearsalTests.event(name) }

func book(_ name: String, _ condition: Condition, _ span: Span = .days(7)) -> BookDefinition {
  BookDefinition(name: name, condition: condition, key: phoneKey, span: span)
}

func countTerm(_ book: String, _ comparison: Comparison, within: Span, per: Template = phoneKey) -> CountTerm {
  CountTerm(book: book, per: per, within: within, comparison: comparison, words: "some within \(within.duration)")
}

func atLeast(_ number: Int) -> Comparison { .atLeast(.number(String(number))) }

/// A store of which nothing is left but its rules: feeds, plans and keeps what plans say.
struct MemoryRouter {
  let table: RouteTable
  let books: ActiveBooks
  var memory = RehearsalMemory()

  init(_ routes: [Route], books: [BookDefinition] = [], zone: String = "Asia/Kolkata") {
    var parts = RouteTable.Parts()
    parts.timezone = zone
    parts.routes = routes
    for book in books { parts.books[book.name] = book }
    table = RouteTable(parts)
    self.books = table.activeBooks
  }

  @discardableResult
  mutating func append(_ event: Event, suppression: Suppression? = nil) -> Plan {
    memory.feed(event, books)
    let plan = table.plan(event, suppression: suppression, memory: &memory)
    memory.open(plan.promises)
    return plan
  }

  /// The sends of an event's plan as `route action`.
  mutating func sends(_ event: Event) -> [String] { append(event).deliveries.map { "\($0.route) \($0.action)" } }
}

/// A memory that must not be asked.
struct NoMemory: EventMemory {
  struct Asked: Error {}
  func entries(of place: BookPlace, from: Timestamp, to: Timestamp) throws(Asked) -> [BookEntry] { throw Asked() }
  func enter(_ entry: BookEntry, in place: BookPlace, span: Span) throws(Asked) { throw Asked() }
  func promise(of event: EventID, route: String) throws(Asked) -> Promise? { throw Asked() }
}
