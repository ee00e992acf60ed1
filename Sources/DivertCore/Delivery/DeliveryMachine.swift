// Step 6 and 10 of the line: decides what is sent, kept, retried and given up. Facts go in, orders come out; it never acts.

/// Names a job of the machine; goes out with a transfer and comes back with its result. Never reused.
package struct JobToken: Sendable, Hashable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  var slot: Int { Int(rawValue & 0xffff_ffff) }
}

/// What the shell must do after a turn, in this order: commit `batch` (with `turn`), then claims; sends and letters at once.
package struct MachineOrders: Sendable {
  /// Say `committed(turn)` when the batch is on disk, also when it is empty and `turn` is set.
  package var turn: Int?
  package var batch = StoreBatch()
  package var claims: [ClaimWish] = []
  /// Requests to send now.
  package var sends: [JobToken] = []
  /// Requests to send now that carry several deliveries each.
  package var batches: [BatchOrder] = []
  /// Dead letters to write; say `buried` when the files are on disk.
  package var letters: [JobToken] = []
  /// What has expired while it waits: say `expired` of each, with what follows.
  package var expired: [JobToken] = []
  /// Targets that became congested or free.
  package var congestion: [(target: String, congested: Bool)] = []
  package var alarms: [AlarmNotice] = []
  package init() {}

  /// Nothing is to be done.
  package var isEmpty: Bool {
    turn == nil && batch.isEmpty && claims.isEmpty && sends.isEmpty && batches.isEmpty && letters.isEmpty
      && expired.isEmpty && congestion.isEmpty && alarms.isEmpty
  }
}

/// Something that people must know, once per cause, and its end.
package struct AlarmNotice: Sendable, Hashable {
  /// `hold:crm`, `dead:crm:rejected` …
  package var cause: String
  package var target: String?
  package var text: String
  /// It is over.
  package var recovered: Bool
  package init(cause: String, target: String?, text: String, recovered: Bool) {
    self.cause = cause
    self.target = target
    self.text = text
    self.recovered = recovered
  }
}

