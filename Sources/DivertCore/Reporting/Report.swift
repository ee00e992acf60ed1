// The rejection log as numbers: who rejected how many calls, which promises were kept, which messages went out or were withheld.

/// What a report is to be of.
package struct ReportQuestion: Sendable {
  /// From included, to excluded.
  package var from: Timestamp
  package var to: Timestamp
  /// For days.
  package var zone: Zone
  /// `INCOMING` or `OUTGOING`; nil: both, and events without one.
  package var direction: String?
  /// Promises are judged as of now.
  package var now: Timestamp

  package init(from: Timestamp, to: Timestamp, zone: Zone, direction: String? = nil, now: Timestamp) {
    self.from = from
    self.to = to
    self.zone = zone
    self.direction = direction
    self.now = now
  }

  func holds(_ at: Timestamp) -> Bool { at >= from && at < to }
}

/// The numbers of one line of a report.
package struct ReportMeasures: Sendable, Hashable {
  /// Calls that ended, each once; rejected ones are among them.
  package var incomingCalls = 0
  package var incomingRejected = 0
  package var incomingMissed = 0
  package var outgoingCalls = 0
  package var outgoingRejected = 0
  /// Promises that were opened, by how they stand.
  package var kept = 0
  package var keptLate = 0
  package var broken = 0
  package var open = 0
  /// Messages to a person that were delivered, skipped, dead.
  package var sent = 0
  package var withheld = 0
  package var failed = 0
  /// Of all those: held by allowed hours on their way.
  package var held = 0

  package init() {}

  package var rejected: Int { incomingRejected + outgoingRejected }
  package var promises: Int { kept + keptLate + broken + open }
  package var messages: Int { sent + withheld + failed }

  /// - Parameter isNew: the call was not counted before; else it is the same call, ended in another way, too.
  mutating func add(_ fact: ReportFact, isNew: Bool) {
    let call = isNew ? 1 : 0
    switch fact.kind {
    case .message: if let end = fact.end { add(end) }
    case .rejected, .missed, .ended:
      let isRejected = fact.kind == .rejected ? 1 : 0
      if fact.direction == "OUTGOING" {
        outgoingCalls += call
        outgoingRejected += isRejected
      } else if fact.direction == "INCOMING" {
        incomingCalls += call
        incomingRejected += isRejected
        incomingMissed += fact.kind == .missed ? 1 : 0
      }
    }
  }

  private mutating func add(_ end: MessageEnd) {
    switch end.state {
    case .delivered: sent += 1
    case .skipped: withheld += 1
    case .dead: failed += 1
    case .waiting, .sending: return
    }
    if end.wasHeld { held += 1 }
  }

  mutating func add(_ standing: Promise.Standing) {
    switch standing {
    case .kept: kept += 1
    case .keptReportedLate: keptLate += 1
    case .broken: broken += 1
    case .open: open += 1
    }
  }
}

/// A customer's line.
package struct CustomerMeasures: Sendable, Hashable {
  package var measures = ReportMeasures()
  /// Of the calls of the business that the customer rejected, in order.
  package var outgoingRejections: [Timestamp] = []
  /// An event of the customer's in this time, for what else is known.
  package var lastEvent: Int64 = 0

  package init() {}

  /// The most outgoing rejections within a stretch of seven days.
  package var mostInSevenDays: Int {
    var most = 0
    var first = 0
    for (place, at) in outgoingRejections.enumerated() {
      while at - outgoingRejections[first] >= .days(7) { first += 1 }
      most = max(most, place - first + 1)
    }
    return most
  }
}

/// The messages of one send that ended in one way.
package struct RuleLine: Sendable, Hashable {
  package var route: String
  package var send: String
  package var action: String
  package var state: DeliveryState
  /// The reason's code: which rule withheld them.
  package var code: String
  package var count = 0
  /// Of these: held by allowed hours on their way.
  package var held = 0

  package init(route: String, send: String, action: String, state: DeliveryState, code: String) {
    self.route = route
    self.send = send
    self.action = action
    self.state = state
    self.code = code
  }
}

/// A promise with whom it was made to and by whom it was to be kept.
package struct PromiseLine: Sendable, Hashable {
  package var promise: Promise
  package var standing: Promise.Standing
  package var phone: String?
  /// The agent of the event that opened it.
  package var agent: String?
  package var waba: String?
}

/// Everything that a report tells. Lines are in no order; empty texts stand for what events did not name.
package struct Report: Sendable, Equatable {
  package var totals = ReportMeasures()
  package var agents: [String: ReportMeasures] = [:]
  package var customers: [String: CustomerMeasures] = [:]
  package var wabas: [String: ReportMeasures] = [:]
  /// By days after 1970-01-01, of the zone's calendar.
  package var days: [Int: ReportMeasures] = [:]
  /// By route, send, action, state and code.
  package var rules: [RuleLine] = []
  /// By when they were opened.
  package var promises: [PromiseLine] = []

  package init() {}
}
