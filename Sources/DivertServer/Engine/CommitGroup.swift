// What the database thread has in hand: messages gathered into one transaction, and their answers given out again.

import DivertCore
import Synchronization

/// Targets whose deliveries get rows at once; written by the engine, read when a group is made.
final class Congestion: Sendable {
  private struct State {
    var targets: Set<String> = []
    /// Packed deliveries that were handed to the engine and have not ended.
    var hot = 0
  }
  /// More than this many packed deliveries in memory, and all new ones become rows.
  static let hotLimit = 65_536

  private let state = Mutex(State())

  func set(_ changes: [(target: String, congested: Bool)]) {
    state.withLock { state in
      for change in changes {
        if change.congested { state.targets.insert(change.target) } else { state.targets.remove(change.target) }
      }
    }
  }

  func engineHolds(_ count: Int) { state.withLock { $0.hot = count } }

  /// The congested targets, or nil when every target is to be treated so.
  var current: Set<String>? { state.withLock { $0.hot > Self.hotLimit ? nil : $0.targets } }
}

/// Messages that wait for a transaction.
struct Backlog {
  private var appends: [(append: Append, reply: AppendReply?)] = []
  private var nextAppend = 0
  private var turns: [(turn: Int?, batch: StoreBatch)] = []
  private var work: [(batch: StoreBatch, reply: @Sendable (Result<StoreReceipt, StoreError>) -> Void)] = []
  private var refusals: [Refusal] = []
  private var claims: [ClaimWish] = []
  private(set) var stopping = false
  var failing = false

  /// How long to wait before a failed commit is tried again.
  private let pause = Span.seconds(1)
  /// How long outcomes that nothing waits for may wait for a transaction that is made anyway.
  private static let patience = Span.milliseconds(10)
  /// Since when there is nothing but such outcomes; nil: something is urgent, or there is nothing.
  private var lazySince: Timestamp?
  /// Under load (the last transactions had several appends) the next ones gather this long: fewer fsyncs, each for more events.
  static let gathering = Span.milliseconds(4)
  private static let load = 8
  private var lastAppends = 0
  private var gatherUntil: Timestamp?

  var isEmpty: Bool {
    nextAppend == appends.count && turns.isEmpty && work.isEmpty && refusals.isEmpty && claims.isEmpty
  }
  /// Also when it is failing: new messages may have come, and the pause has passed.
  func wantsCommit(_ now: Timestamp) -> Bool {
    if isEmpty || stopping { return !isEmpty }
    // Further off than it was when it was set: the clock was set back, and nobody waits for it to catch up.
    if let gatherUntil {
      let left = gatherUntil - now
      return left <= .zero || left > Self.gathering || appends.count - nextAppend >= 2 * lastAppends
    }
    return lazySince.map { !(Span.zero..<Self.patience).contains(now - $0) } ?? true
  }

  /// When to go on at the latest; nil: not before a message.
  func wakeAt(_ now: Timestamp) -> Timestamp? {
    if isEmpty { return nil }
    if !failing, let gatherUntil { return min(gatherUntil, now + Self.gathering) }
    if !failing, let lazySince { return min(lazySince, now) + Self.patience }
    return now + pause
  }

  /// It waits for more appends, a few milliseconds.
  var isGathering: Bool { !failing && gatherUntil != nil }

  private var isLazy: Bool {
    nextAppend == appends.count && work.isEmpty && claims.isEmpty && turns.allSatisfy { $0.batch.isOnlyOutcomes }
  }
  /// At the stop what cannot be committed is left: the rows on disk say what is to be done again.
  var stopped: Bool { stopping && (isEmpty || failing) }

  mutating func take(_ messages: [DatabaseMessage], now: Timestamp) {
    for message in messages {
      switch message {
      case .append(let append, let reply): appends.append((append, reply))
      case .refusal(let refusal): refusals.append(refusal)
      case .engine(let turn, let batch, let wishes):
        if turn != nil || !batch.isEmpty { turns.append((turn, batch)) }
        claims.append(contentsOf: wishes)
      case .work(let batch, let reply): work.append((batch, reply))
      case .stop: stopping = true
      }
    }
    lazySince = !isEmpty && isLazy ? lazySince ?? now : nil
    if gatherUntil == nil, !isEmpty, lazySince == nil, lastAppends >= Self.load { gatherUntil = now + Self.gathering }
  }

  /// The next transaction: the engine's turns whole, and up to `limit` appends.
  mutating func nextGroup(_ limit: Int, congested: Set<String>?) -> CommitGroup {
    var group = CommitGroup()
    lazySince = nil
    gatherUntil = nil
    let end = min(appends.count, nextAppend + limit)
    for place in nextAppend..<end {
      var (append, reply) = appends[place]
      append.congested = congested
      group.add(append, reply)
    }
    lastAppends = end - nextAppend
    nextAppend = end
    if nextAppend == appends.count {
      appends.removeAll(keepingCapacity: true)
      nextAppend = 0
    }
    for (turn, batch) in turns { group.add(turn: turn, batch) }
    for (batch, reply) in work { group.add(batch, reply) }
    group.batch.refusals.append(contentsOf: refusals)
    group.claims = claims
    turns.removeAll(keepingCapacity: true)
    work = []
    refusals = []
    claims = []
    return group
  }

