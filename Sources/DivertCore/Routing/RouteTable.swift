// A configuration in force: compiled once at load, immutable, swapped whole. Planning (step 3 of the line) is in Planning.swift.

/// `routes.yaml`, checked and compiled.
package final class RouteTable: Sendable {
  package struct Parts: Sendable {
    /// The hash of the files' text: the configuration's name in the store, in dead letters and in logs.
    package var version = ""
    /// IANA name, checked.
    package var timezone = "UTC"
    /// ISO 3166-1 alpha-2, for phone numbers without a country code.
    package var country = "IN"
    package var server = ServerSettings()
    package var sources: [String: SourceDefinition] = [:]
    package var targets: [String: TargetDefinition] = [:]
    /// Shared credentials and targets' own, by name.
    package var credentials: [String: CredentialDefinition] = [:]
    /// By full name: `account`, and `crm.contact` for a target's own.
    package var lookups: [String: LookupDefinition] = [:]
    package var tables: [String: [String: String]] = [:]
    /// What `count`, `unless` and `expect` read, by name.
    package var books: [String: BookDefinition] = [:]
    /// `record: { publish: …, every: … }`: the sends of a head of the record, and how often it goes out.
    package var recordSends: [Send] = []
    package var recordEvery: Span?
    package var retention = Retention()
    package var routes: [Route] = []
    /// Where Divert's own alarms go. Their route is `alarms`; an alarm is an event of source `divert`, named DIVERT_ALARM,
    /// whose body is what `{{ alarm.… }}` names: `alarm.text` is the sentence, and the main argument's default here.
    package var alarms: [Send] = []
    package init() {}
  }

  package let parts: Parts
  /// `parts.timezone`; UTC should there be no such zone, which the loader rules out.
  package let zone: Zone
  /// The table's regular expressions, compiled once each.
  package let patterns = PatternCache()
  /// Counters of what was accepted under this table; the one thing in it that changes.
  package let matches: RouteMatches
  let index: RouteIndex
  private let sends: [SendName: Send]

  package init(_ given: Parts) {
    var parts = given
    let count = Self.number(&parts.routes, from: 0, asksAbove: false)
    self.parts = parts
    matches = RouteMatches(routes: count)
    zone = Zone.named(parts.timezone) ?? .utc
    index = RouteIndex(parts.routes)
    var sends: [SendName: Send] = [:]
    func collect(_ send: Send) {
      sends[SendName(route: send.route, label: send.label)] = send
      send.timing.otherwise.forEach(collect)
    }
    func collect(_ route: Route) {
      (route.sends + route.otherwise).forEach(collect)
      route.children.forEach(collect)
    }
    parts.routes.forEach(collect)
    (parts.alarms + parts.recordSends).forEach(collect)
    self.sends = sends
  }

  package var version: String { parts.version }
  /// Routes of the whole tree.
  package var routeCount: Int { matches.current.routes.count }

  /// Gives each route its place, and tells it whether it is decided when its deliveries are due; returns the next free place.
  private static func number(_ routes: inout [Route], from first: Int, asksAbove: Bool) -> Int {
    var next = first
    for place in routes.indices {
      routes[place].place = next
      let awaits = asksAbove || routes[place].asksLookups
      routes[place].awaitsLookups = awaits
      next = number(&routes[place].children, from: next + 1, asksAbove: awaits)
    }
    return next
  }

  /// The send that a stored delivery names, as this version has it; nil where it has none.
  package func send(route: String, label: String) -> Send? { sends[SendName(route: route, label: label)] }
}

private struct SendName: Hashable {
  var route: String
  var label: String
}

/// A route of the tree. Every route that matches fires; a parent's sends and its matching children's all happen.
package struct Route: Sendable {
  package var name: String
  /// From the top, joined by `/`.
  package var path: String
  package var description: String?
  package var enabled: Bool
  package var when: Condition {
    didSet {
      asksLookups = when.asksLookups
      asksCounts = !when.counts.isEmpty
    }
  }
  /// Its own condition names a lookup's field: whether it matches shows when its deliveries are due.
  package private(set) var asksLookups: Bool
  /// Its own condition has a count.
  package private(set) var asksCounts: Bool
  package var sends: [Send]
  package var children: [Route]
  package var once: OnceDefinition?
  package var expect: ExpectDefinition?
  /// Sent when its promise was broken. They stand in no other list; their labels are `else.0`, `else.1`, … or their `as:`.
  package var otherwise: [Send] = []
  /// It or one above it `asksLookups`: its `once` is claimed when its deliveries are due, not at planning. The table says it.
  package fileprivate(set) var awaitsLookups = false
  /// It leaves something in memory at planning: a claim or a promise.
  var remembers: Bool { (once != nil || expect != nil) && !awaitsLookups }
  /// Its number in its table, counted from 0, a parent before its children; the table gives it.
  package var place = 0

  package init(name: String, path: String, when: Condition) {
    self.name = name
    self.path = path
    self.when = when
    asksLookups = when.asksLookups
    asksCounts = !when.counts.isEmpty
    description = nil
    enabled = true
    sends = []
    children = []
  }
}

