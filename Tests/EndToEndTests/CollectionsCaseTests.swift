// The guide's case, whole, by examples/collections/routes.yaml alone: what docs/collections.md says sentence by sentence.

import DivertCore
import Foundation
import Testing
import TestSupport

@Suite("The lender's collections team", .bounded, .serialized) struct CollectionsCaseTests {
  // MARK: A borrower called, and an officer declined

  @Test("a borrower whose call was declined is apologised to at once, and account, officer and team lead have it")
  func declinedByOfficer() async throws {
    let now = Lender.at("16:00")
    let lender = try await Lender.open(at: now)
    try await lender.call(.incomingRejected, "call_1", Lender.mid, at: now)

    let message = await lender.whatsapp.request(1)
    #expect(message.json["to"]?.string == Lender.mid)
    let promise = "We missed your call and we apologise. An officer will contact you within the hour."
    #expect(message.json["content"]?["text"]?.string == promise)
    _ = await lender.slack.request(1)
    #expect(lender.alerts == ["James Smith declined a call from Rohan Mehta (+91******0002) at 16:00"])
    try await lender.router.until("the CRM has it") {
      lender.crm.account(Lender.mid)?.calls.count == 1 && lender.crm.now.activity.count == 1
    }
    let call = try #require(lender.crm.account(Lender.mid)?.calls.first)
    #expect(call["direction"] == "INCOMING" && call["agent"] == "James Smith" && call["call_id"] == "call_1")
    #expect(call["at"]?.string == now.iso8601)
    #expect(lender.crm.now.activity.first?["agent"] == "James Smith")
    #expect(lender.crm.now.strange.isEmpty)
    try await lender.router.expectAudit()
  }

  @Test("the team lead hears of it when nobody called back within the hour, and not when somebody did")
  func callBack() async throws {
    let now = Lender.at("16:00")
    let lender = try await Lender.open(at: now)
    let forgotten = try await lender.call(.incomingRejected, "call_1", Lender.mid, at: now)
    let remembered = try await lender.call(.incomingRejected, "call_2", Lender.late, at: now)
    _ = await lender.slack.request(2)
    try lender.clock.set(now + .minutes(40))
    try await lender.call(.accepted, "call_3", Lender.late, at: now + .minutes(40))
    try lender.clock.set(now + .minutes(59))
    #expect(lender.alerts.count == 2)
    try lender.clock.set(now + .minutes(61))

    _ = await lender.slack.request(3)
    let alert = "No call back to Rohan Mehta (+91******0002) within the hour; James Smith had declined the call"
    #expect(lender.alerts.last == alert)
    try await lender.router.until("the other promise is judged") {
      try await lender.router.deliveries(remembered).contains { $0["reason"]?["code"] == "promise_kept" }
    }
    try await lender.router.until("everything of the forgotten one is delivered") {
      try await lender.router.deliveries(forgotten).allSatisfy { $0["state"] == "delivered" }
    }
    #expect(lender.alerts.count == 3)
    try await lender.router.expectAudit()
  }

  @Test("after 18:00 nobody is promised a call within the hour")
  func afterHours() async throws {
    let now = Lender.at("19:30")
    let lender = try await Lender.open(at: now)
    try await lender.call(.incomingRejected, "call_1", Lender.mid, at: now)
    let message = await lender.whatsapp.request(1)
    let text = "We missed your call and we apologise. An officer will contact you in the morning."
    #expect(message.json["content"]?["text"]?.string == text)
  }

  // MARK: An officer called, and the borrower declined

  @Test("an early account's decline is noted, and a WhatsApp message follows after ten minutes instead of another call")
  func early() async throws {
    let now = Lender.at("11:00")
    let lender = try await Lender.open(at: now)
    try await lender.call(.outgoingRejected, "call_1", Lender.early, at: now)
    try await lender.router.until("the CRM has call and note") {
      lender.crm.account(Lender.early)?.calls.count == 1 && lender.crm.account(Lender.early)?.notes.count == 1
    }
    #expect(lender.crm.account(Lender.early)?.calls.first?["agent"] == "James Smith")
    #expect(lender.whatsapp.requests.isEmpty && lender.crm.now.tasks.isEmpty && lender.crm.now.reviews.isEmpty)
    try lender.clock.set(now + .minutes(10))
    let message = await lender.whatsapp.request(1)
    #expect(message.text.contains("emi_followup"))
    #expect(lender.slack.requests.isEmpty)
    try await lender.router.expectAudit()
  }

  @Test(
    "a follow-up that falls outside 08:00 to 19:00 is held until the morning, and nothing of the customer waits for it")
  func held() async throws {
    let now = Lender.at("18:55")
    let lender = try await Lender.open(at: now)
    try await lender.call(.outgoingRejected, "call_1", Lender.early, at: now)
    try await lender.router.until("the CRM has it") { lender.crm.account(Lender.early)?.notes.count == 1 }
    try lender.clock.set(Lender.at("21:00"))
    try await lender.call(.incomingRejected, "call_2", Lender.early, at: Lender.at("21:00"))
    let apology = await lender.whatsapp.request(1)
    #expect(apology.text.contains("in the morning"))
    #expect(lender.whatsapp.requests.count == 1)
    try lender.clock.set(Lender.at("08:01", day: 25))
    let followUp = await lender.whatsapp.request(2)
    #expect(followUp.text.contains("emi_followup"))
  }