/// The states of all deliveries in memory. One owner calls it; each method takes a fact, `orders()` ends the turn.
///
/// Life of a job: queued (ready, or following another of its order key) → [consulting: it asks what is stored] → [recording:
/// `sending` is being committed, for actions to a person] → sending → ended, or back to disk as a waiting row, or dying (its letter
/// is being written) → ended.
/// One that goes out in stages passes a gate for each of them (DeliveryMachine+Stages.swift).
package struct DeliveryMachine: Sendable {
  enum Phase: Sendable { case ready, following, awaiting, consulting, recording, sending, dying, vacant }

  struct Job: Sendable {
    var token: JobToken
    var delivery: Delivery
    var event: Event
    /// The target that the delivery is for: its line's, and its counts'.
    var home: Int
    /// The target in whose queue it stands or through whose gate it went: its home, or a lookup's.
    var target: Int
    /// The target in whose memory it counts as queued: `target`, or for a follower the one in whose queue the head is.
    var queuedIn = 0
    /// Lives in its event's row; has none of its own yet.
    var packed: Bool
    var phase: Phase
    /// It is the one of its order key whose turn it is; the line goes on when it leaves.
    var head = false
    /// It went out to a closed target, to see whether that answers again.
    var probe = false
    /// The credential among whose requests in flight it is.
    var lease: Int?
    /// All its stages are done but its own request.
    var isPrepared = false
    /// What memory said since it passed its gate.
    var answer: DueAnswer?
    /// It was claimed because it has expired: it stands in no queue, nor in memory's lines.
    var isBeside = false
    /// The batch that it is in.
    var batch: JobToken?
    /// What came of its batch as a whole, which its target was judged by.
    var judged: AttemptOutcome?

    /// What stands in a slot that is free.
    static let vacant = Job(
      token: JobToken(rawValue: .max),
      delivery: Delivery(id: DeliveryID(event: none.id, ordinal: 0), plan: noPlan, version: ""),
      event: none, home: 0, target: 0, packed: false, phase: .vacant)
    private static let none = Event(
      id: EventID(sequence: 0, tag: 0), source: "", receivedAt: noPlan.due,
      fields: Event.Fields(name: "", at: noPlan.due), body: [], raw: .null)
    private static let noPlan = PlannedDelivery(
      route: "", send: "", target: "", action: "", orderKey: nil, due: Timestamp(milliseconds: 0), toPerson: false)
  }

  struct LineKey: Hashable, Sendable {
    var target: Int
    var key: String
  }

  /// Deliveries of one order key: the head is ready or in flight, the others follow it.
  struct Line: Sendable {
    var followers = RingBuffer<Int>()
    /// One of its deliveries is in memory as the head; else the line only waits for `settling`.
    var headed = false
    /// The target in whose queue the head stands.
    var queue = 0
    /// A delivery of this key became a waiting row in this turn's batch: until that is committed later ones go to disk behind it,
    /// and from then on the store sees to it.
    var settling: Int?
  }

  struct Pending<Value: Sendable>: Sendable {
    var turn: Int
    var value: Value
  }

  /// Looked at and changed in place: a copy of a job costs a dozen reference counts.
  var jobs: [Job] = []
  var freeSlots: [Int] = []
  var generation: UInt64 = 0
  var gates: [TargetGate] = []
  var gateIndex: [String: Int] = [:]
  var credentials: [CredentialGate] = []
  var credentialIndex: [String: Int] = [:]
  /// Batches under way.
  var batches: [JobToken: Batch] = [:]
  /// Credentials at whose gate something changed.
  var touchedCredentials: [Int] = []
  var lines: [LineKey: Line] = [:]
  var settlingLines = RingBuffer<Pending<LineKey>>()
  var recording = RingBuffer<Pending<JobToken>>()
  /// Batches whose items are being recorded.
  var recordingBatches = RingBuffer<Pending<JobToken>>()
  /// Those that asked what is stored, in the order of their questions.
  var consulting = RingBuffer<Pending<JobToken>>()
  /// When jobs expire that wait in memory.
  var expiries = TimerHeap()
  /// The earliest time at which a row on disk expires; nil: none is known.
  var expiryDue: Timestamp?
  /// Not before this are expired rows claimed again.
  var expiryRest: Timestamp?
  /// A claim of expired rows is on its way.
  var isClaimingExpired = false
  var ledger = PackedLedger()
  var timers = TimerHeap()
  var touched: [Int] = []
  /// How often a target was looked at: what the machine's work grows with.
  var looks = 0
  var turn = 0
  /// The last turn that is on disk.
  var committedTurn = 0
  var turnNeeded = false
  var pending = MachineOrders()
  var random: SplitMix64
  var desk = AlarmDesk()
  /// When the delivery goes again whose attempt is being judged.
  var postponedUntil: Timestamp?
  /// Targets whose rest is given up.
  var givingUp: Set<Int> = []
  /// No new request goes (the process is stopping).
  var stopping = false

  /// While fewer jobs than `spare` are in memory, each target may keep `burst` times its share there: a burst is not worth rows.
  let spare: Int
  static let burst = 32

  package init(seed: UInt64, spare: Int = 0) {
    random = SplitMix64(state: seed)
    self.spare = spare
  }

  /// Jobs that a target may keep in memory now; more become rows.
  func capacity(_ target: Int) -> Int { gates[target].capacity * (count < spare ? Self.burst : 1) }

  // MARK: Looking

  /// The delivery and event of a job that is in the machine.
  package func job(_ token: JobToken) -> (delivery: Delivery, event: Event)? {
    isLive(token) ? (jobs[token.slot].delivery, jobs[token.slot].event) : nil
  }

  /// Jobs whose request is under way or whose end is being written.
  package var inFlight: Int { gates.reduce(0) { $0 + $1.inFlight } }
  /// Jobs in memory.
  package var count: Int { jobs.count - freeSlots.count }

  /// When to call `tick` at the latest; nil: not before another fact.
  package var nextWake: Timestamp? {
    [timers.nextAt, ledger.nextAt, desk.nextAt, stopping ? nil : expiries.nextAt, nextExpiry].compactMap { $0 }.min()
  }

  func isLive(_ token: JobToken) -> Bool { token.slot < jobs.count && jobs[token.slot].token == token }

  func live(_ token: JobToken) -> Job? { isLive(token) ? jobs[token.slot] : nil }

  // MARK: Slots

  mutating func enter(_ delivery: Delivery, _ event: Event, packed: Bool) -> Int {
    let home = gate(delivery.plan.target)
    // What is given up is not prepared any more.
    let elsewhere = gates[home].givingUp == nil ? delivery.queue : nil
    let target = elsewhere.map { gate($0) } ?? home
    let slot = freeSlots.popLast() ?? jobs.count
    generation += 1
    let token = JobToken(rawValue: generation << 32 | UInt64(slot))
    let job = Job(
      token: token, delivery: delivery, event: event, home: home, target: target, packed: packed, phase: .ready)
    if slot == jobs.count { jobs.append(job) } else { jobs[slot] = job }
    return slot
  }

  mutating func leave(_ slot: Int) {
    jobs[slot] = .vacant
    freeSlots.append(slot)
  }

  // MARK: Targets

  /// The gate of a target, made on first sight (open, with the language's defaults) until `configure` knows better.
  mutating func gate(_ name: String, now: Timestamp = Timestamp(milliseconds: 0)) -> Int {
    if let index = gateIndex[name] { return index }
    let standard = TargetSettings(concurrency: 8, limits: [], enabled: true)
    gates.append(TargetGate(name: name, settings: standard, now: now))
    gateIndex[name] = gates.count - 1
    return gates.count - 1
  }

  /// Facts were heard whose orders have not been asked for.
  package var isRestless: Bool {
    !touched.isEmpty || !touchedCredentials.isEmpty || turnNeeded || !pending.isEmpty
  }

  mutating func touch(_ target: Int) {
    if gates[target].touched { return }
    gates[target].touched = true
    touched.append(target)
  }

  /// Ends the turn: everything that follows from the facts since the last one.
  package mutating func orders(now: Timestamp) -> MachineOrders {
    while let timer = timers.pop(due: now) {
      if timer.target < 0 {
        wakeCredential(~timer.target, timer.at)
      } else if gates[timer.target].wakeAt == timer.at {
        gates[timer.target].wakeAt = nil
        touch(timer.target)
      }
    }
    strikeExpired(now)
    pumpTouched(now)
    while serveCredentials(now) { pumpTouched(now) }
    freeSettledLines()
    pending.batch.packed = ledger.take(now: now, all: stopping)
    for notice in desk.take(now: now) {
      pending.alarms.append(notice)
      pending.batch.alarms[notice.cause] = .some(notice.recovered ? nil : notice.text)
    }
    if !pending.batch.isEmpty { noteBudgets() }
    if turnNeeded || !pending.batch.isEmpty {
      turn += 1
      turnNeeded = false
      pending.turn = turn
    }
    defer { pending = MachineOrders() }
    return pending
  }
}

/// Steele, Lea and Flood's SplitMix64: small, seeded, good enough for jitter.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64
  package init(state: UInt64) { self.state = state }
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