/// One entry of a route's `send`, with every inherited setting resolved (defaults → target → action → send).
package struct Send: Sendable {
  package let route: String
  package let label: String
  package let target: String
  package let action: String
  package var arguments: [BodyTemplate.Entry]
  package var orderBy: Template?
  package var retry: RetrySettings
  /// Its action writes to a person.
  package var isMessage: Bool { messageClass != nil }
  /// Which kind of message to a person it is; nil: none.
  package var messageClass: MessageClass? {
    didSet { plan() }
  }
  /// When it goes out, and what may keep it.
  package var timing = SendTiming() {
    didSet { plan() }
  }
  /// `sending` is on disk before its first byte leaves (`ActionDefinition.recordsBeforeSending`).
  package var toPerson: Bool {
    didSet { plan() }
  }
  /// Judged when a delivery of it is due, in order: those conditions of its route and the routes above that a lookup
  /// answers. The first that does not hold ends it skipped.
  package private(set) var guards: [Guard]
  /// Lookups that its guards, it and its action need, by full name, in the order in which they are asked.
  package private(set) var lookups: [String]
  /// Its action has steps before its last request.
  package var hasSteps: Bool {
    didSet { plan() }
  }

  /// A condition with the route that it stands in.
  package struct Guard: Sendable {
    package var route: String
    package var condition: Condition
    package init(route: String, condition: Condition) {
      self.route = route
      self.condition = condition
    }
  }

  private mutating func plan() {
    isTimed = timing.after > .zero || timing.hours != nil
    planned = PlannedSend(
      route: route, send: label, target: target, action: action, toPerson: toPerson,
      prepares: hasSteps || !lookups.isEmpty || !guards.isEmpty || isMessage || timing.isJudgedWhenDue)
  }

  /// Gives it what comes before its request.
  package mutating func prepare(lookups: [String], guards: [Guard]) {
    self.lookups = lookups
    self.guards = guards
    plan()
  }
  /// Its action's writes come back as events, and its routes do not say which are meant (`own`): it is left out for those.
  package var leavesOutOwn = false
  /// It goes out at another moment than its event comes, or may have to.
  private(set) var isTimed = false
  /// What its deliveries have in common.
  package private(set) var planned: PlannedSend

  package init(route: String, label: String, target: String, action: String) {
    self.route = route
    self.label = label
    self.target = target
    self.action = action
    arguments = []
    orderBy = nil
    retry = .standard
    toPerson = false
    guards = []
    lookups = []
    hasSteps = false
    planned = PlannedSend(route: route, send: label, target: target, action: action, toPerson: false)
  }
}

/// A source of events.
package struct SourceDefinition: Sendable {
  package var name: String
  /// `doubletick`: the only normaliser today.
  package var type: String
  /// The unguessable part of the address; nil: only loopback may be listened on.
  package var key: Template?
  /// A header that must be there with this value, beside the key.
  package var requiredHeader: HeaderTemplate?
  /// Addresses or CIDR blocks that may post; empty: all.
  package var allow: [String]
  /// How long equal bodies of events without an identity of their own count as duplicates.
  package var dedupe: Span
  /// An alarm when nothing came for this long; nil: never.
  package var silentAfter: Span?

  package init(name: String, type: String) {
    self.name = name
    self.type = type
    allow = []
    dedupe = .minutes(10)
  }
}

/// `server:`.
package struct ServerSettings: Sendable {
  /// The largest body taken, in bytes.
  package var maxBody = 256 * 1024
  /// Files of the certificate chain and the key (PEM), relative to the configuration's folder.
  package var tls: TLS?
  /// How long requests in flight may take to finish after SIGTERM.
  package var grace = Span.seconds(10)
  /// A client that has not sent its whole request within this time is cut off.
  package var requestTimeout = Span.seconds(30)
  /// Quarantined bodies kept: number and bytes in all.
  package var quarantineFiles = 1000
  package var quarantineBytes = 64 * 1024 * 1024
  /// Asked for by the operator address when it is not on loopback (`Authorization: Bearer …`).
  package var operatorKey: Template?

  package struct TLS: Sendable, Hashable {
    package var certificate: String
    package var key: String
    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }
  package init() {}
}
