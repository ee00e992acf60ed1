// Owner 2: one loop around the pure delivery machine. It gathers facts, asks for orders, and hands them to the store's, the curl
// and the letters' threads.

import DivertCore
import DivertTransport
import Dispatch
import Glibc
import Synchronization

/// What the engine hears.
enum EngineMessage: Sendable {
  case news([DatabaseNews])
  case transfers([TransferResult])
  case buried([JobToken])
  case lettersFailed(String?)
  /// Runs on the engine's thread, between two turns.
  case command(@Sendable (inout EngineState) -> Void)
  /// No new request goes out; the loop ends when what is under way has ended, or at the deadline.
  case stop(deadline: Timestamp)
}

/// The engine's state: touched by its own thread alone.
struct EngineState: Sendable {
  var machine: DeliveryMachine
  var resolver: ActionResolver
  var now: Timestamp
  var batches: [JobToken: BatchInHand] = [:]
  var stages = StagesInHand()
  var tokens = TokenMachine(seed: 0)
  /// What the requests under way went out with.
  var accesses: [JobToken: TokenAccess] = [:]
  /// Why the store cannot commit; nil: it can.
  var storeTrouble: StoreError?
  /// Who waits until everything of a target is given up.
  var givingUp: [(target: String, done: @Sendable () -> Void)] = []
  /// Who waits until nothing is under way for a credential's token.
  var renewing: [(credential: String, done: @Sendable () -> Void)] = []
}

extension EngineState {
  /// An alarm about Divert itself; nil: it works again. A disk that is nearly full fails now and then, hence no recovery
  /// at once.
  mutating func trouble(_ cause: String, _ sentence: String?) {
    if let sentence { machine.raise(alarm: cause, text: sentence) } else { machine.calm(alarm: cause, now: now) }
  }
}

/// Carries deliveries out.
final class DeliveryEngine: Sendable {
  private let mailbox: Mailbox<EngineMessage>
  private let doorbell: Doorbell
  private let thread = Mutex<OwnerThread?>(nil)
  /// The loop has ended with nothing under way.
  private let isDone = Atomic(false)

  init() {
    let doorbell = Doorbell()
    self.doorbell = doorbell
    mailbox = Mailbox { doorbell.ring() }
  }

  func post(_ message: EngineMessage) { mailbox.post(message) }

  /// Starts the loop with a machine that has been given what was recovered. What was posted before is heard first.
  func start(_ state: EngineState, hands: EngineHands) {
    let thread = OwnerThread { [self] in run(state, hands) }
    self.thread.withLock { $0 = thread }
  }

  /// Waits for the loop's end after `.stop`. False: the deadline came before everything under way had ended.
  func join() -> Bool {
    thread.withLock { $0 }?.join()
    return isDone.load(ordering: .acquiring)
  }

  /// Asks the engine between two turns.
  func ask<Answer: Sendable>(_ question: @escaping @Sendable (inout EngineState) -> Answer) async -> Answer {
    await withCheckedContinuation { continuation in
      mailbox.post(.command { continuation.resume(returning: question(&$0)) })
    }
  }

  /// The same for a thread that may block, while the loop runs.
  func askAndWait(_ order: @escaping @Sendable (inout EngineState) -> Void) {
    let done = DispatchSemaphore(value: 0)
    mailbox.post(
      .command {
        order(&$0)
        done.signal()
      })
    done.wait()
  }

  // MARK: On the engine's thread

  /// Rounds of orders in a turn at most, before messages are heard again.
  private static let consequences = 8

  private func run(_ initial: EngineState, _ hands: EngineHands) {
    var state = initial
    var deadline: Timestamp?
    while true {
      let last = state.now
      state.now = WallClock.now()
      if state.now == last { breathe() }
      let messages = mailbox.drain()
      for message in messages { hear(message, hands, &state, &deadline) }
      turn(hands, &state)
      let isIdle = state.machine.inFlight == 0 && state.tokens.inFlight == 0
      if let deadline, isIdle || state.now >= deadline { return isDone.store(isIdle, ordering: .releasing) }
      let wake = min(state.machine.nextWake, state.tokens.nextWake)
      if mailbox.isEmpty, !state.machine.isRestless { doorbell.wait(until: min(wake, deadline)) }
    }
  }

  /// A turn each millisecond is enough: what comes meanwhile is one batch for all owners instead of many.
  private func breathe() { usleep(500) }

  private func hear(
    _ message: EngineMessage, _ hands: EngineHands, _ state: inout EngineState, _ deadline: inout Timestamp?
  ) {
    switch message {
    case .news(let news): for one in news { hear(one, &state) }
    case .transfers(let results): for result in results { hands.conclude(result, &state) }
    case .buried(let tokens): state.machine.buried(tokens, now: state.now)
    case .lettersFailed(let sentence):
      state.trouble("letters", sentence.map { "dead letters cannot be written: \($0)" })
    case .command(let run): run(&state)
    case .stop(let time):
      deadline = time
      state.machine.stop()
      state.tokens.stop()
    }
  }

  private func hear(_ news: DatabaseNews, _ state: inout EngineState) {
    switch news {
    case .appended(let events):
      for one in events {
        state.machine.planned(
          one.event, version: one.table.version, planned: one.planned, hot: one.hot, now: state.now)
      }
    case .committed(let turn, let due, let answers):
      if let turn { state.machine.committed(turn, answers: answers, now: state.now) }
      state.machine.waiting(due)
    case .claimed(let claims): for claim in claims { state.machine.claimed(claim, now: state.now) }
    case .unclaimed(let target, let error):
      let which = target == ClaimWish.expiring ? "that have expired" : "of target \(target)"
      let text = "waiting deliveries \(which) cannot be read: \(error.description)"
      state.trouble("claim:\(target)", text)
      state.trouble("claim:\(target)", nil)
    case .trouble(let error):
      state.storeTrouble = error
      state.trouble("store", error?.description)
    }
  }

  /// One turn: orders, carried out.
  private func turn(_ hands: EngineHands, _ state: inout EngineState) {
    hands.tokens.turn(&state)
    hands.carryOut(state.machine.orders(now: state.now), &state)
    // What needs no request, and a request that could not be made, are facts of their own: their orders follow at once.
    for _ in 0..<Self.consequences where state.machine.isRestless {
      hands.carryOut(state.machine.orders(now: state.now), &state)
    }
    if !state.givingUp.isEmpty { tellGivenUp(&state) }
    if !state.renewing.isEmpty { tellRenewed(&state) }
  }
}

private func tellRenewed(_ state: inout EngineState) {
  let tokens = state.tokens
  state.renewing.removeAll { wait in
    if tokens.isBusy(wait.credential) { return false }
    wait.done()
    return true
  }
}

private func tellGivenUp(_ state: inout EngineState) {
  let machine = state.machine
  state.givingUp.removeAll { wait in
    if machine.isGivingUp(wait.target) { return false }
    wait.done()
    return true
  }
}

private func min(_ a: Timestamp?, _ b: Timestamp?) -> Timestamp? {
  if let a, let b { return Swift.min(a, b) }
  return a ?? b
}
