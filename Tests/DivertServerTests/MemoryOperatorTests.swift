// The suppression list, promises and a rerun with memory, as questions and orders on a real store.

import DivertCore
import DivertServer
import DivertStore
import Testing

@Suite("What operators say and see of memory") struct MemoryOperatorTests {
  private static let phone = "+919876543210"

  @Test("a phone is entered however it is written, replaced whole, listed, and removed")
  func suppressing() async throws {
    let house = try OperatorHouse()
    let added = await house.post("/api/suppressions", ["phone": "098765 43210", "reason": "grievance", "for": "30d"])
    #expect(added.status == 200 && added.body["replaced"] == [], "\(added)")
    let entry = try #require(try house.store.suppressions().first)
    #expect(
      entry
        == Suppression(
          phone: Self.phone, reason: "grievance", coversAnswers: false, since: OperatorHouse.now,
          until: OperatorHouse.now + .days(30)))
    let again = await house.post(
      "/api/suppressions", ["phones": [.string(Self.phone), "9876543211"], "reason": "bereavement", "all": true])
    #expect(again.body["replaced"]?.array?.count == 1 && again.body["suppressions"]?.array?.count == 2, "\(again)")
    let list = await house.get("/api/suppressions").body
    #expect(list["count"] == 2 && list["suppressions"]?.array?.allSatisfy { $0["covers"] == "all" } == true)
    #expect(await house.get("/api/status").body["memory"]?["suppressed"] == 2)
    let removed = await house.ask(OperatorRequest("DELETE", "/api/suppressions", query: ["phone": "9876543210"]))
    #expect(removed.status == 200 && removed.body["removed"]?.array?.count == 1, "\(removed)")
    let mixed = await house.post("/api/suppressions/remove", ["phones": ["9876543210", "9876543211"]])
    #expect(mixed.body["absent"] == [.string(Self.phone)], "\(mixed)")
    #expect(await house.post("/api/suppressions/remove", ["phone": "9876543211"]).status == 404)
    #expect(try house.store.suppressions().isEmpty)
  }

  @Test("an entry whose time is over is shown only when asked for, and counts nowhere")
  func over() async throws {
    let house = try OperatorHouse()
    var batch = StoreBatch()
    let now = OperatorHouse.now
    batch.suppressions = [
      .add(
        Suppression(
          phone: Self.phone, reason: "x", coversAnswers: false, since: now - .days(2), until: now - .seconds(1)))
    ]
    _ = try house.store.commit(batch, now: now)
    let list = await house.get("/api/suppressions").body
    #expect(list["count"] == 0 && list["ended"] == 1)
    let all = await house.get("/api/suppressions", ["ended": "true"]).body
    #expect(all["suppressions"]?.array?.first?["holds"] == false)
    #expect(await house.get("/api/status").body["memory"]?["suppressed"] == 0)
  }

  @Test(
    "what cannot be meant is refused with the way out, and nothing is changed",
    arguments: [
      (["phones": ["9876543211", "nobody"], "reason": "x"], "`nobody`"), (["reason": "x"], "`phone` is missing"),
      (["phone": "9876543210"], "--reason"), (["phone": "9876543210", "reason": "x", "until": "30d"], "--for 30d"),
      (["phone": "9876543210", "reason": "x", "until": "2025-01-01"], "is over"),
      (["phone": "9876543210", "reason": "x", "until": "2027-01-01", "for": "30d"], "not both"),
      (["phone": "9876543210", "reason": "x", "for": "soon"], "no length of time"),
      (["phone": "9876543210", "reason": "x", "untill": "2027-01-01"], "did you mean `until`"),
    ] as [(JSONValue, String)])
  func refused(_ order: JSONValue, _ words: String) async throws {
    let house = try OperatorHouse()
    let answer = await house.post("/api/suppressions", order)
    #expect(answer.status == 400, "\(answer)")
    #expect(answer.body["error"]?["message"]?.string?.contains(words) == true, "\(answer)")
    #expect(try house.store.suppressions().isEmpty)
  }

  @Test("promises are listed by how they stand, and told with their event")
  func promises() async throws {
    let house = try OperatorHouse()
    let (now, place) = (OperatorHouse.now, BookPlace(book: "calls back", key: Self.phone))
    func promised(_ call: String, _ deadline: Timestamp, reported: Timestamp?) throws -> EventID {
      let event = try house.accept(call)
      var promise = Promise(
        event: event.id, route: "declined", place: place, openedAt: deadline - .hours(1), deadline: deadline,
        judgedAt: deadline)
      if let reported { (promise.keeper, promise.keptAt, promise.reportedAt) = (event.id, deadline, reported) }
      var batch = StoreBatch()
      batch.additions = [Addition(event: event.id, planned: [], version: house.table.version, promises: [promise])]
      _ = try house.store.commit(batch, now: now)
      return event.id
    }
    let (past, ahead) = (now - .minutes(5), now + .minutes(5))
    let open = try promised("c1", ahead, reported: nil)
    let broken = try promised("c2", past, reported: nil)
    let kept = try promised("c3", past, reported: past)
    let late = try promised("c4", past, reported: now)
    func listed(_ standing: String?) async -> [String] {
      let list = await house.get("/api/promises", standing.map { ["standing": $0] } ?? [:]).body
      return (list["promises"]?.array ?? []).compactMap { $0["event"]?.string }
    }
    #expect(await listed("open") == [open.description])
    #expect(await listed("broken") == [broken.description])
    #expect(await listed("kept") == [late.description, kept.description])
    #expect(await listed("kept_reported_late") == [late.description])
    #expect(await listed(nil) == [late, kept, broken, open].map(\.description))
    #expect(await house.get("/api/promises", ["standing": "lost"]).status == 400)
    #expect(await house.get("/api/promises", ["limit": "1"]).body["more"] == true)
    let found = await house.get("/api/find", ["q": "c3"]).body["events"]?.array?.first?["promises"]?.array?.first
    #expect(found?["standing"] == "kept" && found?["kept_after_seconds"] == 3600, "\(found ?? .null)")
    let counted: JSONValue = ["open": 1, "kept": 1, "broken": 1, "kept_reported_late": 1]
    #expect(await house.get("/api/status").body["memory"]?["promises"] == counted)
    let metrics = await house.get("/metrics").body.string ?? ""
    #expect(metrics.contains(#"divert_promises{standing="broken"} 1"#))
  }

  private static let onceAWeek =
    OperatorHouse.routes + "\n"
      + """
        once-a-week: { when: { event: CALL_REJECTED }, once: 7d, send: [crm.log] }
        twice: { when: { event: CALL_REJECTED, count: { at_least: 2, within: 7d } }, send: [crm.log] }

      """

  @Test("a rerun acts once where the routes do, and counts what was stored", arguments: [true, false])
  func rerun(_ dryRun: Bool) async throws {
    let house = try OperatorHouse(today: Self.onceAWeek)
    let events = try ["c1", "c2", "c3"].map { try house.accept($0) }
    let answer = await house.post("/api/rerun", ["since": "2026-01-01", "dry_run": .bool(dryRun)])
    #expect(answer.status == 200, "\(answer)")
    let added = (answer.body["deliveries"]?.array ?? []).map {
      "\($0["route"]?.string ?? "") \($0["event"]?.string ?? "")"
    }
    let ids = events.map(\.id.description)
    #expect(added.filter { $0.hasPrefix("once") } == ["once-a-week \(ids[0])"], "\(added)")
    #expect(added.filter { $0.hasPrefix("twice") } == ids.map { "twice \($0)" }, "\(added)")
    let claims = try house.store.entries(
      of: BookPlace(book: "once once-a-week", key: Self.phone), from: OperatorHouse.now, to: OperatorHouse.now,
      limit: .max)
    #expect(claims.map(\.event) == (dryRun ? [] : [events[0].id]))
    let again = await house.post("/api/rerun", ["since": "2026-01-01"]).body
    #expect(again["added"] == (dryRun ? 4 : 0), "\(again)")
  }
}
