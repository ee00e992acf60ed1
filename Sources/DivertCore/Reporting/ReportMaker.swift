// Blocks and promises → a report. Each call is counted once, whatever it was reported by and however often.

/// Takes in blocks one after another; texts are looked up once a block and not once a row.
package struct ReportMaker {
  private let question: ReportQuestion
  private var report = Report()
  private var agents = Tally<String>()
  private var wabas = Tally<String>()
  private var days = Tally<Int>()
  private var customers = CustomerTally()
  private var rules: [MessageEnd: Int] = [:]
  /// How each call ended that was counted, a bit a kind; by the customer's place and the call's mark.
  private var calls: [UInt64: UInt8] = [:]
  private var promises: [Int64: [Promise]]
  private var clock: DayClock

  /// - Parameter promises: those that were opened in the time that is asked for.
  package init(_ question: ReportQuestion, promises: [Promise]) {
    self.question = question
    self.promises = Dictionary(grouping: promises) { $0.event.sequence }
    clock = DayClock(question.zone)
  }

  /// A block of the time that is asked for; what lies outside is left out.
  package mutating func take(_ block: ReportBlock) {
    let places = block.facts.map { Place(agent: agents.place($0.agent ?? ""), waba: wabas.place($0.waba ?? "")) }
    for row in block.rows where question.holds(row.at) {
      let fact = block.facts[row.fact]
      let customer = customers.place(row.phone, in: block)
      if fact.kind != .message, !promises.isEmpty { settle(row, fact, customer) }
      if let direction = question.direction, direction != fact.direction { continue }
      count(row, fact, places[row.fact], customer)
    }
  }

  private struct Place {
    var agent: Int
    var waba: Int
  }

  private mutating func count(_ row: ReportBlock.Row, _ fact: ReportFact, _ place: Place, _ customer: Int) {
    let ends = fact.kind == .message ? 0 : calls[call(row, customer), default: 0]
    let end: UInt8 = 1 << UInt8(fact.kind.rawValue)
    if ends & end != 0 { return }
    if fact.kind != .message { calls[call(row, customer)] = ends | end }
    let day = days.place(clock.day(row.at))
    let isNew = ends == 0
    report.totals.add(fact, isNew: isNew)
    agents.lines[place.agent].add(fact, isNew: isNew)
    wabas.lines[place.waba].add(fact, isNew: isNew)
    days.lines[day].add(fact, isNew: isNew)
    customers.lines[customer].measures.add(fact, isNew: isNew)
    customers.lines[customer].lastEvent = max(customers.lines[customer].lastEvent, row.event)
    if let end = fact.end {
      rules[end, default: 0] += 1
    } else if fact.kind == .rejected, fact.direction == "OUTGOING" {
      customers.lines[customer].outgoingRejections.append(row.at)
    }
  }

  private func call(_ row: ReportBlock.Row, _ customer: Int) -> UInt64 { UInt64(customer) << 32 | UInt64(row.mark) }

  /// The promises that a call's end opened are its agent's.
  private mutating func settle(_ row: ReportBlock.Row, _ fact: ReportFact, _ customer: Int) {
    guard let opened = promises.removeValue(forKey: row.event) else { return }
    for promise in opened { add(promise, fact.direction, fact.agent, fact.waba, customers.texts[customer]) }
  }

  private mutating func add(
    _ promise: Promise, _ direction: String?, _ agent: String?, _ waba: String?, _ phone: String
  ) {
    if let wanted = question.direction, wanted != direction { return }
    let standing = promise.standing(at: question.now)
    report.totals.add(standing)
    agents.lines[agents.place(agent ?? "")].add(standing)
    wabas.lines[wabas.place(waba ?? "")].add(standing)
    days.lines[days.place(clock.day(promise.openedAt))].add(standing)
    let customer = customers.place(phone)
    customers.lines[customer].measures.add(standing)
    customers.lines[customer].lastEvent = max(customers.lines[customer].lastEvent, promise.event.sequence)
    report.promises.append(
      PromiseLine(
        promise: promise, standing: standing, phone: phone.isEmpty ? nil : phone, agent: agent, waba: waba))
  }

  // MARK: The end

  /// Events that opened promises and were in no block: their fields are wanted.
  package var missing: [EventID] {
    promises.values.compactMap(\.first?.event).sorted { $0.sequence < $1.sequence }
  }

  /// The fields of a missing one.
  package mutating func settle(_ event: EventID, _ fields: Event.Fields?) {
    for promise in promises.removeValue(forKey: event.sequence) ?? [] {
      add(promise, fields?.direction, fields?.agent, fields?.waba, fields?.customerPhone ?? "")
    }
  }

  /// What it all comes to. Promises whose events nobody knows any more count without an agent.
  package mutating func finish() -> Report {
    for event in missing { settle(event, nil) }
    report.agents = agents.byKey { $0 != ReportMeasures() }
    report.wabas = wabas.byKey { $0 != ReportMeasures() }
    report.days = days.byKey { $0 != ReportMeasures() }
    report.customers = customers.byPhone
    report.rules = ruleLines
    report.promises.sort {
      ($0.promise.openedAt, $0.promise.event.sequence, $0.promise.route)
        < ($1.promise.openedAt, $1.promise.event.sequence, $1.promise.route)
    }
    return report
  }

  private var ruleLines: [RuleLine] {
    var lines: [RuleLine] = []
    var places: [MessageEnd: Int] = [:]
    for (end, count) in rules {
      var key = end
      key.wasHeld = false
      let place = places[key] ?? lines.count
      if place == lines.count {
        places[key] = place
        lines.append(
          RuleLine(route: end.route, send: end.send, action: end.action, state: end.state, code: end.code))
      }
      lines[place].count += count
      if end.wasHeld { lines[place].held += count }
    }
    return lines.sorted {
      ($0.route, $0.send, $0.action, $0.state.rawValue, $0.code)
        < ($1.route, $1.send, $1.action, $1.state.rawValue, $1.code)
    }
  }
}

