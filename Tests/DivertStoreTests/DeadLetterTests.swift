// Dead letters: their form, their folder, and what a crash or a person leaves there.

import DivertCore
import DivertStore
import FoundationEssentials
import Testing

@Suite("Dead letters")
struct DeadLetterTests {
  static func letter(_ n: Int = 0, target: String = "crm", due: Timestamp = start) -> DeadLetter {
    let id = EventID(sequence: EventID.firstSequence(at: due) + Int64(n), tag: 7)
    var fields = Event.Fields(name: "CALL_REJECTED", at: due)
    fields.customerPhone = "+91987654321\(n)"
    fields.callID = "12345678901234567"
    fields.callDuration = "12.50"
    fields.callStartedAt = due - .seconds(20)
    fields.deviceID = "d"
    fields.agent = "Ann \"A\""
    let raw: JSONValue = ["n": .number("1.0"), "deep": ["é": []]]
    let event = Event(id: id, source: "doubletick", receivedAt: due, fields: fields, body: raw.encoded(), raw: raw)
    let plan = PlannedDelivery(
      route: "a/b", send: "0", target: target, action: "log", orderKey: "k", due: due, toPerson: true)
    var delivery = Delivery(id: DeliveryID(event: id, ordinal: 3), plan: plan, version: "v1")
    delivery.state = .dead
    delivery.reason = Reason("rejected", "the target said 422")
    delivery.attempts = [.ended(.retry), .ended(.fail, at: due + .seconds(3))]
    delivery.counted = 1
    delivery.firstAttemptAt = start
    delivery.stood = .milliseconds(1500)
    delivery.replayOf = 1
    delivery.asWas = false
    delivery.edited = EditedRequest(method: "PUT", url: "https://x/y", headers: [], body: "plain \n text")
    let request = EditedRequest(
      method: "POST", url: "https://crm.example.com/a?b=%20",
      headers: [HTTPHeader("Authorization", "Bearer {{ secrets.crm }}"), HTTPHeader("X", "1")],
      body: #"{"b":1,"a":[1.50,null]}"#)
    return DeadLetter(delivery: delivery, event: event, request: request, diedAt: due + .seconds(4))
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test("a letter is read back as it was written")
  func roundTrip() throws {
    let letter = Self.letter()
    let read = try DeadLetter(decoding: letter.encoded())
    #expect(read.json == letter.json)
    #expect(read.delivery.id == letter.delivery.id && read.delivery.plan == letter.delivery.plan)
    #expect(read.delivery.attempts == letter.delivery.attempts && read.delivery.edited == letter.delivery.edited)
    #expect(read.delivery.counted == 1 && read.delivery.stood == .milliseconds(1500) && read.delivery.replayOf == 1)
    #expect(read.delivery.firstAttemptAt == start && read.delivery.reason == letter.delivery.reason)
    #expect(!read.delivery.asWas && read.delivery.state == .dead && read.delivery.version == "v1")
    #expect(read.request == letter.request && read.diedAt == letter.diedAt)
    #expect(read.event.fields == letter.event.fields && read.event.body == letter.event.body)
    #expect(text(letter.encoded()).contains("    \"body\": {\n      \"b\": 1,"))
  }

  @Test("bodies and headers that a tree or an object cannot hold stay text and list")
  func oddRequests() throws {
    var letter = Self.letter()
    for body in ["{ \"spaced\": 1 }", "\"a\"", "5", "", "[1", "{\"a\":1}\n"] {
      let headers = [HTTPHeader("A", "1"), HTTPHeader("A", "2")]
      letter.request = EditedRequest(method: "POST", url: "https://x/", headers: headers, body: body)
      #expect(try DeadLetter(decoding: letter.encoded()).request == letter.request)
    }
    letter.request = nil
    #expect(try DeadLetter(decoding: letter.encoded()).request == nil)
  }

  @Test("every fault of a letter is named with its place")
  func faults() throws {
    let made = """
      {"divert": 2, "delivery": "dlv_x", "route": "r", "send": 0, "action": "a", "planned_for": "today",
       "event": {"source": "s", "event": "E", "received_at": 5, "raw": []},
       "request": {"method": "POST", "headers": {"A": 1}}, "attempts": [{"outcome": "maybe"}]}
      """
    let error = #expect(throws: DeadLetterError.self) { try DeadLetter(decoding: Array(made.utf8)) }
    let places = Set(error?.faults.map(\.path) ?? [])
    let expected: Set = [
      "divert", "delivery", "send", "target", "planned_for", "event.received_at", "event.raw", "request.url",
      "request.headers.A", "attempts[0].started_at", "attempts[0].outcome",
    ]
    #expect(places == expected)
  }

  @Test("letters lie by target and day, and writing one again changes nothing else")
  func writing() throws {
    let folder = Folder()
    let letters = DeadLetterDirectory(path: folder.path + "/dead-letters")
    #expect(try Array(letters.entries()).isEmpty && letters.deliveries().isEmpty)
    let all = [Self.letter(0), Self.letter(1), Self.letter(2, target: "a/../ b", due: start + .days(1))]
    let paths = try letters.write(all)
    try letters.write([all[0]])
    #expect(paths[0] == "\(letters.path)/crm/2026-01-15/10-30-25-\(all[0].delivery.id).json")
    #expect(paths[2].hasPrefix("\(letters.path)/a%2F..%2F%20b/2026-01-16/"))
    #expect(try letters.entries().map(\.path).sorted() == paths.sorted())
    #expect(try letters.deliveries() == Set(all.map(\.delivery.id)))
    #expect(try letters.find(all[1].delivery.id)?.path == paths[1])
    #expect(try letters.read(paths[2]).json == all[2].json)
    var filter = DeadLetterFilter()
    filter.target = "crm"
    filter.phone = "+919876543211"
    filter.route = "a"
    filter.since = all[1].diedAt
    filter.until = all[1].diedAt + .milliseconds(1)
    #expect(try letters.entries(filter).map(\.path) == [paths[1]])
    filter.reason = "other"
    #expect(try Array(letters.entries(filter)).isEmpty)
  }

  @Test("what a crash or a person left is shown or passed over, and never touched")
  func damaged() throws {
    let folder = Folder()
    let letters = DeadLetterDirectory(path: folder.path)
    let paths = try letters.write([Self.letter()])
    let parts = paths[0].split(separator: "/")
    let beside = parts.dropLast().joined(separator: "/")
    try "{\"half".write(toFile: "/\(beside)/.x.json.tmp", atomically: false, encoding: .utf8)
    try "{\"half".write(toFile: folder.path + "/broken.json", atomically: false, encoding: .utf8)
    try "note".write(toFile: folder.path + "/README", atomically: false, encoding: .utf8)
    try text(Self.letter(5).encoded()).write(
      toFile: folder.path + "/by hand.json", atomically: false, encoding: .utf8)
    let entries = try Array(letters.entries())
    let names = entries.map { $0.path.split(separator: "/").last }
    #expect(names == ["broken.json", "by hand.json", parts.last])
    #expect(entries[0].fault?.contains("broken.json") == true && entries[0].letter == nil)
    #expect(try letters.deliveries() == [Self.letter().delivery.id, Self.letter(5).delivery.id])
    #expect(try letters.find(Self.letter(5).delivery.id)?.path.hasSuffix("by hand.json") == true)
    #expect(try String(contentsOfFile: folder.path + "/broken.json", encoding: .utf8) == "{\"half")
  }

  @Test("a letter is replaced at once, and moves to a shelf and no further")
  func shelves() throws {
    let folder = Folder()
    let letters = DeadLetterDirectory(path: folder.path)
    let shelf = Self.letter(1, target: "replayed")
    let paths = try letters.write([Self.letter(), shelf])
    #expect(try letters.entries().map(\.letter?.delivery.plan.target).count == 2)
    var changed = Self.letter()
    changed.request?.url = "https://other/"
    try letters.replace(paths[0], with: changed)
    #expect(try letters.read(paths[0]).request?.url == "https://other/")
    let place = try letters.move(paths[0], to: .replayed)
    #expect(try letters.move(paths[0], to: .replayed) == place)
    #expect(try letters.read(place).json == changed.json)
    try letters.drop(paths[1])
    #expect(try Array(letters.entries()).isEmpty)
    #expect(try letters.entries(on: .replayed).map(\.path) == [place])
    #expect(try Array(letters.entries(on: .dropped)).count == 1)
    #expect(throws: StoreError.self) { try letters.replace(place, with: changed) }
    #expect(throws: StoreError.self) { try letters.move(folder.path + "/../x.json", to: .dropped) }
  }
}

@Suite("The data folder's lock")
struct DataLockTests {
  @Test("a folder has one holder, known to the others")
  func lock() throws {
    let folder = Folder()
    let data = folder.path + "/data/sandbox"
    #expect(try DataLock.holder(folder: data) == nil)
    var lock: DataLock? = try DataLock.take(folder: data)
    #expect(try DataLock.holder(folder: data)?.operatorAddress == nil)
    try lock?.tell(operatorAddress: "127.0.0.1:8081")
    let holder = try #require(try DataLock.holder(folder: data))
    #expect(holder.operatorAddress == "127.0.0.1:8081")
    let error = #expect(throws: StoreError.self) { try DataLock.take(folder: data) }
    #expect(error?.code == "busy" && error?.description.contains("process \(holder.pid)") == true)
    lock = nil
    #expect(try DataLock.holder(folder: data) == nil)
    _ = try DataLock.take(folder: data)
  }
}
