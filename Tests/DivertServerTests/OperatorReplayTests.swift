// Dead letters sent again, mended and put away through the operator interface.

import DivertCore
import DivertServer
import DivertStore
import FoundationEssentials
import Testing

@Suite("Replaying dead letters")
struct OperatorReplayTests {
  private let house: OperatorHouse

  init() throws { house = try OperatorHouse() }

  private func replay(_ letter: DeadLetter, _ more: JSONValue = [:]) async -> JSONValue {
    var order = more.object ?? JSONObject()
    order["ids"] = .array([.string(letter.delivery.id.description)])
    return await house.post("/api/dead-letters/replay", .object(order)).body["results"]?.array?.first ?? .null
  }

  private func code(_ result: JSONValue) -> String? { result["reason"]?["code"]?.string }

  @Test("a replay is planned, its file moves, and it cannot be replayed twice")
  func replayed() async throws {
    let letter = try house.bury(house.accept("c1"))
    let result = await replay(letter)
    #expect(result["outcome"] == "planned")
    let id = try #require(result["replayed_by"]?.string.flatMap(DeliveryID.init))
    let planned = try #require(try house.store.delivery(id))
    #expect(planned.replayOf == 0 && planned.edited == nil && planned.state == .waiting)
    #expect(try house.shelf(.replayed) == 1)
    #expect(code(await replay(letter)) == "unknown")
    #expect(await house.get("/api/audit").body["holds"] == true)
  }

  @Test("a kill between row and file: the next replay moves the file and sends nothing")
  func interrupted() async throws {
    let letter = try house.bury(house.accept("c1"))
    _ = await replay(letter)
    try house.letters.write([letter])
    #expect(await replay(letter)["outcome"] == "already_replayed")
    #expect(try house.store.event(letter.event.id)?.deliveries.count == 3)
  }

  @Test("a dry run shows the request with secrets by name, and changes nothing")
  func dryRun() async throws {
    let letter = try house.bury(house.accept("c1"))
    let result = await replay(letter, ["dry_run": true])
    #expect(result["outcome"] == "would_send")
    #expect(result["request"]?["url"] == "https://crm.example.com/api/calls")
    #expect(result["request"]?.text.contains("{{ secrets.crm_token }}") == true)
    #expect(try house.shelf(.replayed) == 0)
  }

  @Test("a dry run says why a request cannot be made")
  func dryRunOfNothing() async throws {
    let buried = try house.bury(house.accept("c1"), reason: "value_missing")
    let event = buried.event
    var fields = event.fields
    fields.callID = nil
    let bare = Event(
      id: event.id, source: event.source, receivedAt: event.receivedAt, fields: fields, body: event.body, raw: event.raw
    )
    let letter = DeadLetter(delivery: buried.delivery, event: bare, request: nil, diedAt: buried.diedAt)
    try house.letters.write([letter])
    let result = await replay(letter, ["dry_run": true])
    #expect(result["outcome"] == "would_die" && code(result) == "value_missing")
    #expect(result["request"] == nil)
  }

  @Test("what may have been delivered goes again only when a duplicate is accepted")
  func ambiguous() async throws {
    let letter = try house.bury(house.accept("c1"), reason: "ambiguous")
    #expect(code(await replay(letter)) == "may_be_duplicate")
    #expect(await replay(letter, ["accept_duplicate": true])["outcome"] == "planned")
  }

  @Test("a target that was mended since is no edit: the replay goes to the new address, under the same key")
  func mended() async throws {
    let today = OperatorHouse.routes.replacing("https://crm.example.com", with: "https://crm.example.org")
    let house = try OperatorHouse(today: today)
    let letter = try house.bury(house.accept("c1"))
    let order: JSONValue = ["ids": .array([.string(letter.delivery.id.description)])]
    let result = try #require(await house.post("/api/dead-letters/replay", order).body["results"]?.array?.first)
    #expect(result["outcome"] == "planned")
    let by = try #require(result["replayed_by"]?.string.flatMap(DeliveryID.init))
    #expect(try house.store.delivery(by)?.edited == nil)
  }

