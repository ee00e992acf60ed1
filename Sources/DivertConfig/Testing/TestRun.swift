// One test on its clock: what follows from its events, held against what it expects.
import DivertCore

/// A test while it runs.
struct TestRun {
  private let test: ConfigTest
  private let table: RouteTable
  /// Where a route of this path is switched off.
  private let switchedOff: (String) -> FileLine?
  private var clock: RehearsalClock
  /// Which of the test's events the clock's are, counted from 1: duplicates never reach it.
  private var numbers: [Int] = []
  /// What went out, and what was withheld, in the order of the clock.
  private var deliveries: [TestDelivery] = []
  private var withheld: [TestWithheld] = []
  /// What every route said to each event that was taken.
  private var explanations: [[RouteExplanation]] = []
  private var notes: [String] = []

  init(_ test: ConfigTest, _ table: RouteTable, switchedOff: @escaping (String) -> FileLine?) {
    self.test = test
    self.table = table
    self.switchedOff = switchedOff
    clock = RehearsalClock(table, test.setting)
  }

  /// When its last event has come: what stages are counted from.
  private var start: Timestamp { test.events.last?.event.receivedAt ?? Timestamp(milliseconds: 0) }

  mutating func result(_ gauge: inout CoverageGauge) -> TestResult {
    receive(&gauge)
    let last = test.stages.map(\.after).max() ?? .zero
    take(clock.run(until: start + last), &gauge)
    let compared = compareDeliveries() + faults() + bodies()
    return TestResult(
      name: test.name, place: test.place, deliveries: deliveries, withheld: withheld, differences: compared,
      notes: compared.isEmpty ? [] : notes)
  }
}

extension ConfigTest {
  /// What is so while it runs.
  fileprivate var setting: RehearsalSetting {
    var setting = RehearsalSetting()
    setting.lookups = lookups
    setting.suppressions = SuppressionList(suppressed)
    if let first = events.first?.event.receivedAt { setting.down = down.mapValues { first + $0 } }
    return setting
  }
}

// What follows.
extension TestRun {
  /// Lets the events come, one after another; a repetition of one is dropped as it would be.
  private mutating func receive(_ gauge: inout CoverageGauge) {
    var known: [[UInt8]: (until: Timestamp?, number: Int)] = [:]
    for (index, given) in test.events.enumerated() {
      if let key = given.dedupe {
        if let first = known[key.bytes], first.until.map({ given.event.receivedAt < $0 }) ?? true {
          notes.append("event \(index + 1) is a duplicate of event \(first.number) and was dropped")
          continue
        }
        known[key.bytes] = (key.holds.map { given.event.receivedAt + $0 }, index + 1)
      }
      follow(given.event, index + 1, &gauge)
    }
  }

  private mutating func follow(_ event: Event, _ number: Int, _ gauge: inout CoverageGauge) {
    take(clock.run(until: event.receivedAt, including: false), &gauge)
    let reception = clock.receive(event)
    numbers.append(number)
    explanations.append(reception.routes)
    gauge.note(fired: Set(reception.routes.flatMap(\.firedPaths)), in: reception.context)
  }

  private mutating func take(_ ended: [RehearsedDelivery], _ gauge: inout CoverageGauge) {
    for one in ended {
      let number = numbers[one.event]
      if let reason = one.withheld {
        withheld.append(
          TestWithheld(name: one.name, route: one.plan.route, event: number, at: one.endedAt, reason: reason))
      } else {
        deliveries.append(TestDelivery(one, event: number))
        gauge.note(sent: one)
      }
    }
  }
}

// What was expected.
extension TestRun {
  /// Stage by stage: each expects what goes out after the one before it.
  private func compareDeliveries() -> [TestDifference] {
    var differences: [TestDifference] = []
    var from: Timestamp?
    for stage in test.stages.sorted(by: { $0.after < $1.after }) {
      let until = start + stage.after
      let due = deliveries.filter { delivery in delivery.at <= until && from.map { delivery.at > $0 } ?? true }
      differences += compare(due, with: stage.sends)
      from = until
    }
    return differences
  }

  private func compare(_ due: [TestDelivery], with sends: [String]) -> [TestDifference] {
    var left = due
    var missing: [String] = []
    for send in sends {
      if let place = left.firstIndex(where: { $0.name == send }) {
        left.remove(at: place)
      } else {
        missing.append(send)
      }
    }
    return missing.map { difference(missing: $0, due, left) }
      + left.map {
        TestDifference(
          kind: .unexpected, delivery: $0.name, route: $0.route, event: $0.event, why: later($0.at))
      }
  }

  /// - Parameter left: what was sent and not expected: the nearest of it may be what was meant.
  private func difference(missing send: String, _ due: [TestDelivery], _ left: [TestDelivery]) -> TestDifference {
    let count = due.count { $0.name == send }
    let target = send.prefix { $0 != "." }
    let nearest = left.first { $0.name.prefix { $0 != "." } == target }
    let instead = nearest.map { "; \($0.name) went out in its place (route \($0.route))" } ?? ""
    let reason =
      count > 0
      ? "it went out \(count) time\(count == 1 ? "" : "s")"
      : kept(send) ?? elsewhere(send, left) ?? whyNot(send) ?? "no route sends it"
    return TestDifference(kind: .missing, delivery: send, why: reason + instead)
  }

