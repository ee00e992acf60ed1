// Which books are fed: those of the configuration in force, of the next one before it takes over, and of older ones that are still at
// work. What a book lacks of history is filled in first, so that a count is right from the first event that asks it.

import DivertConfig
package import DivertCore
import DivertStore
import Synchronization

/// What was gathered from history before a configuration could count on it.
package struct GatheredBooks: Sendable, Hashable {
  /// Books that lacked something; 0: nothing had to be read.
  package var books = 0
  /// Events that were looked at, and lines that they made.
  package var events = 0
  package var entries = 0
  /// Events received from then on were looked at.
  package var from: Timestamp?

  var json: JSONValue? {
    if books == 0 { return nil }
    return RecordJSON.object([
      "books": .number(books), "events": .number(events), "entries": .number(entries),
      "since": from.map(RecordJSON.moment),
    ])
  }
}

/// Tells the store which books are in use, and fills them. Blocking; one change at a time, as its owner sees to. Until `begin` no
/// event may be accepted: it would be missing in the books.
final class BookKeeper: Sendable {
  private struct State {
    /// What the store feeds.
    var fed: [BookDefinition] = []
    /// What configurations read that were replaced lately: events that were planned by them may still be on their way.
    var former: [(until: Timestamp, books: [BookDefinition])] = []
    /// Nil: nothing is read at present.
    var progress: BookProgress?
  }

  /// Events read at a time, and lines written in a transaction: others may commit in between.
  private static let page = 500
  /// How long after a swap an event that came before it may still be committed: well beyond any client's patience.
  private static let patience = Span.minutes(10)

  private let store: any Store
  private let tableOfVersion: @Sendable (String) throws -> RouteTable?
  private let log: BookLog?
  private let state = Mutex(State())
  private let isEnding = Atomic(false)

  /// `tableOfVersion`: a stored configuration, compiled; nil where it does not compile any more.
  init(store: any Store, log: BookLog?, tableOfVersion: @escaping @Sendable (String) throws -> RouteTable?) {
    self.store = store
    self.log = log
    self.tableOfVersion = tableOfVersion
  }

  /// What is being read; nil: nothing.
  var progress: BookProgress? { state.withLock { $0.progress } }

  /// Ends what is under way, now and later: the books stay as far as they are, and what they lack is filled in later.
  func stop() { isEnding.store(true, ordering: .releasing) }

  /// Before the first event: what a stopped router left unfinished is finished, too.
  @discardableResult
  func begin(_ table: RouteTable) throws -> GatheredBooks {
    let books = try needed(table)
    state.withLock { $0.fed = books }
    return try gather(try use(books))
  }

  /// Before a swap: the next one's books are fed beside those in force, and whole when this returns. Throws with the old ones alone
  /// in use.
  func prepare(_ next: RouteTable) throws -> GatheredBooks {
    do { return try gather(try use(state.withLock { $0.fed } + Self.books(of: next))) } catch {
      takeBack()
      throw error
    }
  }

  /// The swap did not come: the books in force are those before it.
  func takeBack() {
    let fed = state.withLock { $0.fed }
    do { _ = try use(fed) } catch { log?.kept("\(error)") }
  }

  /// After a swap: what only the one before it read goes out of use, once nothing of it can come any more. What is fed too long does
  /// no harm, so nothing can fail.
  func swapped(from old: RouteTable?, to new: RouteTable) {
    let now = WallClock.now()
    let before = state.withLock { state in
      if let old { state.former.append((now + Self.patience, Self.books(of: old))) }
      state.former.removeAll { $0.until <= now }
      state.fed += Self.books(of: new)
      return state.former.flatMap(\.books)
    }
    do {
      let books = try needed(new) + before
      _ = try use(books)
      state.withLock { $0.fed = books }
    } catch { log?.kept("\(error)") }
  }

  // MARK: What is needed

  static func books(of table: RouteTable) -> [BookDefinition] {
    table.parts.books.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The books of a configuration, and of older ones whose deliveries still ask, or whose promises can still be kept.
  private func needed(_ table: RouteTable) throws -> [BookDefinition] {
    let older = try store.versionsAtWork(now: WallClock.now()).subtracting([table.version]).sorted()
    return try Self.books(of: table) + older.flatMap { try tableOfVersion($0).map(Self.books(of:)) ?? [] }
  }

  private func use(_ books: [BookDefinition]) throws(StoreError) -> [BookGap] {
    try store.useBooks(ActiveBooks(books).books, now: WallClock.now())
  }

  // MARK: From history

  /// One pass over the events that any of the gaps lacks.
  private func gather(_ gaps: [BookGap]) throws -> GatheredBooks {
    guard let from = gaps.map(\.from).min(), let through = gaps.map(\.through).max(by: { $0.sequence < $1.sequence })
    else { return GatheredBooks() }
    var gathered = GatheredBooks(books: gaps.count, from: from)
    let (began, active) = (WallClock.now(), ActiveBooks(gaps.map(\.book)))
    defer { state.withLock { $0.progress = nil } }
    log?.begins(gathered)
    var (pending, last, told): ([String: [BookLine]], EventID?, Timestamp) = ([:], nil, began)
    repeat {
      if isEnding.load(ordering: .acquiring) { throw OperatorFailure(503, "stopping", "the router is stopping") }
      let events = try store.history(since: from, after: last, through: through, limit: Self.page)
      for line in events.flatMap(active.entries(for:)) { pending[line.book.name, default: []].append(line) }
      last = events.count == Self.page ? events.last?.id : nil
      gathered.events += events.count
      gathered.entries += try write(&pending, gaps, isLast: last == nil)
      note(gathered, events.last, &told)
    } while last != nil
    log?.ends(gathered, after: WallClock.now() - began)
    return gathered
  }

  /// Writes what has come together for each book, or all of it at the end; returns how many lines.
  private func write(
    _ pending: inout [String: [BookLine]], _ gaps: [BookGap], isLast: Bool
  ) throws(StoreError) -> Int {
    var written = 0
    for gap in gaps {
      let lines = pending[gap.book.name] ?? []
      guard isLast || lines.count >= Self.page else { continue }
      try store.fill(gap, with: lines, isLast: isLast)
      pending[gap.book.name] = nil
      written += lines.count
    }
    return written
  }

  private func note(_ gathered: GatheredBooks, _ last: Event?, _ told: inout Timestamp) {
    guard let last else { return }
    let progress = BookProgress(gathered: gathered, reached: last.receivedAt)
    state.withLock { $0.progress = progress }
    let now = WallClock.now()
    if now - told < .seconds(10) { return }
    told = now
    log?.goesOn(progress)
  }
}

/// How far a pass over history has come.
package struct BookProgress: Sendable, Hashable {
  package var gathered: GatheredBooks
  /// Everything received until then was looked at.
  package var reached: Timestamp
}
