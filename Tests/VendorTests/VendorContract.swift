// The contract of a target type: real deliveries by its preset, over HTTP, to an emulator of the vendor that checks
// each request against a schema of the vendor's documentation and answers as the vendor does.
//
// How to add a vendor:
// 1. `Schemas/<name>.yaml`: the requests that the vendor takes, by names of your own (RequestSchema.swift says more):
//
//      post:
//        method: POST
//        path: /services/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]+    # for the whole path, without the query
//        headers: { required: [content-type], properties: { content-type: { const: application/json } } }
//        body: { type: object, required: [text], properties: { text: { type: string, maxLength: 40000 } } }
//
// 2. A suite with its cases, which imports DivertCore and Testing. A case is one event, the vendor's answers, and what
//    becomes of the delivery; each is a test of its own:
//
//      @Suite(.bounded) struct SlackTests {
//        static let hook = VendorContract(
//          "slack", target: #"{ type: slack, hook: "{{ secrets.hook }}" }"#,
//          secrets: ["hook": "@URL@/services/T0/B0/x"])
//
//        static let cases: [VendorCase] = [
//          .init("a text", send: "alert: Hello", [.text("ok")], .delivered, sees: ["text": "Hello"]),
//          .init("asked for less", send: "alert: Hello", [.text("", status: 429, ["Retry-After: 30"])],
//            .waiting("rule_throttle"), wait: 30...31),
//          .init("no answer", send: "alert: Hello", [.close], .waiting("connection_lost")),
//        ]
//        @Test("each answer is met as documented", arguments: cases) func contract(_ one: VendorCase) async throws {
//          try await Self.hook.check(one)
//        }
//      }
//
// `@URL@` stands for the emulator's address, in the target, in `top` and in secrets; a preset with an address of its own
// is given `url: "@URL@/…"`. The target is called `vendor`, is made `network: private` and has short names for its
// actions: `send: "alert: Hi"` is `vendor.alert: Hi`. Requests beyond the answers of a case, answers that nobody asked
// for, and requests that the schema does not know are faults. Backoffs last an hour unless the case says otherwise
// (`target: "retry: { backoff: 1ms..2ms }"`).

import DivertCore
import TestSupport
import Testing

/// A vendor's target with its schema.
struct VendorContract: Sendable {
  /// The name of its schema in `Schemas`.
  let schema: String
  /// The fields of the target, as a mapping in YAML's braces or as lines.
  let target: String
  let secrets: [String: String]
  /// Further sections of the file: `credentials:`, `lookups:` …
  let top: String

  init(_ schema: String, target: String, secrets: [String: String] = [:], top: String = "") {
    self.schema = schema
    self.target = target
    self.secrets = secrets
    self.top = top
  }
}

/// What the emulator does with one request.
struct Play: Sendable {
  /// The name of the request in the schema; nil: whichever comes.
  var operation: String?
  var answer: Answer
  /// In place of `answer`: an answer that repeats something of its request.
  var answering: (@Sendable (ReceivedRequest) -> Answer)?

  static func json(_ text: String, status: Int = 200, _ headers: [String] = []) -> Play {
    Play(answer: .status(status, headers: ["Content-Type: application/json"] + headers, body: Array(text.utf8)))
  }

  static func text(_ text: String, status: Int = 200, _ headers: [String] = []) -> Play {
    Play(answer: .status(status, headers: ["Content-Type: text/plain"] + headers, body: Array(text.utf8)))
  }

  static func empty(_ status: Int, _ headers: [String] = []) -> Play {
    Play(answer: .status(status, headers: headers, body: []))
  }

  /// Ends the connection without an answer: nobody knows whether the request did something.
  static let close = Play(answer: .close)

  /// The same for one kind of request: requests of one kind are answered in order, whatever comes between them.
  static func on(_ operation: String, _ play: Play) -> Play {
    Play(operation: operation, answer: play.answer, answering: play.answering)
  }

  /// JSON made of the request's own.
  static func json(status: Int = 200, of make: @escaping @Sendable (JSONValue) -> JSONValue) -> Play {
    Play(answer: .hang) { .json(make($0.document).text, status: status) }
  }
}

