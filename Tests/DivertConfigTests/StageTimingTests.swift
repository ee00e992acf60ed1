// What time, the suppression list and memory say of a delivery when it is due, from the file to what comes next.

import DivertCore
import Testing

@testable import DivertConfig

@Suite struct StageTimingTests {
  private static func file(_ send: String, top: String = "", when: String = "event: CALL_REJECTED") -> String {
    """
    version: 1
    timezone: Asia/Kolkata
    \(top)
    targets:
      crm:
        url: https://crm.example.com
        actions:
          log: { post: /log, body: { call: "{{ call.id }}" } }
          steps:
            steps:
              - note: { post: /notes, body: { call: "{{ call.id }}" }, fields: { id: id } }
              - link: { post: /links, body: { note: "{{ steps.note.id }}" } }
      whatsapp:
        url: https://wa.example.com
        actions:
          template: { post: /t, body: { to: "{{ customer.phone }}" }, to_person: true, ambiguous: park }
          text: { post: /m, body: { to: "{{ customer.phone }}" }, to_person: true, ambiguous: park, class: answer }
    routes:
      declined:
        when: { \(when) }
        send:
          - \(send)
    """
  }

  /// Looked at so long after the event, which happened at 16:00:27 in Kolkata.
  private static func walk(
    _ send: String, after span: Span = .zero, top: String = "", when: String = "event: CALL_REJECTED"
  ) throws -> StageWalk {
    var walk = try StageWalk(file(send, top: top, when: when))
    walk.due = DueContext(now: StageWalk.now + span)
    walk.due?.delivery = DeliveryID(event: walk.event.id, ordinal: 0)
    return walk
  }

  private static func suppression(answers: Bool, until: Timestamp? = nil) -> Suppression {
    Suppression(
      phone: "+919876543210", reason: "grievance", coversAnswers: answers, since: StageWalk.now, until: until)
  }

  @Test("outside its hours a delivery is held until they begin, to the second")
  func hours() throws {
    let send = "crm.log: {}\n        hours: \"08:00-19:00\""
    var walk = try Self.walk(send)
    #expect(try walk.next().hasPrefix("log POST"))
    walk.due?.now = StageWalk.now + .hours(3)
    #expect(try walk.next() == "hold 2026-01-16T08:00:00.000+05:30 outside_hours")
    walk.due = nil
    #expect(try walk.next().hasPrefix("log POST"), "a rehearsal without a clock")
  }

  @Test("what has expired is not sent, and not held either")
  func expired() throws {
    var walk = try Self.walk("crm.log: {}\n        expires: 15m\n        hours: \"08:00-16:10\"", after: .minutes(14))
    #expect(try walk.next() == "hold 2026-01-16T08:00:00.000+05:30 outside_hours")
    walk.due?.now = StageWalk.now + .minutes(15)
    #expect(try walk.next() == "expired it was to be sent before 2026-01-15T16:15:27.000+05:30, 15m after the event")
  }

  @Test("a message that may have arrived is neither expired nor held nor withheld: it is asked after, or parked")
  func uncertain() throws {
    var walk = try Self.walk(
      "whatsapp.template: {}\n        expires: 15m\n        hours: \"08:00-09:00\"", after: .hours(1))
    walk.due?.suppression = Self.suppression(answers: true)
    walk.memo.isUncertain = true
    walk.memo.isCleared = true
    #expect(try walk.next().hasPrefix("template POST"))
  }

  @Test("a customer on the list gets no outreach, an answer only where the entry does not cover it, and machines go on")
  func suppressed() throws {
    for (action, answers, isWithheld) in [
      ("whatsapp.template", false, true), ("whatsapp.text", false, false), ("whatsapp.text", true, true),
      ("crm.log", true, false),
    ] {
      var walk = try Self.walk("{ \(action): {}, hours: \"08:00-19:00\" }")
      walk.due?.suppression = Self.suppression(answers: answers)
      #expect(try walk.next().hasPrefix("skip suppressed") == isWithheld, "\(action) \(answers)")
    }
  }

  @Test("a replay to a person is judged by the list, its hours and its expiry; one to a machine by none of them")
  func replays() throws {
    var person = try Self.walk("whatsapp.text: {}\n        hours: \"08:00-19:00\"", after: .hours(4))
    person.due?.isReplay = true
    #expect(try person.next().hasPrefix("hold"))
    var machine = try Self.walk("crm.log: {}\n        hours: \"08:00-19:00\"", after: .hours(4))
    machine.due?.isReplay = true
    #expect(try machine.next().hasPrefix("log POST"))
  }

  @Test("an edited request goes as it stands, and where its hours allow")
  func edited() throws {
    var walk = try Self.walk("crm.steps: {}\n        hours: \"08:00-19:00\"")
    #expect(try walk.next().hasPrefix("steps.note"))
    walk.due?.isEdited = true
    walk.due?.isReplay = true
    guard case .ask(let request) = walk.stage() else {
      Issue.record("it asks nothing")
      return
    }
    #expect(request.isOwn && request.step == "link", "its own request, which the edited one replaces")
  }

  @Test("memory is asked last, before each step and the request, and its answer is taken")
  func consult() throws {
    var walk = try Self.walk("crm.steps: {}\n        throttle: { at_most: 1, within: 1h, per: customer.phone }")
    guard case .consult(let question) = walk.stage() else {
      Issue.record("it does not ask")
      return
    }
    #expect(question.throttle?.place.key == "+919876543210" && question.delivery == walk.due?.delivery)
    walk.due?.answer = .go
    #expect(try walk.next().hasPrefix("steps.note"))
    walk.memo.steps["note"] = ["id": "n"]
    walk.due?.answer = nil
    #expect(try walk.next() == "consult")
    walk.due?.answer = .skip(Reason("throttled", "enough"))
    #expect(try walk.next() == "skip throttled: enough")
  }

  @Test("a condition on a lookup is judged before memory is asked, so that a no claims nothing")
  func guards() throws {
    let top = "lookups:\n  account: { get: \"crm:/accounts\", fields: { id: id, stage: stage } }"
    var walk = try Self.walk(
      "crm.log: {}\n        throttle: { at_most: 1, within: 1h }", top: top,
      when: "event: CALL_REJECTED, account.stage: early")
    #expect(try walk.next().hasPrefix("lookups.account GET"))
    walk.memo.lookups["account"] = ["id": 7, "stage": "late"]
    #expect(try walk.next().hasPrefix("skip condition_not_met"))
    walk.memo.lookups["account"] = ["id": 7, "stage": "early"]
    #expect(try walk.next() == "consult")
  }

  @Test("a replay asks nothing of memory")
  func replayedMemory() throws {
    var walk = try Self.walk("crm.log: {}\n        throttle: { at_most: 1, within: 1h, per: customer.phone }")
    #expect(try walk.next() == "consult")
    walk.due?.isReplay = true
    #expect(try walk.next().hasPrefix("log POST"))
  }
}
