// No false alarms: whatever the warnings conclude of conditions is held against events that are made up at random.
import DivertCore
import Testing

@testable import DivertConfig

@Suite struct WarningSoundnessTests {
  private static let names = ["Asha", "Asha Rao", "Zoe"]
  private static let zone = Zone.named("Asia/Kolkata") ?? .utc

  /// An event of a kind that there is, with values from a small world, so that conditions often meet.
  private static func event(_ random: inout Seeded) -> (Event, Int) {
    let place = Int.random(in: 0..<EventCase.all.count, using: &random)
    let kind = EventCase.all[place]
    func text(_ value: EventCase.Value, _ others: [String]) -> String? {
      switch value {
      case .text(let text): text
      case .missing: nil
      case .unknown: Bool.random(using: &random) ? others.randomElement(using: &random) : nil
      }
    }
    let at = Timestamp(milliseconds: 1_768_473_000_000 + Int64.random(in: -4...4, using: &random) * 21_600_000)
    var fields = Event.Fields(name: kind.name ?? "SOMETHING_NEW", at: at)
    fields.direction = text(kind.direction, ["INCOMING", "OUTGOING"])
    fields.status = text(kind.status, ["END", "REJECT", "OTHER"])
    fields.agent = text(kind.value(of: .agent), names)
    fields.customerName = text(kind.value(of: .customerName), names)
    fields.callDuration = text(kind.value(of: .callDuration), ["0", "5", "5.0", "7", "12"])
    fields.callEndedAt = kind.absent.contains(.callEndedAt) ? nil : at
    fields.callStartedAt = kind.absent.contains(.callStartedAt) || Bool.random(using: &random) ? nil : at
    fields.callFailedReason = text(kind.value(of: .callFailedReason), ["busy"])
    let raw: [JSONValue] = [
      [:], ["a": 5], ["a": 7], ["a": "5"], ["a": "x"], ["a": nil], ["a": ["x", "y"]], ["a": true],
    ]
    let event = Event(
      id: EventID(sequence: 1, tag: 1), source: "doubletick", receivedAt: at + .seconds(1), fields: fields, body: [],
      raw: raw.randomElement(using: &random) ?? [:])
    return (event, place)
  }

  private static func comparison(_ kind: ValueKind, _ random: inout Seeded) -> Comparison {
    let values: [JSONValue]
    var bounds: [Bound] = []
    switch kind {
    case .number, .json:
      values = kind == .number ? [0, 5, 7, 12] : [5, 7, "5", "x", true]
      bounds = [0, 5, 6, 7, 12].map { .number("\($0)") }
    case .moment:
      let moments = (-4...4).map { Timestamp(milliseconds: 1_768_473_000_000 + Int64($0) * 21_600_000) }
      values = moments.map { .string($0.iso8601) }
      bounds = moments.map { .moment($0) }
    case .clock:
      values = ["04:00", "10:00", "16:00", "22:00"]
      bounds = [240, 600, 960, 961, 1320].map { .clock($0) }
    case .boolean: values = [true, false]
    case .weekday: values = KnownValues.weekdays.map { .string($0) }
    case .text:
      values = (names + ["INCOMING", "OUTGOING", "END", "REJECT", "CALL_ENDED", "CALL_REJECTED", "SOMETHING_NEW"]).map {
        .string($0)
      }
    }
    func some() -> [JSONValue] {
      (0...Int.random(in: 0...2, using: &random)).compactMap { _ in values.randomElement(using: &random) }
    }
    let bound = bounds.randomElement(using: &random)
    switch (Int.random(in: 0...10, using: &random), bound) {
    case (0, let bound?): return .above(bound)
    case (1, let bound?): return .below(bound)
    case (2, let bound?): return .atLeast(bound)
    case (3, let bound?): return .atMost(bound)
    case (4, let bound?):
      let other = bounds.randomElement(using: &random) ?? bound
      return other == bound ? .isOneOf(some()) : .between(bound, other)
    case (5, _): return .exists(Bool.random(using: &random))
    case (6, _), (7, _): return .isNoneOf(some())
    case (8, _) where kind == .text || kind == .json:
      let part = ["Asha", "a", "IN", "CALL"].randomElement(using: &random) ?? "a"
      return [Comparison.contains(part), .startsWith(part), .endsWith(part), .matches(Pattern(checked: part))]
        .randomElement(using: &random) ?? .contains(part)
    default: return .isOneOf(some())
    }
  }

  private static let paths: [(ValuePath, ValueKind)] = [
    (.field(.event), .text), (.field(.direction), .text), (.field(.status), .text), (.field(.agent), .text),
    (.field(.customerName), .text), (.field(.callDuration), .number), (.field(.callDuration), .number),
    (.field(.at), .moment),
    (.field(.callEndedAt), .moment), (.field(.callFailedReason), .text), (.local(.time), .clock),
    (.local(.time), .clock),
    (.local(.weekday), .weekday), (.raw(["a"]), .json), (.raw(["a"]), .json),
  ]

  private static func condition(_ depth: Int, _ random: inout Seeded) -> Condition {
    switch Int.random(in: depth == 0 ? 3...3 : 0...7, using: &random) {
    case 0: return .all((0..<Int.random(in: 0...2, using: &random)).map { _ in condition(depth - 1, &random) })
    case 1: return .any((0..<Int.random(in: 1...2, using: &random)).map { _ in condition(depth - 1, &random) })
    case 2: return .not(condition(depth - 1, &random))
    default:
      let (path, kind) = paths.randomElement(using: &random) ?? paths[0]
      return .value(path, comparison(kind, &random))
    }
  }

  @Test("what is said of conditions is so for every event", arguments: UInt64(1)...6)
  func sound(seed: UInt64) {
    var random = Seeded(state: seed)
    let events = (0..<400).map { _ in Self.event(&random) }
    let judge = ConditionJudge()
    let conflicts = Conflicts(patterns: judge.patterns)
    var concluded = (excludes: 0, follows: 0, judged: 0)
    for _ in 0..<1500 {
      let above = (0..<Int.random(in: 0...2, using: &random)).map { _ in Self.condition(1, &random) }
      let own = Self.condition(2, &random)
      var terms = Conjunction()
      for condition in above { terms.add(condition) }
      let excludes = conflicts.excludes(terms, own)
      let follows = conflicts.follows(own, from: terms)
      let judgement = judge.judge(own)
      for (event, kind) in events {
        let context = EvaluationContext(event: event, zone: Self.zone, patterns: judge.patterns)
        let holds = own.holds(for: context)
        let bit = CaseSet(bits: 1 << UInt64(kind))
        if holds, (judgement.mayHold & bit).isEmpty { Issue.record("seed \(seed): \(own) holds for \(event.fields)") }
        if !holds, (judgement.mayFail & bit).isEmpty { Issue.record("seed \(seed): \(own) fails for \(event.fields)") }
        guard excludes || follows, above.allSatisfy({ $0.holds(for: context) }) else { continue }
        if holds, excludes {
          Issue.record("seed \(seed): \(own) excluded by \(above), yet \(event.fields) \(event.raw)")
        }
        if !holds, follows {
          Issue.record("seed \(seed): \(own) follows from \(above), yet \(event.fields) \(event.raw)")
        }
      }
      concluded.excludes += excludes ? 1 : 0
      concluded.follows += follows ? 1 : 0
      concluded.judged += judgement.mayHold == .all && judgement.mayFail == .all ? 0 : 1
    }
    // Enough was concluded for the test to mean something.
    #expect(concluded.excludes >= 10 && concluded.follows >= 10 && concluded.judged >= 100, "\(concluded)")
  }
}