/// How a delivery stands in the end. The texts are reasons' codes.
enum DeliveryEnd: Sendable, Equatable {
  case delivered
  case dead(String)
  case waiting(String)
  case skipped(String)
  /// It waits, and its target is held or disabled for the same reason.
  case held(String)
  case disabled(String)

  static let ambiguous = dead("ambiguous")

  /// Nothing has ended: the delivery goes again some time.
  var isWait: Bool {
    switch self {
    case .waiting, .held, .disabled: true
    default: false
    }
  }
}

/// One event, the vendor's answers, and what becomes of its delivery.
struct VendorCase: Sendable, CustomTestStringConvertible {
  var name: String
  /// Entries of the route's `send:` without the target's name.
  var sends: [String]
  /// In the order of the requests, or of the requests of one kind.
  var plays: [Play]
  var end: DeliveryEnd
  /// Values in the body of the last request, by path; nil as `.null` also where there is nothing.
  var sees: [String: JSONValue]
  /// How many seconds a waiting delivery waits from now on.
  var wait: ClosedRange<Double>?
  /// Part of the reason's sentence.
  var because: String?
  /// Further lines of the target.
  var target: String
  /// Further lines of the file.
  var top: String
  /// What the events have in place of the sample's; one event each.
  var events: [JSONValue]
  var sample: SampleEvent
  /// Each request, in order.
  var requests: (@Sendable ([ReceivedRequest]) throws -> Void)?

  init(
    _ name: String, send: String, _ plays: [Play], _ end: DeliveryEnd, sees: [String: JSONValue] = [:],
    wait: ClosedRange<Double>? = nil, because: String? = nil, target: String = "", top: String = "",
    events: [JSONValue] = [[:]], sample: SampleEvent = .incomingRejected,
    requests: (@Sendable ([ReceivedRequest]) throws -> Void)? = nil
  ) {
    (self.name, self.plays, self.end) = (name, plays, end)
    sends = [send]
    (self.sees, self.wait, self.because) = (sees, wait, because)
    (self.target, self.top, self.events, self.sample) = (target, top, events, sample)
    self.requests = requests
  }

  var testDescription: String { name }
}

extension VendorContract {
  /// Plays a case: posts its events, waits until each of their deliveries has come to an end or to its wait, compares.
  func check(_ one: VendorCase, _ place: SourceLocation = #_sourceLocation) async throws {
    let emulator = VendorEmulator(
      try RequestSchema.named(schema), one.plays, endsInWait: one.end.isWait)
    let house = try VendorHouse(
      routes: routes(one).filled(emulator.url), secrets: secrets.mapValues { $0.filled(emulator.url) })
    do {
      let deliveries = try await outcome(one, house, emulator)
      try await compare(deliveries, one, house, emulator, place)
    } catch {
      Issue.record("\(one.name): \(error)\n\(emulator.story)\n\(house.log)", sourceLocation: place)
    }
    await house.close()
  }

  private func outcome(_ one: VendorCase, _ house: VendorHouse, _ emulator: VendorEmulator) async throws -> [Delivery] {
    var events: [EventID] = []
    for (number, overlay) in one.events.enumerated() {
      let body = one.sample.body(
        callID: "call_\(number + 1)", phone: "91987654321\(number % 10)",
        at: Timestamp(milliseconds: 1_768_473_025_000))
      events.append(try await house.receive(body.overlaid(with: overlay)))
    }
    var deliveries: [Delivery] = []
    for event in events {
      deliveries += try await house.deliveries(of: event) { found in
        found.allSatisfy { $0.state.isFinal } || (one.end.isMet(by: found) && emulator.isAtEnd)
      }
    }
    return deliveries
  }