  @Test("an edited request is sent as edited")
  func edited() async throws {
    let letter = try house.bury(house.accept("c1"))
    let id = letter.delivery.id.description
    let edit = await house.post(
      "/api/dead-letters/edit", ["id": .string(id), "set": ["request.body.note": "second"]])
    #expect(edit.status == 200)
    let by = await replay(letter)["replayed_by"]?.string.flatMap(DeliveryID.init)
    let planned = try house.store.delivery(try #require(by))
    #expect(planned?.edited?.body == #"{"call":"c1","note":"second"}"#)
  }

  @Test(
    "an edit may leave neither its target's host nor its target's secrets",
    arguments: [
      ("request.url", "https://elsewhere.example.com/api/calls", "origin_refused"),
      ("request.url", "https://crm.example.com@elsewhere.example.com/", "origin_refused"),
      ("request.url", "http://crm.example.com/api/calls", "origin_refused"),
      ("request.body.note", "{{ secrets.other }}", "secret_refused"),
      ("request.headers.X-Note", "a\r\nX-Other: b", "header_invalid"),
    ])
  func bounded(_ path: String, _ text: String, _ code: String) async throws {
    let letter = try house.bury(house.accept("c1"))
    let order: JSONValue = [
      "id": .string(letter.delivery.id.description),
      "set": .object(JSONObject([.init(key: path, value: .string(text))])),
    ]
    let answer = await house.post("/api/dead-letters/edit", order)
    #expect(answer.status == 409 && answer.body["error"]?["code"]?.string == code)
    #expect(try house.letters.read(house.letters.file(of: letter)).request == letter.request)
  }

  @Test("what is not dead, and what is of another store, is refused with the reason")
  func refused() async throws {
    let event = try house.accept("c1")
    let delivery = try #require(try house.store.delivery(DeliveryID(event: event.id, ordinal: 0)))
    let alive = DeadLetter(delivery: delivery, event: event, request: nil, diedAt: OperatorHouse.now)
    try house.letters.write([alive])
    #expect(code(await replay(alive)) == "not_dead")
    let foreign = Event(
      id: EventID(sequence: 7, tag: 7), source: event.source, receivedAt: event.receivedAt, fields: event.fields,
      body: event.body, raw: event.raw)
    var other = alive
    other.event = foreign
    other.delivery.id = DeliveryID(event: foreign.id, ordinal: 0)
    try house.letters.write([other])
    #expect(code(await replay(other)) == "unknown_event")
  }

  @Test("a damaged file is reported by name and left alone")
  func damaged() async throws {
    let letter = try house.bury(house.accept("c1"))
    let file = house.letters.path + "/crm/broken.json"
    #expect(FileManager.default.createFile(atPath: file, contents: Data("{".utf8)))
    let answer = await house.post("/api/dead-letters/replay", ["target": "crm"]).body
    let outcomes = (answer["results"]?.array ?? []).map { $0["outcome"]?.string ?? "" }
    #expect(outcomes.sorted() == ["planned", "refused"])
    #expect(answer.text.contains("crm/broken.json"))
    #expect(FileManager.default.fileExists(atPath: file))
    #expect(code(await replay(letter)) == "unknown")
  }

  @Test("dropped files stay on a shelf, and the audit still holds")
  func dropped() async throws {
    let letter = try house.bury(house.accept("c1"))
    #expect(await house.post("/api/dead-letters/drop", [:]).status == 400)
    #expect(await house.post("/api/dead-letters/drop", ["route": "declined"]).body["count"] == 1)
    #expect(try house.shelf(.dropped) == 1)
    #expect(try house.store.standing()["crm"]?.dead == 0 && house.store.delivery(letter.delivery.id)?.state == .dead)
    #expect(await house.get("/api/dead-letters").body["count"] == 0)
    #expect(await house.get("/api/audit").body["holds"] == true)
    #expect(code(await replay(letter)) == "unknown")
  }

  @Test("a damaged file is put away only by its name, which tells whose it was")
  func droppedDamaged() async throws {
    let letters = try (1...2).map { try house.bury(house.accept("c\($0)")) }
    let path = house.letters.file(of: letters[0])
    try Data("{".utf8).write(to: URL(fileURLWithPath: path))
    let all = await house.post("/api/dead-letters/drop", ["all": true]).body
    #expect(all["count"] == 1 && all["left"]?.array?.count == 1)
    #expect(all["left"]?.array?.first?["reason"]?["code"] == "damaged")
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(try house.store.standing()["crm"]?.dead == 1)
    let name = String(path.dropFirst(house.letters.path.count + 1))
    #expect(await house.post("/api/dead-letters/drop", ["ids": [.string(name)]]).body["count"] == 1)
    #expect(try house.shelf(.dropped) == 2 && house.store.standing()["crm"]?.dead == 0)
    #expect(await house.get("/api/audit").body["holds"] == true)
  }

  @Test("a path that list gives means that file alone, within the filters; no path leads out of the directory")
  func paths() async throws {
    let letters = try (1...2).map { try house.bury(house.accept("c\($0)")) }
    let root = house.letters.path
    let names = letters.map { String(house.letters.file(of: $0).dropFirst(root.count + 1)) }
    let order: JSONValue = ["ids": .array(names.map(JSONValue.string)), "dry_run": true]
    #expect(await house.post("/api/dead-letters/drop", order).body["files"]?.array?.count == 2)
    let one: JSONValue = ["ids": [.string(names[0])], "reason": "ambiguous", "dry_run": true]
    #expect(await house.post("/api/dead-letters/drop", one).status == 404)
    #expect(FileManager.default.createFile(atPath: root + "/../out.json", contents: Data("{".utf8)))
    for name in ["crm/../../out.json", "../out.json", "crm//\(names[0].dropFirst(4))"] {
      #expect(await house.post("/api/dead-letters/drop", ["ids": [.string(name)]]).status == 404)
    }
    #expect(await house.post("/api/dead-letters/drop", ["ids": [.string(names[1])]]).body["count"] == 1)
    #expect(await house.post("/api/dead-letters/drop", ["ids": [.string("dropped/" + names[1])]]).status == 404)
    #expect(try house.shelf(.dropped) == 1)
  }

  @Test("filters choose by reason, phone and time")
  func filters() async throws {
    _ = try house.bury(house.accept("c1"))
    _ = try house.bury(house.accept("c2"), reason: "ambiguous")
    func count(_ query: [String: String]) async -> JSONValue? {
      await house.get("/api/dead-letters", query).body["count"]
    }
    #expect(await count([:]) == 2)
    #expect(await count(["reason": "ambiguous"]) == 1)
    #expect(await count(["phone": "98765 43210", "target": "crm"]) == 2)
    #expect(await count(["until": "1h"]) == 0)
    #expect(await house.get("/api/dead-letters", ["since": "yesterday"]).status == 400)
  }
}
