// `send`: an event handed to the running router, and what became of it, line by line as it happens.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation
import Synchronization

struct Send: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send a sample event, a file or standard input, and watch the deliveries that follow.",
    discussion: """
      Samples: \(SampleEvent.allCases.map(\.rawValue).joined(separator: ", ")). Each is a new call from now unless --call-id \
      says otherwise. Exit status 1 when a delivery died or had not ended in time.
      """)

  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "A sample's name, a file, or - for standard input.") var event: String
  @Option(help: "The source to send it as.") var source = "doubletick"
  @Option(help: "The customer's phone number, for a sample.") var phone = "919876543210"
  @Option(help: "The call's id, for a sample.") var callID: String?
  @Option(help: "Names the event when the body does not (call-rejected).") var label: String?
  @Option(help: "How long to watch: 30s, 5m.") var wait = "30s"

  func validate() throws { try SamplePhone.check(phone) }

  func run() async throws {
    guard let wait = Span(duration: wait).map({ Int($0.milliseconds / 1000) }) else {
      throw ValidationError("--wait \(wait): write a length of time, as in 30s or 5m")
    }
    let (body, name) = try read()
    try await Desk.open(options) { desk in
      let teller = DeliveryTeller(json: output.format == .json)
      let members: [(String, JSONValue?)] = [
        ("source", .string(source)), ("label", (label ?? name).map { .string($0) }), ("body", .string(body)),
        ("wait_seconds", .number(wait)),
      ]
      let object = JSONObject(members.compactMap { key, value in value.map { .init(key: key, value: $0) } })
      let answer = try await desk.channel.send(OperatorRequest(post: "/api/send", .object(object))) { teller.tell($0) }
      guard answer.isSuccess else {
        let refusal = teller.refusal ?? (try? JSONValue.parse(answer.body)) ?? .null
        throw Desk.failure(refusal, answer.status)
      }
      try teller.conclude(wait)
    }
  }

  /// The body and, for a sample, the label of its event.
  private func read() throws -> (String, String?) {
    if let sample = SampleEvent(rawValue: event) {
      let now = WallClock.now()
      let id = callID ?? "call_sample_\(now.milliseconds)"
      return (sample.body(callID: id, phone: phone, at: now).text, sample.label)
    }
    if event == "-" {
      return (String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self), nil)
    }
    guard let data = FileManager.default.contents(atPath: event) else {
      let samples = SampleEvent.allCases.map(\.rawValue).joined(separator: ", ")
      throw Console.fail("\(event) is neither a file that can be read nor a sample: \(samples)")
    }
    return (String(decoding: data, as: UTF8.self), nil)
  }
}

/// The number that a sample is given.
enum SamplePhone {
  /// Refuses what is no number in any country: the event would come without a phone.
  static func check(_ text: String) throws {
    if Phone.e164(text, country: "IN") != nil || Phone.e164("+" + Phone.digits(text), country: "IN") != nil { return }
    throw ValidationError("--phone \(text): write a phone number with its country code, as in 919876543210")
  }
}

/// Prints the stream of `/api/send`.
private final class DeliveryTeller: Sendable {
  private struct State {
    var told: [String: String] = [:]
    var dead = 0
    var open = 0
    var done = false
    var refusal: JSONValue?
  }
  private let json: Bool
  private let state = Mutex(State())

  init(json: Bool) { self.json = json }

  /// The answer that was no stream.
  var refusal: JSONValue? { state.withLock { $0.refusal } }

  func tell(_ line: [UInt8]) {
    guard let value = try? JSONValue.parse(line) else { return }
    if json { Console.print(value.text) }
    if value["error"] != nil { state.withLock { $0.refusal = value } }
    if let accepted = value["accepted"], !json {
      Console.print("\(accepted.cell("status")) as \(accepted.cell("id"))")
    }
    if let delivery = value["delivery"] { tell(delivery: delivery) }
    if let open = value["open"]?.integer {
      state.withLock { state in
        state.open = Int(open)
        state.done = true
      }
    }
  }

  private func tell(delivery: JSONValue) {
    let text = Self.line(delivery)
    let id = delivery.cell("id")
    let isNews = state.withLock { state in
      if delivery.cell("state") == "dead", state.told[id]?.contains(" dead ") != true { state.dead += 1 }
      return state.told.updateValue(text, forKey: id) != text
    }
    // A delivery that was only planned says nothing yet, unless it is for later.
    let isPlain = delivery.items("attempts").isEmpty && delivery["waits_for"] == nil && !Self.isForLater(delivery)
    if isNews, !json, !isPlain || delivery.cell("state") != "waiting" { Console.print(text) }
  }

  /// Planned for a time that has not come (`after`, `hours`, `expect`), and not tried yet.
  private static func isForLater(_ delivery: JSONValue) -> Bool {
    guard delivery.cell("state") == "waiting", delivery.items("attempts").isEmpty,
      let due = delivery["due"]?.string.flatMap({ Timestamp(iso8601: $0) })
    else { return false }
    return due > WallClock.now() + .seconds(2)
  }

  /// `  delivered  crm.log_call  200 in 12 ms  (agent-declined)`; of a stage before its own request
  /// `  waiting    crm.log_call  lookup crm.contact: 200 in 12 ms  (agent-declined)`.
  private static func line(_ delivery: JSONValue) -> String {
    let last = delivery.items("attempts").last
    var what = last.map { "\($0.cell("status").orNil ?? "no answer") in \($0.cell("milliseconds")) ms" } ?? ""
    if let stage = last?.cell("stage").orNil { what = "\(stage): \(what)" }
    let state = delivery.cell("state")
    let goesOn = ["ok", "ok_duplicate"].contains(last?.cell("outcome") ?? "")
    if state == "waiting", let still = delivery.cell("waits_for", "sentence").orNil {
      what += (what.isEmpty ? "for " : "; for ") + Console.safe(still)
    } else if isForLater(delivery) {
      what = "until \(delivery.cell("due"))"
    } else if state == "waiting", !goesOn {
      // What holds its whole target has no time of its own; `divert targets list` knows when the target is probed.
      let stands = ["hold", "refresh", "disable"].contains(last?.cell("outcome") ?? "")
      what += stands ? "; when the target is released" : "; again at \(delivery.cell("due"))"
      what += ": " + delivery.cell("reason", "sentence")
    }
    if state == "dead" || state == "skipped" {
      what += (what.isEmpty ? "" : ": ") + delivery.cell("reason", "sentence")
    }
    let name = delivery.cell("target") + "." + delivery.cell("action")
    return "  " + state.padding(toLength: 10, withPad: " ", startingAt: 0)
      + name.padding(toLength: max(22, name.count + 1), withPad: " ", startingAt: 0) + what
      + "  (\(delivery.cell("route")))"
  }

  /// Says how it ended; throws exit status 1 when something died or is open.
  func conclude(_ wait: Int) throws {
    let (told, dead, open) = state.withLock { ($0.told.count, $0.dead, $0.open) }
    if !json {
      if told == 0 { Console.print("no route matched: the event is kept, nothing was sent") }
      if open > 0 { Console.print("\(open) not ended after \(wait) s; `divert status` shows what they wait for") }
    }
    if dead > 0 || open > 0 { throw ExitCode(1) }
  }
}
