// The lookup desk: one question, one request, and how long an answer holds.

import DivertCore
import Testing

@testable import DivertServer

@Suite("The lookup desk") struct LookupDeskTests {
  private let now = Timestamp(milliseconds: 1_768_473_025_000)

  private func question(_ path: String, _ target: String = "crm") -> LookupDesk.Question {
    LookupDesk.Question(
      RenderedRequest(method: "GET", url: "https://crm.example.com" + path, headers: [], body: []), target: target)
  }

  private func answer(_ text: String) -> LookupDesk.Held {
    .answer(DivertCore.HTTPAnswer(status: 200, body: Array(text.utf8)), Judgement(.ok, Reason("accepted", "")))
  }

  private func event(_ sequence: Int64) -> EventID { EventID(sequence: sequence, tag: 1) }
  private func token(_ number: UInt64) -> JobToken { JobToken(rawValue: number) }

  @Test("who asks later waits, and is told when the asker closes, once")
  func singleFlight() {
    var desk = LookupDesk()
    desk.ask(question("/a"), by: token(1))
    #expect(desk.isAsked(question("/a")) && !desk.isAsked(question("/b")) && !desk.isAsked(question("/a", "erp")))
    desk.wait(for: question("/a"), token(2))
    desk.wait(for: question("/a"), token(3))
    #expect(desk.close(question("/a"), by: token(9)).isEmpty)
    #expect(desk.close(question("/a"), by: token(1)) == [token(2), token(3)])
    #expect(desk.close(question("/a"), by: token(1)).isEmpty && desk.open == 0)
  }

  @Test("an answer is the events' own to which it was given, and has an age for the others")
  func ownership() throws {
    var desk = LookupDesk()
    desk.answered(question("/a"), answer("{}"), to: [event(1)], now: now)
    let own = try #require(desk.known(question("/a"), to: event(1), now: now + .hours(5)))
    let other = try #require(desk.known(question("/a"), to: event(2), now: now + .seconds(5)))
    #expect(own.isOwn && !other.isOwn && other.age == .seconds(5))
    desk.give(question("/a"), to: event(2))
    #expect(desk.known(question("/a"), to: event(2), now: now)?.isOwn == true)
    desk.forget(question("/a"))
    #expect(desk.known(question("/a"), to: event(1), now: now) == nil && desk.count == 0)
  }

  @Test("what turned out otherwise is no event's own any more, at that target alone")
  func disowned() throws {
    var desk = LookupDesk()
    for target in ["crm", "erp"] {
      desk.answered(question("/a", target), answer("{}"), to: [event(1), event(2)], now: now)
    }
    desk.disown(event(1), of: "crm")
    #expect(desk.known(question("/a"), to: event(1), now: now)?.isOwn == false)
    #expect(desk.known(question("/a"), to: event(2), now: now)?.isOwn == true)
    #expect(desk.known(question("/a", "erp"), to: event(1), now: now)?.isOwn == true)
  }

  @Test("it keeps so many answers and so many bytes, the newest, and no huge one")
  func bounded() {
    var desk = LookupDesk()
    for number in 0..<(3 * LookupDesk.mostAnswers) {
      desk.answered(question("/\(number)"), answer("{}"), to: [event(1)], now: now)
    }
    #expect(desk.count == LookupDesk.mostAnswers)
    #expect(desk.known(question("/0"), to: event(1), now: now) == nil)
    #expect(desk.known(question("/\(3 * LookupDesk.mostAnswers - 1)"), to: event(1), now: now) != nil)
    let long = String(repeating: "x", count: LookupDesk.longestAnswer)
    for number in 0..<200 { desk.answered(question("/l\(number)"), answer(long), to: [], now: now) }
    #expect(desk.count <= LookupDesk.mostBytes / LookupDesk.longestAnswer)
    desk.answered(question("/huge"), answer(long + "x"), to: [event(1)], now: now)
    #expect(desk.known(question("/huge"), to: event(1), now: now) == nil)
  }
}