/// Measures by key, at a place each.
private struct Tally<Key: Hashable> {
  private var places: [Key: Int] = [:]
  var lines: [ReportMeasures] = []

  mutating func place(_ key: Key) -> Int {
    if let place = places[key] { return place }
    places[key] = lines.count
    lines.append(ReportMeasures())
    return lines.count - 1
  }

  func byKey(_ isKept: (ReportMeasures) -> Bool) -> [Key: ReportMeasures] {
    places.mapValues { lines[$0] }.filter { isKept($0.value) }
  }
}

/// Customers by their phones, which blocks have as numbers.
private struct CustomerTally {
  private var places: [UInt64: Int] = [:]
  /// Phones that are no numbers.
  private var others: [String: Int] = [:]
  var texts: [String] = []
  var lines: [CustomerMeasures] = []

  mutating func place(_ code: UInt64, in block: ReportBlock) -> Int {
    if code >> 63 == 1 { return place(other: block.phone(code) ?? "") }
    if let place = places[code] { return place }
    places[code] = add(block.phone(code) ?? "")
    return texts.count - 1
  }

  mutating func place(_ phone: String) -> Int {
    guard let number = phone.isEmpty ? 0 : ReportBlock.number(phone) else { return place(other: phone) }
    if let place = places[number] { return place }
    places[number] = add(phone)
    return texts.count - 1
  }

  private mutating func place(other phone: String) -> Int {
    if phone.isEmpty { return place("") }
    if let place = others[phone] { return place }
    others[phone] = add(phone)
    return texts.count - 1
  }

  private mutating func add(_ phone: String) -> Int {
    texts.append(phone)
    lines.append(CustomerMeasures())
    return texts.count - 1
  }

  var byPhone: [String: CustomerMeasures] {
    var found: [String: CustomerMeasures] = [:]
    for (place, phone) in texts.enumerated() where lines[place].measures != ReportMeasures() {
      var line = lines[place]
      line.outgoingRejections.sort()
      found[phone] = line
    }
    return found
  }
}

/// Days of a zone for many moments that lie near each other.
private struct DayClock {
  private let zone: Zone
  private var day = 0
  /// What is known to be that day.
  private var from = Timestamp(milliseconds: 0)
  private var to = Timestamp(milliseconds: 0)

  init(_ zone: Zone) { self.zone = zone }

  mutating func day(_ at: Timestamp) -> Int {
    if at >= from, at < to { return day }
    day = zone.civil(at: at).days
    from = at
    to = zone.nextMidnight(after: at)
    return day
  }
}
