// Deliveries that go out in stages: which request comes next, and what its answer means for the delivery (steps 7 and 9 of the line,
// for all that is not a delivery's one request).

import DivertCore
import DivertTransport

/// Requests of stages under way, and the lookup desk. Owned by the engine.
struct StagesInHand: Sendable {
  /// A request that is being answered.
  struct Underway: Sendable {
    var request: StageRequest
    /// The definitions that it was made by: the request's target's.
    var resolution: Resolution
    /// What the lookup desk knows it by; nil: it is no question.
    var question: LookupDesk.Question?
  }

  var underway: [JobToken: Underway] = [:]
  var desk = LookupDesk()
}

extension EngineHands {
  /// The next request of a delivery that goes out in stages, which has passed a gate or waits for an answer. Nil: none now; the machine
  /// was told what follows instead.
  func nextRequest(_ token: JobToken, _ state: inout EngineState) -> TransferRequest? {
    guard let job = state.machine.job(token) else { return nil }
    switch state.resolver.resolve(job.delivery) {
    case .success(let resolution):
      var run = StageRun(token: token, delivery: job.delivery, event: job.event, resolution: resolution, hands: self)
      return run.next(&state)
    case .failure(let unresolved) where unresolved.isPassing:
      if state.machine.place(of: token)?.hasPassed == false {
        state.machine.moved(token, to: job.delivery.queue, now: state.now)
      } else {
        tryAgain(token, unresolved, &state)
      }
    case .failure(let unresolved): state.machine.unsendable(token, unresolved.reason, now: state.now)
    }
    return nil
  }

  /// Those who waited for an answer look again.
  func wake(_ waiters: [JobToken], _ state: inout EngineState) {
    // None has passed a gate: nothing is sent here. One that was given up meanwhile does not wait any more.
    for waiter in waiters where state.machine.place(of: waiter)?.hasPassed == false { _ = nextRequest(waiter, &state) }
  }
}

/// One look at one delivery: goes on by what is known until a request, a wait or the end.
private struct StageRun {
  let token: JobToken
  let delivery: Delivery
  let event: Event
  let resolution: Resolution
  let hands: EngineHands
  var memo: DeliveryMemo

  init(token: JobToken, delivery: Delivery, event: Event, resolution: Resolution, hands: EngineHands) {
    self.token = token
    self.delivery = delivery
    self.event = event
    self.resolution = resolution
    self.hands = hands
    memo = delivery.memo
  }

  private enum Known {
    /// The memo has it.
    case learnt
    /// Another delivery is asking.
    case underway(LookupDesk.Question)
    case unusable(Reason)
    case toAsk(LookupDesk.Question?)
  }

  mutating func next(_ state: inout EngineState) -> TransferRequest? {
    while true {
      let due = hands.context(of: token, delivery, event, state)
      let stage = resolution.recipe.stage(
        of: event, plan: delivery.plan, memo: &memo, due: due, taking: delivery.edited?.step)
      state.machine.remember(token, memo)
      switch stage {
      case .hold(let until, let reason): state.machine.held(token, until: until, reason, now: state.now)
      case .expired(let reason): hands.expire(token, delivery, event, resolution, reason, &state)
      case .consult(let question): consult(question, &state)
      case .skip(let reason): state.machine.skipped(token, reason, now: state.now)
      case .dead(let reason): state.machine.unsendable(token, reason, now: state.now)
      case .done(let reason): state.machine.done(token, reason, now: state.now)
      case .ask(let request):
        if memo.isUncertain, !request.isVerify { return park(&state) }
        switch known(request, &state) {
        case .learnt: continue
        case .underway(let question): wait(for: question, request, &state)
        case .unusable(let reason): state.machine.unsendable(token, reason, now: state.now)
        case .toAsk(let question): return ask(request, question, &state)
        }
      }
      return nil
    }
  }