  private func compare(
    _ deliveries: [Delivery], _ one: VendorCase, _ house: VendorHouse, _ emulator: VendorEmulator,
    _ place: SourceLocation
  ) async throws {
    #expect(!deliveries.isEmpty, "nothing was planned", sourceLocation: place)
    for delivery in deliveries {
      let reason = delivery.reason.map { "\($0.code): \($0.sentence)" } ?? "no reason"
      #expect(
        one.end.isMet(by: [delivery]), "\(delivery.state.name), \(reason)\n\(emulator.story)", sourceLocation: place)
      if let because = one.because { #expect(reason.contains(because), "\(reason)", sourceLocation: place) }
      if let wait = one.wait { #expect(wait.contains(delivery.waits), "\(delivery.waits) s", sourceLocation: place) }
    }
    let standing = await house.standing("vendor")
    #expect(standing == one.end.targetState, "the target is \(standing ?? "unknown")", sourceLocation: place)
    #expect(emulator.faults == [], "\(emulator.story)", sourceLocation: place)
    let requests = emulator.requests
    let body = requests.last?.document ?? .null
    for (path, wanted) in one.sees {
      let value = body.value(at: JSONPath.steps(path) ?? []) ?? .null
      #expect(value == wanted, "\(path) in \(requests.last?.text ?? "no request")", sourceLocation: place)
    }
    try one.requests?(requests)
  }

  /// The whole file.
  private func routes(_ one: VendorCase) -> String {
    """
    version: 1
    timezone: Asia/Kolkata
    country: IN
    sources: { doubletick: { type: doubletick } }
    defaults: { retry: { for: 24h, backoff: 1h..1h }, timeout: 10m }
    \(top)
    \(one.top)
    targets:
      vendor:
        network: private
    \((target + "\n" + one.target).asLines.indented(4))
    routes:
      all:
        when: { source: doubletick }
        send:
    \(one.sends.map { "- vendor." + String($0.indented(2).dropFirst(2)) }.joined(separator: "\n").indented(6))
    """
  }
}

extension DeliveryEnd {
  /// Whether all deliveries stand so.
  func isMet(by deliveries: [Delivery]) -> Bool {
    deliveries.allSatisfy { delivery in
      switch self {
      case .delivered: delivery.state == .delivered
      case .dead(let code): delivery.state == .dead && delivery.reason?.code == code
      case .skipped(let code): delivery.state == .skipped && delivery.reason?.code == code
      case .waiting(let code), .held(let code), .disabled(let code):
        // A slow machine may look only when the next attempt is under way, which gets no answer.
        (delivery.state == .waiting || delivery.state == .sending) && delivery.reason?.code == code
      }
    }
  }

  /// What the operator interface says of the target.
  fileprivate var targetState: String? {
    switch self {
    case .held: "held"
    case .disabled: "disabled"
    case .delivered, .dead, .waiting, .skipped: "open"
    }
  }
}

extension Delivery {
  /// The seconds between its last attempt's end and its next one.
  fileprivate var waits: Double {
    guard let last = attempts.last else { return 0 }
    return Double((due - (last.startedAt + last.duration)).milliseconds) / 1000
  }
}

extension ReceivedRequest {
  /// The body as JSON; a form's fields as an object of texts.
  var document: JSONValue {
    if header("content-type")?.hasPrefix("application/x-www-form-urlencoded") == true { return FormText.object(text) }
    return (try? JSONValue.parse(body)) ?? .null
  }
}

extension String {
  fileprivate func filled(_ url: String) -> String {
    split(separator: "@URL@", omittingEmptySubsequences: false).joined(separator: url)
  }

  fileprivate func indented(_ count: Int) -> String {
    let blank = String(repeating: " ", count: count)
    return split(separator: "\n", omittingEmptySubsequences: false).map { blank + $0 }.joined(separator: "\n")
  }

  /// A mapping in braces as lines, one a field; anything else as it is.
  fileprivate var asLines: String {
    let lines = split(separator: "\n", omittingEmptySubsequences: true)
    return lines.flatMap { line -> [String] in
      guard line.hasPrefix("{"), line.hasSuffix("}") else { return [String(line)] }
      return String(line.dropFirst().dropLast()).topLevelParts.map { String($0.drop { $0 == " " }) }
    }.joined(separator: "\n")
  }

  /// Split at the commas that stand in no quotes and no brackets.
  private var topLevelParts: [String] {
    var parts = [""]
    var (depth, quote) = (0, Character?.none)
    for character in self {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if "{[".contains(character) {
        depth += 1
      } else if "}]".contains(character) {
        depth -= 1
      } else if character == ",", depth == 0 {
        parts.append("")
        continue
      }
      parts[parts.count - 1].append(character)
    }
    return parts
  }
}
