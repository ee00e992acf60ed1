// Books and history: what a new one is filled with, what a change that fails leaves, and what a crash in the middle does.

import DivertConfig
import DivertCore
import DivertStore
import FoundationEssentials
import Testing

@testable import DivertServer

/// A store with history, and configurations that read it.
private final class BookHouse: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/divert-books-\(UUID().uuidString)"
  let now = WallClock.now()

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func open() throws -> SQLiteStore { try SQLiteStore.open(folder: folder, sandbox: false) }

  static func text(_ counted: String...) -> String {
    let routes = counted.enumerated().map { place, event in
      "  r\(place): { when: { event: \(event), count: { at_least: 2, within: 7d } }, send: [crm.log] }\n"
    }
    return """
      version: 1
      sources: { doubletick: { type: doubletick } }
      targets:
        crm: { url: "https://crm.example.com", actions: { log: { post: /calls, body: { call: "{{ call.id }}" } } } }
      routes:

      """ + routes.joined()
  }

  static func table(_ counted: String...) throws -> RouteTable {
    let text = counted.count == 1 ? text(counted[0]) : text(counted[0], counted[1])
    let loaded = ConfigLoader.load(text: text, file: "routes.yaml")
    return try #require(loaded.table, "\(loaded.diagnostics)")
  }

  func keeper(_ store: SQLiteStore) -> BookKeeper {
    BookKeeper(store: store, log: nil) { version in
      try store.configuration(version: version).flatMap { ConfigLoader.load(stored: $0, name: version).table }
    }
  }

  /// Accepts so many events, one a minute up to now; every third is CALL_MISSED, of seven customers.
  func accept(_ count: Int, in store: SQLiteStore, table: RouteTable, from: Int = 0) throws {
    var batch = StoreBatch()
    for place in from..<from + count {
      let at = now - .minutes(Int64(2000 - place))
      var fields = Event.Fields(name: place % 3 == 0 ? "CALL_MISSED" : "CALL_REJECTED", at: at)
      fields.callID = "call_\(place)"
      fields.customerPhone = "+91987654321\(place % 7)"
      let body: [UInt8] = Array("{}".utf8)
      let content = EventContent(source: "doubletick", receivedAt: at, fields: fields, body: body, raw: [:])
      batch.appends.append(Append(content, dedupe: nil, plan: Plan(), table: table))
    }
    _ = try store.commit(batch, now: now)
  }

  /// The calls in a table's books as the store has them, and as all events say.
  func calls(_ store: SQLiteStore, _ table: RouteTable) throws -> (stored: [[String]], told: [[String]]) {
    let all = try store.events(matching: EventFilter(), after: nil, limit: 10_000).map(\.event)
    let active = ActiveBooks(BookKeeper.books(of: table))
    let places = active.books.flatMap { book in (0..<7).map { BookPlace(book: book.name, key: "+91987654321\($0)") } }
    let lines = all.flatMap(active.entries(for:))
    return (
      try places.map { try store.entries(of: $0, from: now - .days(9), to: now, limit: .max).map(\.mark) },
      places.map { place in lines.filter { $0.place == place }.map(\.entry.mark) }
    )
  }
}

@Suite("Books and history") struct BookKeeperTests {
  @Test("a new book has all of history when the swap comes, and what arrives meanwhile")
  func filled() throws {
    let house = try BookHouse()
    let store = try house.open()
    let (old, new) = (try BookHouse.table("CALL_MISSED"), try BookHouse.table("CALL_MISSED", "CALL_REJECTED"))
    let keeper = house.keeper(store)
    #expect(try keeper.begin(old) == GatheredBooks())
    try house.accept(1300, in: store, table: old)
    let gathered = try keeper.prepare(new)
    #expect(gathered.books == 1 && gathered.events == 1300, "\(gathered)")
    try house.accept(20, in: store, table: old, from: 1300)
    keeper.swapped(from: old, to: new)
    try house.accept(20, in: store, table: new, from: 1320)
    let calls = try house.calls(store, new)
    #expect(calls.stored == calls.told && calls.told.joined().count == 1340)
    #expect(try keeper.prepare(new).books == 0)
    try store.close()
  }