  @Test("two declines within seven days raise the risk one level, once, and ask for a senior officer's review")
  func repeated() async throws {
    let first = Lender.at("11:00", day: 20)
    let lender = try await Lender.open(at: first)
    try await lender.call(.outgoingRejected, "call_1", Lender.mid, at: first)
    try await lender.router.until("the first is logged") { lender.crm.account(Lender.mid)?.calls.count == 1 }
    #expect(lender.crm.account(Lender.mid)?.risk == "medium" && lender.crm.now.reviews.isEmpty)

    let second = Lender.at("11:00", day: 25)
    try lender.clock.set(second)
    try await lender.call(.outgoingRejected, "call_2", Lender.mid, at: second)
    try await lender.call(.outgoingRejected, "call_2", Lender.mid, at: second)
    try await lender.router.until("the risk is raised and reviewed") {
      lender.crm.account(Lender.mid)?.risk == "high" && lender.crm.now.reviews.count == 1
    }
    #expect(lender.crm.now.reviews.first?["queue"] == "senior-officers")
    try await lender.call(.outgoingRejected, "call_3", Lender.mid, at: second + .minutes(5))
    try await lender.router.until("the third is logged") { lender.crm.account(Lender.mid)?.calls.count == 3 }
    #expect(lender.crm.account(Lender.mid)?.risk == "high" && lender.crm.now.reviews.count == 1)
    #expect(lender.crm.now.tasks.isEmpty && lender.whatsapp.requests.isEmpty)
    try await lender.router.expectAudit()
  }

  @Test("any decline of a late account becomes a senior officer's task at once")
  func late() async throws {
    let now = Lender.at("11:00")
    let lender = try await Lender.open(at: now)
    try await lender.call(.outgoingRejected, "call_1", Lender.late, at: now)
    try await lender.router.until("the task is there") { lender.crm.now.tasks.count == 1 }
    #expect(lender.crm.now.tasks.first?["queue"] == "senior-officers")
    #expect(lender.crm.account(Lender.late)?.calls.count == 1)
    #expect(lender.whatsapp.requests.isEmpty && lender.crm.now.reviews.isEmpty)
  }

  // MARK: At the end of the month

  @Test(
    "the monthly report names officers and borrowers, the broken promise and the messages, beside what became of accounts"
  )
  func monthly() async throws {
    let now = Lender.at("16:00")
    let lender = try await Lender.open(at: now)
    try await lender.call(.incomingRejected, "call_1", Lender.mid, at: now)
    try await lender.call(.outgoingRejected, "call_2", Lender.late, at: now)
    try await lender.router.until("the task is there") { lender.crm.now.tasks.count == 1 }
    _ = await lender.slack.request(1)
    try lender.clock.set(now + .minutes(61))
    _ = await lender.slack.request(2)
    try await lender.router.until("all is settled") {
      let counts = try await lender.router.targetCounts()
      return counts.planned == counts.ended
    }
    let outcomes = lender.router.folder.appendingPathComponent("defaults.csv")
    try "phone,outcome\n\(Lender.late),legal action\n".write(to: outcomes, atomically: true, encoding: .utf8)

    let report = try await lender.router.json("report", "--month", "2026-11", "--outcomes", "defaults.csv")
    let agent = try #require(report["agents"]?.array?.first { $0["agent"] == "James Smith" })
    #expect(agent["incoming_rejected"] == 1 && agent["outgoing_rejected"] == 1)
    #expect(agent["promises"] == 1 && agent["broken"] == 1 && agent["sent"] == 1)
    let borrower = try #require(report["customers"]?.array?.first { $0["customer"] == "+91******0003" })
    #expect(borrower["outgoing_rejected"] == 1 && borrower["incoming_rejected"] == 0)
    #expect(report.text.contains("legal action"))
    let page = try await lender.router.divert("report", "--month", "2026-11", "--format", "html")
    #expect(page.status == 0 && page.out.contains("<svg") && !page.out.contains("9876500003"))
  }

  // MARK: What is no rejection

  @Test("a call that was missed, that ended, or that the officer himself cancelled leads to nothing")
  func others() async throws {
    let now = Lender.at("11:00")
    let lender = try await Lender.open(at: now)
    try await lender.call(.missed, "call_1", Lender.late, at: now)
    try await lender.call(.ended, "call_2", Lender.late, at: now)
    var cancelled = try #require(SampleEvent.ended.body(callID: "call_3", phone: "919876500003", at: now).object)
    for (key, value) in [("callDirection", "OUTGOING"), ("pickedBy", "James Smith"), ("endedBy", "James Smith")] {
      cancelled[key] = .string(value)
    }
    cancelled["durationInSeconds"] = 0
    let answer = try await lender.router.post(.object(cancelled), key: Collections.key)
    #expect(answer.status == 200)
    let totals = try await lender.router.targetCounts()
    #expect(totals.planned == 0)
    #expect(lender.crm.target.requests.isEmpty && lender.whatsapp.requests.isEmpty && lender.slack.requests.isEmpty)
  }
}