  /// When it was, where that was after the last event.
  private func later(_ moment: Timestamp) -> String? {
    moment > start ? "\((moment - start).duration) after the last event" : nil
  }

  /// By what it was withheld, where time or memory did that.
  private func kept(_ send: String) -> String? {
    guard let one = withheld.last(where: { $0.name == send && $0.isByMemory }) else { return nil }
    return "route \(one.route) sends it, but it was withheld: \(one.reason.sentence)"
  }

  /// When it went out or falls due, where that is at another time.
  private func elsewhere(_ send: String, _ left: [TestDelivery]) -> String? {
    if let pending = clock.pending.first(where: { $0.plan.target + "." + $0.plan.action == send }) {
      return "route \(pending.plan.route) sends it later: \((pending.plan.due - start).duration) after the last event"
    }
    guard let other = deliveries.last(where: { $0.name == send }) else { return nil }
    return "it went out at another time: " + (later(other.at) ?? "before the last event had come")
  }

  /// Why no route sent it: of the routes that would, the one that came nearest to firing.
  private func whyNot(_ send: String) -> String? {
    let silent = explanations.flatMap { $0.flatMap { $0.silent(for: send, above: nil) } }
    guard let nearest = silent.min(by: { $0.distance < $1.distance }) else { return nil }
    let cause = nearest.cause
    let who = cause.path == nearest.path ? "it" : "route \(cause.path) above it"
    if !cause.enabled {
      let place = switchedOff(cause.path).map { " (\($0))" } ?? ""
      return "route \(nearest.path) sends it, but \(who) is switched off\(place)"
    }
    if let withheld = cause.withheld { return "route \(nearest.path) sends it, but \(who) did not act: \(withheld)" }
    let failures = cause.condition.failures.map(\.failure).joined(separator: "; ")
    return "route \(nearest.path) sends it, but \(who) did not match: \(failures)"
  }

  private func faults() -> [TestDifference] {
    deliveries.filter { !$0.openLookups.isEmpty }.map { delivery in
      let names = delivery.openLookups.map { "`\($0)`" }.joined(separator: " and ")
      let example = delivery.openLookups.map { "\($0): { … }" }.joined(separator: ", ")
      let reason = "it asks \(names), and the test does not say what that answers: lookups: { \(example) }"
      return TestDifference(
        kind: .lookup, delivery: delivery.name, route: delivery.route, event: delivery.event, why: reason)
    }
      + deliveries.flatMap { delivery in
        delivery.openCreations.map { name in
          let reason =
            "it creates `\(name)`, and whether it goes depends on that: say what the answer gives: "
            + "lookups: { \(name): { created: { … } } }"
          return TestDifference(
            kind: .lookup, delivery: delivery.name, route: delivery.route, event: delivery.event, why: reason)
        }
      }
      + deliveries.compactMap { delivery in
        delivery.fault.map {
          TestDifference(
            kind: .fault, delivery: delivery.name, route: delivery.route, event: delivery.event, why: $0.sentence)
        }
      }
  }

  private func bodies() -> [TestDifference] {
    test.bodies.flatMap { expected -> [TestDifference] in
      let sent = deliveries.filter { $0.name == expected.send && $0.fault == nil && $0.openLookups.isEmpty }
      let values = expected.isPerDelivery ? expected.values : sent.map { _ in expected.values.first ?? .null }
      return zip(sent, values).flatMap { delivery, value in
        BodyDifference.all(expected: value, actual: delivery.body).map { found in
          TestDifference(
            kind: .body, delivery: delivery.name, route: delivery.route, event: delivery.event, path: found.path,
            expected: found.expected, actual: found.actual)
        }
      }
    }
  }
}

/// A route that did not fire.
private struct SilentRoute {
  var path: String
  /// Itself, or the topmost route above it that did not fire.
  var cause: RouteExplanation
  /// How much stood against it.
  var distance: Int
}

extension RouteExplanation {
  /// The paths of this route and those under it that fired.
  fileprivate var firedPaths: [String] { (fired ? [path] : []) + children.flatMap(\.firedPaths) }

  /// The routes from here on that did not fire and have this send.
  fileprivate func silent(for send: String, above: SilentRoute?) -> [SilentRoute] {
    var own: SilentRoute?
    if !fired {
      // To be switched off is no distance: the event is the one that the route is for.
      let distance = condition.failures.count + (above?.distance ?? 0) * 2
      own = SilentRoute(path: path, cause: above?.cause ?? self, distance: distance)
    }
    let here = own.map { sends.contains(send) ? [$0] : [] } ?? []
    return here + children.flatMap { $0.silent(for: send, above: own) }
  }
}

extension TestDelivery {
  init(_ rehearsed: RehearsedDelivery, event: Int) {
    name = rehearsed.name
    route = rehearsed.plan.route
    due = rehearsed.plan.due
    at = rehearsed.endedAt
    self.event = event
    openLookups = rehearsed.openLookups
    openCreations = rehearsed.openCreations
    fault = openLookups.isEmpty ? rehearsed.fault : nil
    if case .success(let request) = rehearsed.request { body = request.readableBody }
  }
}
