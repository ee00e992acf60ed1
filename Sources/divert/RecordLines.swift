// What `record verify` and `record show` print for people.

import DivertCore
import DivertServer

enum RecordLines {
  static func print(verdict: JSONValue) {
    let sealed = counts(verdict["sealed"])
    Console.print("the record stands at \(verdict.cell("head"))")
    Console.print("sealed: \(sealed)" + (verdict.cell("began_at").orNil.map { ", since \($0)" } ?? ""))
    if let before = verdict["events_before"]?.integer, before > 0 {
      Console.print("\(before) events came before the record began and are not covered")
    }
    for removal in verdict.items("removals") {
      let events = removal["kind"]?.string == "erasure" ? ", \(removal.cell("events")) events" : ""
      Console.print("\(removal.cell("kind")) on record: entry \(removal.cell("entry")), \(removal.cell("at"))\(events)")
    }
    anchors(verdict)
    for problem in verdict.items("problems") {
      let entry = problem.cell("entry").orNil.map { " (entry \($0))" } ?? ""
      let what = "\(problem.cell("kind")) \(problem.cell("id"))"
      Console.print(
        "problem: \(Console.safe(what)) \(problem.cell("code"))\(entry): \(Console.safe(problem.cell("sentence")))")
    }
    if let more = verdict["untold"]?.integer, more > 0 { Console.print("and \(more) problems more") }
    Console.print(verdict["holds"]?.bool == true ? "the record holds" : "the record does not hold")
  }

  private static func anchors(_ verdict: JSONValue) {
    let through = verdict["anchored_through"]?.integer ?? 0
    let given = verdict.items("heads").filter { $0["event"] == nil }
    for head in given where head["holds"]?.bool == true { Console.print("✓ head \(head.cell("head"))") }
    if through == 0 {
      return Console.print("unanchored: all of it, since no head is known outside; give one with --head")
    }
    if given.isEmpty, let last = verdict.items("heads").last(where: { $0["delivered"]?.bool == true }) {
      Console.print(
        "anchored through entry \(through), by the head that \(last.cell("event")) published; hold it against the")
      Console.print("  copy there: divert record verify --head \(last.cell("head"))")
    } else {
      Console.print("anchored through entry \(through)")
    }
    Console.print("unanchored since then: \(counts(verdict["unanchored"]))")
  }

  private static func counts(_ counts: JSONValue?) -> String {
    let counts = counts ?? .null
    return
      "\(counts.cell("events")) events, \(counts.cell("deliveries")) ends of deliveries, \(counts.cell("changes")) changes"
  }

  static func print(history: JSONValue) {
    Console.print("\(history.cell("phone")): \(history.cell("events")) events")
    for entry in history.items("history") {
      Console.print("")
      if entry["kind"]?.string == "event" { event(entry) } else { suppression(entry) }
    }
  }

  private static func event(_ entry: JSONValue) {
    let event = entry["event"] ?? .null
    let agent = event.cell("agent").orNil.map { ", agent \($0)" } ?? ""
    Console.print("\(entry.cell("at"))  \(event.cell("event"))  \(event.cell("id"))\(Console.safe(agent))")
    for delivery in entry.items("deliveries") {
      let reason = delivery.cell("reason", "sentence").orNil.map { ": \($0)" } ?? ""
      let name = "\(delivery.cell("target")).\(delivery.cell("action"))"
      Console.print("  \(delivery.cell("id"))  \(name)  \(delivery.cell("state"))\(Console.safe(reason))")
      for attempt in delivery.items("attempts") {
        let status = attempt.cell("status").orNil ?? "no answer"
        let why = Console.safe(attempt.cell("reason", "sentence"))
        Console.print("    \(attempt.cell("at"))  \(attempt.cell("outcome"))  \(status): \(why)")
      }
    }
    for promise in entry.items("promises") {
      let kept = promise.cell("kept_by").orNil.map { " by \($0) at \(promise.cell("kept_at"))" } ?? ""
      let standing = promise.cell("standing").replacing("_", with: " ")
      Console.print("  promise of \(promise.cell("route")), due \(promise.cell("deadline")): \(standing)\(kept)")
    }
  }

  private static func suppression(_ entry: JSONValue) {
    if entry["change"]?.string != "added" {
      return Console.print("\(entry.cell("at"))  taken off the suppression list")
    }
    let scope = entry["answers"]?.bool == true ? "all messages" : "outreach"
    let until = entry.cell("until").orNil.map { " until \($0)" } ?? ""
    Console.print("\(entry.cell("at"))  suppressed: \(scope)\(until), \(Console.safe(entry.cell("reason")))")
  }
}
