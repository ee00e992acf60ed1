// Time and memory as the loader compiles them: which events a book has, what a send is given of its route, who waits for what.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct MemoryConfigTests {
  private static let head = """
    version: 1
    timezone: Asia/Kolkata
    sources: { doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" } }
    targets:
      crm: { url: https://crm.example.com, actions: { log: { post: /calls, idempotency: natural } } }
    lookups:
      account: { get: "crm:/accounts", fields: { stage: stage } }
    calendars: { holidays: [2026-01-26, 2026-08-15] }

    """

  private static func load(_ rest: String) -> LoadResult { ConfigLoader.load(text: head + rest, file: "routes.yaml") }

  private static func parts(_ rest: String) throws -> RouteTable.Parts {
    let result = load(rest)
    return try #require(result.table, "\(result.diagnostics.map(\.description))").parts
  }

  private static func route(_ routes: [Route], _ path: String) throws -> Route {
    func all(_ routes: [Route]) -> [Route] { routes.flatMap { [$0] + all($0.children) } }
    return try #require(all(routes).first { $0.path == path })
  }

  /// The words of the condition of each count's book.
  private static func counted(_ when: String, above: String = "{ event: CALL_REJECTED }") throws -> [String] {
    let parts = try parts("routes: { a: { when: \(above), also: { b: { when: \(when), send: [crm.log] } } } }\n")
    return try route(parts.routes, "a/b").when.counts.map { try #require(parts.books[$0.book]).condition.words }
  }

  @Test("a count counts what stands beside it, around it and above it, without lookups, counts and suppression")
  func countedEvents() throws {
    let count = "count: { at_least: 2, within: 7d }"
    #expect(try Self.counted("{ \(count) }") == ["event is CALL_REJECTED"])
    #expect(
      try Self.counted("{ direction: OUTGOING, account.stage: late, suppressed: false, \(count) }") == [
        "event is CALL_REJECTED and direction is OUTGOING"
      ])
    #expect(
      try Self.counted("{ any: [{ status: REJECT }, { \(count) }], waba: \"+91\" }") == [
        "event is CALL_REJECTED and waba is +91"
      ])
    #expect(
      try Self.counted("{ any: [{ status: REJECT, \(count) }, { status: MISSED, \(count) }] }") == [
        "event is CALL_REJECTED and status is REJECT", "event is CALL_REJECTED and status is MISSED",
      ])
    #expect(
      try Self.counted("{ not: { agent: Asha, \(count) } }") == ["event is CALL_REJECTED and agent is Asha"])
    #expect(
      try Self.counted("{ \(count), local.weekday: sun }", above: "{ any: [{ account.stage: late }, { waba: x }] }")
        == [
          "local.weekday is sun"
        ])
  }

  @Test(
    "a count may be held against anything that has an order, several at once, and its key is the customer by default")
  func comparisons() throws {
    let when =
      "{ event: CALL_REJECTED, count: { above: 1, at_most: 4, is: [2, 3], between: [2, 9], below: 10, within: 1d } }"
    let parts = try Self.parts("routes: { a: { when: \(when), send: [crm.log] } }\n")
    let terms = parts.routes[0].when.counts
    #expect(
      terms.map(\.words) == [
        "above 1 within 1d per customer.phone", "at most 4 within 1d per customer.phone",
        "one of 2, 3 within 1d per customer.phone", "between 2 and 9 within 1d per customer.phone",
        "below 10 within 1d per customer.phone",
      ])
    #expect(Set(terms.map(\.book)).count == 1 && terms.allSatisfy { $0.per == BookDefinition.standardKey })
  }

  private static func bookName(_ when: String, per: String = "customer.phone", zone: String = "Asia/Kolkata") throws
    -> String
  {
    let text =
      head.replacingOccurrences("Asia/Kolkata", zone)
      + "routes: { a: { when: { \(when), count: { at_least: 2, within: 7d, per: \(per) } }, send: [crm.log] } }\n"
    let parts = try #require(ConfigLoader.load(text: text, file: "routes.yaml").table).parts
    let name = try #require(parts.books.keys.first)
    #expect(name.count == 32 && name.allSatisfy(\.isHexDigit) && parts.books.count == 1)
    return name
  }

  @Test("a book's name is the same whatever the order, and another where another event or key is meant")
  func names() throws {
    let name = try Self.bookName("event: CALL_REJECTED, direction: [INCOMING, OUTGOING]")
    #expect(try Self.bookName("direction: [OUTGOING, INCOMING], event: CALL_REJECTED") == name)
    #expect(try Self.bookName("direction: [OUTGOING, INCOMING], event: CALL_REJECTED", zone: "UTC") == name)
    #expect(
      try Self.bookName("direction: [OUTGOING, INCOMING], event: CALL_REJECTED", per: "\"{{ customer.phone }}\"")
        == name)
    let others = [
      try Self.bookName("event: CALL_REJECTED, direction: INCOMING"),
      try Self.bookName("event: CALL_REJECTED, direction: { not: [INCOMING, OUTGOING] }"),
      try Self.bookName("event: CALL_REJECTED, direction: [INCOMING, OUTGOING]", per: "agent"),
      try Self.bookName("event: CALL_REJECTED, local.weekday: sun"),
      try Self.bookName("event: CALL_REJECTED, local.weekday: sun", zone: "UTC"),
      try Self.bookName("event: CALL_REJECTED, raw.a.b: 5"), try Self.bookName("event: CALL_REJECTED, raw.a.b: \"5\""),
    ]
    #expect(Set(others + [name]).count == others.count + 1)
  }

  @Test(
    "routes that mean the same events share a book, which is kept for the longest of them; a switched off one has none")
  func shared() throws {
    let parts = try Self.parts(
      """
      routes:
        a:
          when: { event: CALL_REJECTED, count: { at_least: 2, within: 7d } }
          send: [{ crm.log: {}, unless: { event: CALL_REJECTED }, after: 1d }]
        b:
          when: { event: CALL_MISSED }
          send: [crm.log]
          expect: { when: { event: CALL_REJECTED }, within: 30d }
        c:
          enabled: false
          when: { event: CALL_ENDED, count: { at_least: 2, within: 7d } }
          send: [crm.log]
      """)
    #expect(parts.books.values.map(\.condition.words) == ["event is CALL_REJECTED"])
    #expect(parts.books.values.first?.span == .days(30))
  }

  @Test("once is claimed when due where a lookup decides its route or one above it, else when the event is planned")
  func claims() throws {
    let parts = try Self.parts(
      """
      routes:
        plain:
          when: { event: CALL_REJECTED, count: { at_least: 2, within: 7d, per: agent } }
          once: 7d
          send: [crm.log]
          also:
            late:
              when: { account.stage: late }
              once: 1d
              per: customer.id
              send: [{ crm.log: {}, expires: 1h, otherwise: [crm.log: {}] }]
              also:
                deeper: { when: { direction: INCOMING }, once: 2d, send: [crm.log] }
      """)
    #expect(
      parts.routes[0].once == OnceDefinition(route: "plain", period: .days(7), per: parts.routes[0].when.counts[0].per))
    let late = try Self.route(parts.routes, "plain/late")
    #expect(parts.routes[0].sends[0].timing.claims == [])
    #expect(late.everySend.map { $0.timing.claims.map(\.route) } == [["plain/late"], ["plain/late"]])
    #expect(
      late.everySend.map { $0.guards.map(\.condition.words) } == [["account.stage is late"], ["account.stage is late"]])
    #expect(late.everySend.map(\.lookups) == [["account"], ["account"]])
    let deeper = try Self.route(parts.routes, "plain/late/deeper")
    #expect(deeper.sends[0].timing.claims.map(\.route) == ["plain/late", "plain/late/deeper"])
  }

  @Test("a guard awaits the lookups alone: what counts and suppression say is decided before")
  func guards() throws {
    let when = "{ event: CALL_REJECTED, suppressed: false, account.stage: late, count: { at_least: 2, within: 1d } }"
    let parts = try Self.parts("routes: { a: { when: \(when), send: [crm.log] } }\n")
    #expect(parts.routes[0].sends[0].guards.map(\.condition.words) == ["account.stage is late"])
  }

  @Test(
    "hours are ranges, days of the week and days off, in the file's zone",
    arguments: [
      (#""08:00-19:00""#, "08:00-19:00", 1, 0, 0),
      (#"["08:00-12:00", "14:00-24:00"]"#, "08:00-12:00 or 14:00-24:00", 2, 0, 0),
      (
        #"{ between: "22:00-06:00", weekdays: [sat, mon, tue, wed, thu, fri], except: holidays }"#,
        "22:00-06:00, mon to sat, not on holidays", 1, 6, 2
      ),
      ("{ weekdays: [mon, fri], except: [2026-10-02, holidays] }", "mon, fri, not on 2026-10-02, holidays", 1, 2, 3),
    ])
  func hours(written: String, words: String, ranges: Int, days: Int, off: Int) throws {
    let parts = try Self.parts("routes: { a: { send: [{ crm.log: {}, hours: \(written) }] } }\n")
    let hours = try #require(parts.routes[0].sends[0].timing.hours)
    #expect(hours.words == words && hours.ranges.count == ranges && hours.weekdays.count == days)
    #expect(hours.daysOff.count == off && hours.zone.identifier == "Asia/Kolkata")
  }

  @Test("a calendar's days are counted from 1970, and only days of the calendar are days")
  func days() {
    #expect(SmallGrammar.day("1970-01-01") == 0 && SmallGrammar.day("1970-01-02") == 1)
    #expect(SmallGrammar.day("2026-01-26") == 20479 && SmallGrammar.day("2024-02-29") == 19782)
    for text in ["2026-02-30", "2026-1-26", "26.01.2026", "2026-01-26Z", "", "2026-00-01"] {
      #expect(SmallGrammar.day(text) == nil, "\(text)")
    }
  }

  @Test("retention, the record's sends and the classes of messages are in the table")
  func settings() throws {
    let parts = try Self.parts(
      """
      retention: { payloads: 90d, record: 1095d }
      record: { publish: [crm.log, { crm.log: {}, as: copy }] }
      routes: { a: { when: { event: CALL_MISSED }, send: [crm.log] } }
      """)
    #expect(parts.retention.payloads == .days(90) && parts.retention.attempts == nil)
    #expect(parts.retention.record == .days(1095) && parts.recordEvery == .days(1))
    #expect(parts.recordSends.map { "\($0.route) \($0.label)" } == ["record 0", "record copy"])
    let result = ConfigLoader.load(
      text: """
        version: 1
        targets:
          whatsapp: { type: doubletick, key: "{{ secrets.key }}" }
          lead: { type: slack, hook: "{{ secrets.hook }}" }
        record: { publish: lead.alert, every: 12h }
        """, file: "routes.yaml")
    let table = try #require(result.table)
    let actions = try #require(table.parts.targets["whatsapp"]?.actions)
    #expect(actions["text"]?.messageClass == .answer && actions["template"]?.messageClass == .outreach)
    #expect(actions["tag"]?.messageClass == nil)
    let text = Expression(path: .argument("alarm", ["text"]))
    #expect(
      table.parts.recordSends.map(\.arguments) == [
        [.init("text", .template(Template(parts: [.expression(text)])))]
      ])
  }

  @Test("webhooks are needed for what is waited for, too")
  func needs() throws {
    let result = Self.load(
      """
      routes:
        a:
          when: { event: CALL_REJECTED }
          send: [{ crm.log: {}, unless: { event: MESSAGE_RECEIVED } }]
          also:
            b:
              when: { direction: INCOMING }
              expect: { when: { event: [CALL_ACCEPTED, CALL_OUTGOING_INITIATED] }, within: 1h }
        off: { enabled: false, expect: { when: { event: CALL_ENDED }, within: 1h } }
      """)
    let needs = EventNeeds(result)
    #expect(
      needs.routes == [
        "CALL_REJECTED": ["a", "a/b"], "MESSAGE_RECEIVED": ["a"], "CALL_ACCEPTED": ["a/b"],
        "CALL_OUTGOING_INITIATED": ["a/b"],
      ])
    #expect(needs.open == [])
  }

  @Test("what a test says of later times and of the suppression list is compiled, in the clock's order")
  func tests() throws {
    let result = Self.load(
      """
      routes: { a: { when: { event: CALL_MISSED }, send: [crm.log] } }
      tests:
        t:
          given: [{ event: CALL_MISSED }, { event: CALL_MISSED, customer: { phone: "+919800000001" } }]
          sends: [crm.log]
          after 6d 1h: []
          after 61m: [crm.log]
          suppressed: all
      """)
    let test = try #require(result.tests.tests.first, "\(result.diagnostics)")
    #expect(test.stages.map(\.after) == [.zero, .minutes(61), .hours(145)])
    #expect(test.suppressed.map(\.phone) == ["+919800000001", "+919876543210"])
    #expect(test.suppressed.allSatisfy { $0.coversAnswers && $0.holds(at: Timestamp(milliseconds: 0)) })
  }

  @Test("the resolved file says what is left out of a promise, a count of time and a class, and means the same")
  func resolved() throws {
    let result = Self.load(
      """
      routes:
        a:
          when: { event: CALL_REJECTED }
          send:
            - crm.log: {}
              expires: 15m
              otherwise: [{ crm.log: {}, throttle: { at_most: 1, within: 1h } }]
          expect: { when: { event: CALL_ACCEPTED }, within: 1h, else: [crm.log] }
      record: { publish: crm.log }
      """)
    let yaml = try #require(result.resolved).yaml
    for part in ["same: customer.phone ", "per: customer.phone ", "every: 1d ", "expires: 15m", "backoff: 5s..15m"] {
      #expect(yaml.contains(part), "\(yaml)")
    }
    let again = ConfigLoader.load(text: yaml, file: "resolved.yaml")
    #expect(again.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
    let (one, other) = (try #require(result.table).parts, try #require(again.table).parts)
    #expect(one.books.keys.sorted() == other.books.keys.sorted())
    #expect(one.routes[0].everySend.map(\.timing.words) == other.routes[0].everySend.map(\.timing.words))
  }

  @Test("the graph draws what waits, what is promised and what goes out in its place")
  func graph() throws {
    let result = Self.load(
      """
      routes:
        a:
          when: { event: CALL_REJECTED, count: { at_least: 2, within: 7d } }
          once: 7d
          send:
            - crm.log: {}
              after: 10m
              expires: 15m
              hours: "08:00-19:00"
              otherwise: [{ crm.log: {}, unless: { event: CALL_ACCEPTED, same: agent } }]
          expect: { when: { event: CALL_ACCEPTED }, within: 1h, else: [crm.log] }
      """)
    let graph = RouteGraph(try #require(result.table))
    #expect(
      graph.lines == [
        "a", "    when event is CALL_REJECTED and count at least 2 within 7d per customer.phone",
        "    once in 7d per customer.phone", "    → crm.log, after 10m, expires after 15m, only 08:00-19:00",
        "      otherwise → crm.log, unless event is CALL_ACCEPTED, same agent",
        "    expects event is CALL_ACCEPTED within 1h", "      else → crm.log",
      ])
    #expect(graph.mermaid.contains("else log"))
    let route = try #require(graph.json["routes"]?.array?.first)
    #expect(route["once"] == "once in 7d per customer.phone")
    #expect(route["sends"]?.array?.first?["otherwise"]?.array?.first?["unless"] == "event is CALL_ACCEPTED, same agent")
  }
}

extension String {
  fileprivate func replacingOccurrences(_ part: String, _ other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