  /// It asks what is stored once it has passed its own gate.
  private func consult(_ question: DueQuestion, _ state: inout EngineState) {
    guard let place = state.machine.place(of: token) else { return }
    if place.hasPassed, place.queue == delivery.plan.target {
      state.machine.consults(token, question)
    } else {
      state.machine.moved(token, to: nil, now: state.now)
    }
  }

  /// Whether it arrived cannot be asked any more.
  private func park(_ state: inout EngineState) -> TransferRequest? {
    let sentence = "whether it arrived is not known, and its configuration does not say any more how to find out"
    state.machine.unsendable(token, Reason("ambiguous", sentence), now: state.now)
    return nil
  }

  /// In whose queue its request waits; nil: its own target's.
  private func queue(_ request: StageRequest) -> String? {
    request.target == delivery.plan.target ? nil : request.target
  }

  private func wait(for question: LookupDesk.Question, _ request: StageRequest, _ state: inout EngineState) {
    if state.machine.awaits(token, in: queue(request), now: state.now) { state.stages.desk.wait(for: question, token) }
  }

  /// The request, if it stands where it may go out.
  private func ask(
    _ request: StageRequest, _ question: LookupDesk.Question?, _ state: inout EngineState
  ) -> TransferRequest? {
    if let place = state.machine.place(of: token) {
      if !place.hasPassed || place.queue != request.target {
        state.machine.moved(token, to: queue(request), now: state.now)
        return nil
      }
      if request.isOwn, mayGather, state.machine.gathersFirst(token, now: state.now) { return nil }
      if request.isRecorded, state.machine.recordsFirst(token) { return nil }
    }
    if delivery.isEditedAlone { return askAsEdited(&state) }
    guard let resolution = stageResolution(request, state) else {
      state.machine.unsendable(token, gone(request), now: state.now)
      return nil
    }
    let transfer = state.access(resolution.target, for: token).flatMap { access in
      hands.maker.request(
        request, of: delivery, event, by: resolution, memo: memo, access, token: token.rawValue)
    }
    switch transfer {
    case .success(let transfer):
      state.stages.underway[token] = .init(request: request, resolution: resolution, question: question)
      if let question { state.stages.desk.ask(question, by: token) }
      return transfer
    case .failure(let unresolved) where unresolved.isPassing:
      hands.tryAgain(token, unresolved, &state)
      return nil
    case .failure(let unresolved):
      state.machine.unsendable(token, unresolved.reason, now: state.now)
      return nil
    }
  }

  /// What is judged when it is due goes alone: among others it would wait after it was judged.
  private var mayGather: Bool { !resolution.send.timing.isJudgedWhenDue && delivery.plan.expires == nil }

  /// A request that was edited by hand goes as it stands, and its answer is judged like one that nothing came before.
  private func askAsEdited(_ state: inout EngineState) -> TransferRequest? {
    let transfer = state.access(resolution.target, for: token).flatMap { access in
      hands.maker.request(for: delivery, of: event, by: resolution, access, token: token.rawValue)
    }
    switch transfer {
    case .success(let transfer): return transfer
    case .failure(let unresolved):
      state.accesses[token] = nil
      if unresolved.isPassing {
        hands.tryAgain(token, unresolved, &state)
      } else {
        state.machine.unsendable(token, unresolved.reason, now: state.now)
      }
      return nil
    }
  }

  private func stageResolution(_ request: StageRequest, _ state: EngineState) -> Resolution? {
    guard let recipe = resolution.recipe.recipe(of: request, newest: state.resolver.current) else { return nil }
    return Resolution(recipe, table: resolution.table)
  }

  private func gone(_ request: StageRequest) -> Reason {
    Reason("action_gone", "target \(request.target), which \(request.name) asks, is in no configuration any more")
  }

  // MARK: What is known

