// The operator interface by value: questions and orders on a real store.

import DivertCore
import DivertServer
import DivertStore
import FoundationEssentials
import Testing

@Suite("The operator interface")
struct OperatorTests {
  @Test("status shows what came in and what waits at each target")
  func status() async throws {
    let house = try OperatorHouse()
    _ = try house.accept("c1")
    let status = await house.get("/api/status").body
    #expect(status["running"] == false)
    #expect(status["sources"]?.array?.first?["accepted"] == 1)
    let crm = status["targets"]?.array?.first
    #expect(crm?["target"] == "crm" && crm?["state"] == "open" && crm?["waiting"] == 2 && crm?["planned"] == 2)
  }

  @Test(
    "find answers to a phone however it is written, a call, an event and a delivery",
    arguments: [
      "+919876543210", "919876543210", "98765 43210", "c1", "event", "delivery",
    ])
  func finding(by what: String) async throws {
    let house = try OperatorHouse()
    let event = try house.accept("c1")
    let names = ["event": event.id.description, "delivery": DeliveryID(event: event.id, ordinal: 1).description]
    let found = await house.get("/api/find", ["q": names[what] ?? what])
    #expect(found.status == 200)
    #expect(found.body["events"]?.array?.first?["event"]?["id"]?.string == event.id.description)
  }

  @Test("find says which routes matched, and why the others did not")
  func routes() async throws {
    let house = try OperatorHouse()
    _ = try house.accept("c1")
    let record = await house.get("/api/find", ["q": "c1"]).body["events"]?.array?.first
    let routes = try #require(record?["routes"]?.array)
    #expect(routes.map { $0["matched"]?.bool } == [true, false])
    #expect(routes[1]["why_not"] == "direction is OUTGOING, but it is INCOMING")
    #expect(record?["deliveries"]?.array?.first?["reason"] == nil)
  }

  @Test("what is not known is a 404 with a way on")
  func unknown() async throws {
    let house = try OperatorHouse()
    let missing = await house.get("/api/find", ["q": "nobody"])
    #expect(missing.status == 404 && missing.body["error"]?["code"] == "not_found")
    #expect(await house.get("/api/nothing").status == 404)
    #expect(await house.ask(OperatorRequest("PUT", "/api/status")).status == 405)
  }

  @Test("cancel ends also what a stopped router left in its event's row")
  func cancellingPacked() async throws {
    let house = try OperatorHouse()
    let event = try house.accept("c1", direction: "OUTGOING", packed: true)
    _ = try house.accept("c2", direction: "OUTGOING")
    #expect(try house.store.recover(after: nil, limit: 10).map(\.event.id) == [event.id])
    #expect(await house.post("/api/cancel", ["target": "crm"]).body["cancelled"] == 2)
    #expect(try house.store.recover(after: nil, limit: 10).isEmpty)
    #expect(await house.get("/api/audit").body["holds"] == true)
  }

  @Test("a quarantined body that is gone is an answer, and holds up no other")
  func retrying() async throws {
    let house = try OperatorHouse()
    let answer = await house.post("/api/quarantine/retry", ["ids": ["a.json", "b.json"]])
    #expect(answer.status == 200)
    #expect(answer.body["results"]?.array?.compactMap { $0["status"] } == [404, 404])
  }

  @Test("cancel ends what waits, and needs a condition")
  func cancelling() async throws {
    let house = try OperatorHouse()
    let event = try house.accept("c1")
    _ = try house.accept("c2")
    #expect(await house.post("/api/cancel", [:]).status == 400)
    #expect(await house.post("/api/cancel", ["target": "nobody"]).status == 404)
    #expect(await house.post("/api/cancel", ["event": .string(event.id.description)]).body["cancelled"] == 2)
    #expect(await house.post("/api/cancel", ["route": "declined"]).body["cancelled"] == 2)
    #expect(await house.get("/api/audit").body["holds"] == true)
  }

  @Test("a pause outlives the process and is lifted by resume")
  func pausing() async throws {
    let house = try OperatorHouse()
    #expect(await house.post("/api/targets/pause", ["target": "nobody"]).status == 404)
    #expect(await house.post("/api/targets/pause", ["target": "crm", "reason": "it is being moved"]).status == 200)
    let paused = await house.get("/api/targets").body.array?.first
    #expect(paused?["state"] == "paused" && paused?["reason"]?["sentence"] == "it is being moved")
    #expect(try house.store.targetStates()["crm"]?.kind == .paused)
    #expect(await house.post("/api/targets/resume", ["target": "crm"]).status == 200)
    #expect(try house.store.targetStates().isEmpty)
  }

  @Test("the audit fails, by name, for a dead delivery without a file")
  func audit() async throws {
    let house = try OperatorHouse()
    let letter = try house.bury(house.accept("c1"))
    #expect(await house.get("/api/audit").body["holds"] == true)
    try FileManager.default.removeItem(atPath: house.letters.file(of: letter))
    let audit = await house.get("/api/audit").body
    #expect(audit["holds"] == false)
    #expect(audit["problems"]?.array?.first?.string?.contains(letter.delivery.id.description) == true)
  }

  @Test("rerun adds what an event lacks, and leaves messages to persons out unless told")
  func rerunning() async throws {
    let house = try OperatorHouse()
    _ = try house.accept("c1", planned: false)
    let dry = await house.post("/api/rerun", ["since": "1h", "dry_run": true]).body
    #expect(dry["added"] == 1 && dry["left_out_to_person"] == 1)
    #expect(await house.post("/api/rerun", ["since": "1h"]).body["added"] == 1)
    let again = await house.post("/api/rerun", ["since": "1h", "to_person": true]).body
    #expect(again["added"] == 1 && again["already_there"] == 1)
    #expect(await house.get("/api/audit").body["holds"] == true)
  }

  @Test("the last bodies are shown without whom they are about")
  func masked() async throws {
    let house = try OperatorHouse()
    _ = try house.accept("c1")
    let text = await house.get("/api/sources/last").body.text
    #expect(text.contains("c1") && !text.contains("9876543210") && !text.contains("Rohan"))
  }

  @Test("a backup goes to a new file alone")
  func backup() async throws {
    let house = try OperatorHouse()
    let path = house.folder + "/copy.sqlite"
    #expect(await house.post("/api/backup", ["path": "copy.sqlite"]).status == 400)
    #expect(await house.post("/api/backup", ["path": .string(path)]).status == 200)
    #expect(await house.post("/api/backup", ["path": .string(path)]).status == 409)
  }

  @Test("sending needs a running router")
  func sending() async throws {
    let house = try OperatorHouse()
    let answer = await house.post("/api/send", ["source": "doubletick", "body": "{}"])
    #expect(answer.status == 503 && answer.body["error"]?["code"] == "not_running")
  }
}