  @Test("a change that fails leaves the old books in use; tried again, what came in between is there")
  func takenBack() throws {
    let house = try BookHouse()
    let store = try house.open()
    let (old, new) = (try BookHouse.table("CALL_MISSED"), try BookHouse.table("CALL_REJECTED"))
    let keeper = house.keeper(store)
    _ = try keeper.begin(old)
    try house.accept(30, in: store, table: old)
    _ = try keeper.prepare(new)
    keeper.takeBack()
    try house.accept(30, in: store, table: old, from: 30)
    let before = try house.calls(store, old)
    #expect(before.stored == before.told)
    #expect(try keeper.prepare(new).books == 1)
    keeper.swapped(from: old, to: new)
    try house.accept(30, in: store, table: new, from: 60)
    let calls = try house.calls(store, new)
    #expect(calls.stored == calls.told && calls.told.joined().count == 60)
    try store.close()
  }

  @Test("a crash in the middle of a fill is made good at the next start", arguments: [0, 1, 2])
  func crash(_ chunks: Int) throws {
    let house = try BookHouse()
    let new = try BookHouse.table("CALL_REJECTED")
    do {
      let store = try house.open()
      let gaps = try store.useBooks([], now: house.now)
      #expect(gaps.isEmpty)
      try house.accept(900, in: store, table: new)
      let gap = try #require(try store.useBooks(BookKeeper.books(of: new), now: house.now).first)
      let active = ActiveBooks([gap.book])
      for chunk in 0..<chunks {
        let page = try store.history(since: gap.from, after: nil, through: gap.through, limit: 300 * (chunk + 1))
        try store.fill(gap, with: page.flatMap(active.entries(for:)), isLast: false)
      }
      try house.accept(30, in: store, table: new, from: 900)
      try store.close()
    }
    let store = try house.open()
    let gathered = try house.keeper(store).begin(new)
    #expect(gathered.books == 1 && gathered.events >= 900, "\(gathered)")
    let calls = try house.calls(store, new)
    #expect(calls.stored == calls.told && calls.told.joined().count == 620)
    #expect(try house.keeper(store).begin(new).books == 0)
    try store.close()
  }

  @Test("books of an older version stay in use while something of it waits, and not longer")
  func olderVersions() throws {
    let house = try BookHouse()
    let store = try house.open()
    let text = BookHouse.text("CALL_MISSED")
    let (old, new) = (try BookHouse.table("CALL_MISSED"), try BookHouse.table("CALL_REJECTED"))
    try store.keepConfiguration(version: old.version, text: text, at: house.now)
    _ = try house.keeper(store).begin(old)
    var batch = StoreBatch()
    let content = EventContent(
      source: "doubletick", receivedAt: house.now, fields: Event.Fields(name: "CALL_MISSED", at: house.now),
      body: Array("{}".utf8), raw: [:])
    let planned = PlannedDelivery(
      route: "r0", send: "0", target: "crm", action: "log", orderKey: nil, due: house.now, toPerson: true)
    batch.appends = [Append(content, dedupe: nil, planned: [planned], table: old)]
    _ = try store.commit(batch, now: house.now)
    #expect(try store.versionsAtWork(now: house.now) == [old.version])
    _ = try house.keeper(store).begin(new)
    try house.accept(30, in: store, table: new)
    for table in [old, new] {
      let calls = try house.calls(store, table)
      #expect(calls.stored == calls.told && !calls.told.joined().isEmpty)
    }
    batch = StoreBatch()
    batch.cancels = [Cancel(route: "r0", target: nil, event: nil, reason: Reason("cancelled", "so"), limit: 10)]
    _ = try store.commit(batch, now: house.now)
    #expect(try store.versionsAtWork(now: house.now) == [])
    _ = try house.keeper(store).begin(new)
    let before = try house.calls(store, old).stored
    try house.accept(30, in: store, table: new, from: 30)
    #expect(try house.calls(store, old).stored == before)
    try store.close()
  }

  @Test("a stop ends what is read, and the old books stay")
  func stopping() throws {
    let house = try BookHouse()
    let store = try house.open()
    let (old, new) = (try BookHouse.table("CALL_MISSED"), try BookHouse.table("CALL_REJECTED"))
    let keeper = house.keeper(store)
    _ = try keeper.begin(old)
    try house.accept(30, in: store, table: old)
    keeper.stop()
    #expect(throws: OperatorFailure.self) { try keeper.prepare(new) }
    try house.accept(30, in: store, table: old, from: 30)
    let calls = try house.calls(store, old)
    #expect(calls.stored == calls.told)
    try store.close()
  }
}