  private mutating func known(_ request: StageRequest, _ state: inout EngineState) -> Known {
    switch request.purpose {
    case .step, .verify, .delivery: return .toAsk(nil)
    case .lookup(let lookup):
      // A replay asks anew: what was not found is there by now, perhaps.
      if delivery.replayOf == nil, takeFromSibling(lookup) { return .learnt }
      return known(lookup, request, &state)
    case .create(let lookup):
      let question = creation(lookup, state)
      if let known = state.stages.desk.known(question, to: event.id, now: state.now),
        case .created(let fields) = known.held,
        isOwn(known) || known.age < max(lookup.cache, Self.leastAfterCreation)
      {
        return learn(question, &state) { memo in
          memo.lookups[lookup.name] = fields
          memo.asked[lookup.name] = nil
        }
      }
      return state.stages.desk.isAsked(question) ? .underway(question) : .toAsk(question)
    }
  }

  /// What was just created is not looked for again so soon: a search of the target may not find it yet.
  private static let leastAfterCreation = Span.minutes(1)

  /// What its event was told holds for it; a replay asks anew.
  private func isOwn(_ known: LookupDesk.Known) -> Bool { known.isOwn && delivery.replayOf == nil }

  private mutating func learn(
    _ question: LookupDesk.Question, _ state: inout EngineState, _ change: (inout DeliveryMemo) -> Void
  ) -> Known {
    change(&memo)
    state.stages.desk.give(question, to: event.id)
    return .learnt
  }

  /// What a delivery of the same event was told; where the answer depends on no argument of the send.
  private mutating func takeFromSibling(_ lookup: LookupDefinition) -> Bool {
    guard let answer = memo.siblings[lookup.name], !resolution.recipe.table.asksByArguments(lookup) else {
      return false
    }
    memo.lookups[lookup.name] = answer
    memo.asked[lookup.name] = nil
    return true
  }

  private mutating func known(
    _ lookup: LookupDefinition, _ request: StageRequest, _ state: inout EngineState
  ) -> Known {
    let question: LookupDesk.Question
    switch rendered(request, state) {
    case .success(let found): question = found
    case .failure(let unresolved): return .unusable(unresolved.reason)
    }
    if let known = state.stages.desk.known(question, to: event.id, now: state.now),
      case .answer(let answer, let judgement) = known.held
    {
      var learnt = memo
      let outcome = request.settle(.answered(answer), judgement, patterns: resolution.table.patterns, memo: &learnt)
      let holds = learnt.lookups[lookup.name] == nil ? lookup.holdsNothing : lookup.cache
      switch outcome {
      // A replay asks anew for what was not found.
      case _ where delivery.replayOf != nil && learnt.lookups[lookup.name] == nil: break
      case .onward where isOwn(known) || known.age < holds: return learn(question, &state) { $0 = learnt }
      case .failed(let judgement) where isOwn(known): return .unusable(judgement.reason)
      default: break
      }
    }
    return state.stages.desk.isAsked(question) ? .underway(question) : .toAsk(question)
  }

  private func rendered(
    _ request: StageRequest, _ state: EngineState
  ) -> Result<LookupDesk.Question, UnresolvedAction> {
    guard let resolution = stageResolution(request, state) else {
      return .failure(UnresolvedAction(reason: gone(request)))
    }
    return hands.maker.question(request, of: delivery, event, by: resolution, memo: memo)
      .map { LookupDesk.Question($0, target: request.target) }
  }

  /// What is to be created is known by the first question that did not find it: whoever asks that one creates the same.
  private func creation(_ lookup: LookupDefinition, _ state: EngineState) -> LookupDesk.Question {
    var memo = memo
    memo.asked[lookup.name] = nil
    let first = resolution.recipe.stage(of: event, plan: delivery.plan, memo: &memo)
    guard case .ask(let request) = first, case .lookup = request.purpose,
      case .success(let question) = rendered(request, state)
    else { return LookupDesk.Question(creating: lookup, after: nil, wanted: [], event: event.id) }
    return LookupDesk.Question(
      creating: lookup, after: question, wanted: request.wanted.map(\.text), event: event.id)
  }
}

extension LookupDefinition {
  /// How long "nothing found" holds for other events: not at all where it is created then.
  fileprivate var holdsNothing: Span { if case .create = none { .zero } else { noneCache } }
}