  /// After a failed commit: appends and operators are told; the engine's turns, refusals and what nobody would send
  /// again wait for the next try.
  mutating func putBack(_ group: inout CommitGroup, _ error: StoreError) {
    appends.insert(contentsOf: group.unaskedAppends.map { ($0, nil) }, at: nextAppend)
    group.refuse(error)
    turns = group.turns + turns
    refusals = group.ownRefusals + refusals
    claims = group.claims + claims
  }
}

extension StoreBatch {
  /// Nothing but how packed deliveries ended, which nobody waits for.
  fileprivate var isOnlyOutcomes: Bool {
    appends.isEmpty && rows.isEmpty && replays.isEmpty && drops.isEmpty && additions.isEmpty && cancels.isEmpty
      && questions.isEmpty && followUps.isEmpty && suppressions.isEmpty && targetStates.isEmpty && alarms.isEmpty
  }
}

/// One transaction with its askers.
struct CommitGroup {
  private(set) var appendReplies: [AppendReply?] = []
  private(set) var turns: [(turn: Int?, batch: StoreBatch)] = []
  private var workReplies: [WorkReply] = []
  var batch = StoreBatch()
  var claims: [ClaimWish] = []

  /// An operator's share of the batch: its places in the receipt's lists.
  private struct WorkReply {
    var replays: Range<Int>
    var additions: Range<Int>
    var cancels: Range<Int>
    var reply: @Sendable (Result<StoreReceipt, StoreError>) -> Void
  }

  var ownRefusals: [Refusal] { batch.refusals }
  var unaskedAppends: [Append] { zip(batch.appends, appendReplies).compactMap { $1 == nil ? $0 : nil } }

  mutating func add(_ append: Append, _ reply: AppendReply?) {
    batch.appends.append(append)
    appendReplies.append(reply)
  }

  mutating func add(turn: Int?, _ other: StoreBatch) {
    turns.append((turn, other))
    merge(other)
  }

  mutating func add(_ other: StoreBatch, _ reply: @escaping @Sendable (Result<StoreReceipt, StoreError>) -> Void) {
    let (replays, additions, cancels) = (batch.replays.count, batch.additions.count, batch.cancels.count)
    merge(other)
    workReplies.append(
      WorkReply(
        replays: replays..<batch.replays.count, additions: additions..<batch.additions.count,
        cancels: cancels..<batch.cancels.count, reply: reply))
  }

  private mutating func merge(_ other: StoreBatch) {
    batch.packed += other.packed
    batch.rows += other.rows
    batch.replays += other.replays
    batch.drops += other.drops
    batch.additions += other.additions
    batch.cancels += other.cancels
    batch.questions += other.questions
    batch.followUps += other.followUps
    batch.suppressions += other.suppressions
    batch.targetStates.merge(other.targetStates) { $1 }
    batch.alarms.merge(other.alarms) { $1 }
    batch.budgets.merge(other.budgets) { $1 }
  }

  /// What the engine is told. Appended events come before the turns: an event behind a delivery that just failed finds its
  /// line still closed.
  func distribute(_ receipt: StoreReceipt) -> [DatabaseNews] {
    var news: [DatabaseNews] = []
    var appended: [AppendedEvent] = []
    for (place, outcome) in receipt.appends.enumerated() {
      guard case .accepted(let event, let plan, let hot) = outcome, !hot.isEmpty else { continue }
      let append = batch.appends[place]
      appended.append(AppendedEvent(event: event, planned: plan.deliveries, hot: hot, table: append.table))
    }
    if !appended.isEmpty { news.append(.appended(appended)) }
    let turn = turns.compactMap(\.turn).max()
    if turn != nil || !receipt.due.isEmpty {
      news.append(.committed(turn: turn, due: receipt.due, answers: receipt.answers))
    }
    return news
  }

  func answer(_ receipt: StoreReceipt) {
    for (reply, outcome) in zip(appendReplies, receipt.appends) { reply?(.success(outcome)) }
    for work in workReplies {
      var share = StoreReceipt()
      share.replays = Array(receipt.replays[work.replays])
      share.additions = Array(receipt.additions[work.additions])
      share.cancels = Array(receipt.cancels[work.cancels])
      share.due = receipt.due
      work.reply(.success(share))
    }
  }

  mutating func refuse(_ error: StoreError) {
    for reply in appendReplies { reply?(.failure(error)) }
    for work in workReplies { work.reply(.failure(error)) }
    appendReplies = []
    workReplies = []
  }
}
