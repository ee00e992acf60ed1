// Time and memory in the delivery machine's walk: allowed hours that come and go, deliveries that expire wherever they wait, and a limit
// that is asked of the store; and the judge of all three.

@testable import DivertCore

/// What a route of the walk says of time and memory, by the letters of its name.
struct WorldTiming {
  let hasHours: Bool
  let asks: Bool
  /// Something follows when it has expired.
  let hasOtherwise: Bool

  init(_ delivery: Delivery) {
    hasHours = delivery.plan.route.contains("h")
    asks = delivery.plan.route.contains("q") && delivery.replayOf == nil
    hasOtherwise = delivery.plan.route.contains("o")
  }

  static let routes = ["r", "r", "r", "h", "q", "o", "hq", "qo", "hqo"]
  /// At most so many within so long, a target.
  static let most = 3
  static let within = Span.seconds(4)

  /// Open fourteen seconds of 21.
  static func isOpen(_ time: Timestamp) -> Bool { time.milliseconds / 7_000 % 3 != 2 }
  static func opening(after time: Timestamp) -> Timestamp {
    Timestamp(milliseconds: (time.milliseconds / 7_000 + 1) * 7_000)
  }
}

extension MachineWorld {
  /// What time says of a delivery that passed a gate; true: it is dealt with.
  mutating func judgeTime(_ token: JobToken, _ delivery: Delivery) throws(Illegal) -> Bool {
    if delivery.memo.isUncertain { return false }
    if delivery.hasExpired(at: now) {
      try expire(token)
      return true
    }
    if WorldTiming(delivery).hasHours, !WorldTiming.isOpen(now) {
      let opening = WorldTiming.opening(after: now)
      note("hold \(delivery.id) until \(opening.milliseconds)")
      holds += 1
      machine.held(token, until: opening, Reason("outside_hours", "not now"), now: now)
      return true
    }
    return false
  }

  /// What memory says before its own request, or a step; true: it is dealt with.
  mutating func consult(_ token: JobToken, _ delivery: Delivery, at place: StagePlace) -> Bool {
    guard WorldTiming(delivery).asks, !delivery.memo.isUncertain else { return false }
    switch machine.answer(of: token) {
    case .go: return false
    case .skip(let reason):
      note("\(delivery.id) skipped: \(reason.code)")
      ended[delivery.id] = .skipped
      machine.skipped(token, reason, now: now)
    case nil where place.hasPassed && place.queue == delivery.plan.target:
      note("\(delivery.id) asks memory")
      questions += 1
      let question = DueQuestion(delivery: delivery.id, at: delivery.plan.due, now: now)
      machine.consults(token, question)
    case nil: machine.moved(token, to: nil, now: now)
    }
    return true
  }

  /// Ends one that has expired, wherever it waits.
  mutating func expire(_ token: JobToken) throws(Illegal) {
    guard let delivery = machine.job(token)?.delivery else { return }
    guard delivery.hasExpired(at: now) else { throw Illegal("\(delivery.id) expires too early") }
    if machine.isWaiting(token.slot), chance(10) { return machine.stays(token, now: now) }
    let phase = machine.jobs[token.slot].phase
    note("\(delivery.id) expired, \(phase)")
    if let state = ended[delivery.id] { throw Illegal("\(delivery.id) expires though it is \(state)") }
    if transfers.contains(where: { $0.id == delivery.id }) { throw Illegal("\(delivery.id) expires under way") }
    ended[delivery.id] = .skipped
    expiries += 1
    var followUps: [PlannedDelivery] = []
    if WorldTiming(delivery).hasOtherwise {
      let target = chance(50) ? "a" : "person"
      followUps = [
        PlannedDelivery(
          route: "f", send: "f\(delivery.id.ordinal)", target: target, action: "x", orderKey: nil, due: now,
          toPerson: target == "person", prepares: target == "person")
      ]
    }
    machine.expired(token, Reason("expired", "too late"), followUps: followUps, now: now)
  }

  /// The judge of what is sent.
  mutating func judgeTiming(_ delivery: Delivery) throws(Illegal) {
    let timing = WorldTiming(delivery)
    if delivery.hasExpired(at: now) { throw Illegal("\(delivery.id) is sent after it expired") }
    if timing.hasHours, !WorldTiming.isOpen(now) { throw Illegal("\(delivery.id) is sent outside its hours") }
    if timing.asks, consulted.remove(delivery.id) == nil { throw Illegal("\(delivery.id) is sent unasked") }
  }

  /// Every delivery that expired has what follows once, and only those have.
  func judgeFollowUps() throws(Illegal) {
    for row in store.rows.values where row.plan.route != "f" {
      let isDue = row.reason?.code == "expired" && WorldTiming(row).hasOtherwise
      if isDue != (store.followed[row.id] != nil) { throw Illegal("\(row.id) is followed wrongly: \(isDue)") }
    }
    for entry in store.events.values {
      for (ordinal, state) in entry.states.enumerated() {
        guard case .ended(_, let reason, _) = state, reason.code == "expired" else { continue }
        let id = DeliveryID(event: entry.event.id, ordinal: ordinal)
        if entry.planned[ordinal].route.contains("o") { throw Illegal("\(id) expired, and nothing follows") }
      }
    }
  }
}

extension ModelStore {
  /// Waiting rows that may expire, and when.
  func expiring() -> [DeliveryID: Timestamp] {
    rows.compactMapValues { row in
      row.state == .waiting && !row.memo.isUncertain && !claimed.contains(row.id) ? row.plan.expires : nil
    }
  }

  mutating func claimExpired(_ wish: ClaimWish, now: Timestamp) -> Claim {
    let all = expiring().sorted { ($0.value.milliseconds, $0.key.ordinal) < ($1.value.milliseconds, $1.key.ordinal) }
    let taken = all.filter { $0.value <= now }.prefix(wish.limit).map(\.key)
    claim(taken)
    return Claim(
      target: wish.target, deliveries: taken.compactMap { rows[$0] }.compactMap { found($0) },
      nextDue: expiring().values.min())
  }

  /// Claims are by target here, whatever the key.
  mutating func answer(_ question: DueQuestion) -> DueAnswer {
    guard let row = plan(of: question.delivery) else { return .go }
    let since = question.now - WorldTiming.within
    let others = claims[row.target, default: [:]].filter { $0.key != question.delivery && $0.value > since }
    if others.count >= WorldTiming.most { return .skip(Reason("throttled", "enough")) }
    keep(claim: question.delivery, of: row.target, at: question.now)
    return .go
  }

  private func plan(of id: DeliveryID) -> PlannedDelivery? {
    rows[id]?.plan ?? events[id.event.sequence]?.planned[id.ordinal]
  }
}
