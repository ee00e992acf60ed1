// A calendar budget (`budget: { at_most: 50000, per: day, zone: Asia/Kolkata }`): what went out in the period that runs.

/// Counts requests; begins anew with the next day or hour of its zone.
package struct BudgetMeter: Sendable {
  let budget: Budget
  /// Requests of the period that runs.
  package private(set) var spent = 0
  /// When it begins anew; nil: nothing went yet.
  package private(set) var endsAt: Timestamp?

  /// A new meter; what an old one of the same period and zone counted is kept.
  package init(_ budget: Budget, after old: BudgetMeter? = nil) {
    self.budget = budget
    guard let old, old.budget.period == budget.period, old.budget.zone == budget.zone else { return }
    (spent, endsAt) = (old.spent, old.endsAt)
  }

  /// Takes over what the last process counted, unless this one has begun to.
  package mutating func restore(_ count: BudgetCount) {
    if endsAt == nil { (spent, endsAt) = (max(0, count.spent), count.endsAt) }
  }

  /// As it is to be kept; nil: nothing went yet.
  package var count: BudgetCount? { endsAt.map { BudgetCount(spent: spent, endsAt: $0) } }

  /// Whether a request may go now.
  package mutating func has(_ now: Timestamp) -> Bool {
    begin(now)
    return spent < budget.most
  }

  /// Notes that a request goes; the caller has asked `has`.
  package mutating func take() { spent += 1 }

  /// Puts back what `take` took, unused.
  package mutating func giveBack() { spent = max(0, spent - 1) }

  /// An end that is further off than a period can last was set before the clock was set back.
  private mutating func begin(_ now: Timestamp) {
    if let endsAt, now < endsAt, endsAt - now <= longest { return }
    spent = 0
    endsAt = end(after: now)
  }

  private var longest: Span { budget.period == .day ? .hours(26) : .hours(2) }

  private func end(after now: Timestamp) -> Timestamp {
    let zone = Zone.named(budget.zone) ?? .utc
    if budget.period == .day { return zone.nextMidnight(after: now) }
    let hour: Int64 = 3_600_000
    let local = now.milliseconds + Int64(zone.offset(at: now)) * 1000
    return now + Span(milliseconds: hour - CivilTime.floorDivide(local, hour).1)
  }
}
