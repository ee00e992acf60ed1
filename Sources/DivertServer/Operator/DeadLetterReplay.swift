// `divert dead-letters replay`: which dead letters may be sent again, as what, and what came of it (step 13 of the line).

import DivertCore
import DivertStore

/// How a replay is wanted.
struct ReplayWish: Sendable {
  var dryRun: Bool
  /// Under the definition that planned it, not today's.
  var asWas: Bool
  /// A dead letter with reason `ambiguous` may have been delivered: it goes again only with this.
  var acceptDuplicate: Bool

  init(_ input: OperatorInput) throws(OperatorFailure) {
    dryRun = try input.flag("dry_run")
    asWas = try input.flag("as_was")
    acceptDuplicate = try input.flag("accept_duplicate")
  }
}

/// What is to be done with one dead letter.
enum ReplayDecision: Sendable {
  /// A new delivery in the place of the dead one.
  case replay(Replay)
  /// A new delivery of an event that has none like it: a file that was made by hand.
  case add(Addition)
  /// It was replayed already (a kill came between the row and the file): only the file has to move.
  case move(by: DeliveryID?)
  case refuse(Reason)
}

/// Judges dead letters against the store and the configurations. Blocking; called from `Blocking.run`.
struct ReplayJudge {
  let context: OperatorContext
  let wish: ReplayWish

  func judge(_ letter: DeadLetter) throws -> ReplayDecision {
    let id = letter.delivery.id
    guard try context.store.event(letter.event.id) != nil else {
      return .refuse(
        Reason(
          "unknown_event",
          "its event \(letter.event.id) is not in this store: replay it where it was received, or post the event's body "
            + "again with `divert send`"))
    }
    let row = try context.store.delivery(id)
    if let row {
      guard row.state == .dead else {
        return .refuse(Reason("not_dead", "\(id) is \(row.state.name), not dead: nothing is to be sent again"))
      }
      if let by = row.replayedBy { return .move(by: DeliveryID(event: id.event, ordinal: by)) }
    }
    let reason = row?.reason ?? letter.delivery.reason
    if reason?.code == "ambiguous", !wish.acceptDuplicate {
      return .refuse(
        Reason(
          "may_be_duplicate",
          "it may have been delivered (the answer was lost): look at the target, then replay with --accept-duplicate or "
            + "drop it"))
    }
    switch RequestEdits.judge(letter, context) {
    case .refused(let reason): return .refuse(reason)
    case .unchanged: return plan(letter, edited: nil, hasRow: row != nil)
    case .edited(let request): return plan(letter, edited: request, hasRow: row != nil)
    }
  }

  /// The same route and action, under today's definition or its own.
  private func plan(_ letter: DeadLetter, edited: EditedRequest?, hasRow: Bool) -> ReplayDecision {
    let old = letter.delivery.plan
    let table = wish.asWas ? context.tableOfVersion(letter.delivery.version) : context.table()
    guard let table else {
      return .refuse(
        wish.asWas
          ? Reason("no_version", "the configuration \(letter.delivery.version) that planned it is not kept any more")
          : Reason("no_configuration", "there is no routes.yaml that can be read; `divert check` says why"))
    }
    var edited = edited
    if let request = edited {
      switch RequestEdits.placed(request, old, in: table) {
      case .success(let placed): edited = placed
      case .failure(let fault): return .refuse(fault.reason)
      }
    }
    if edited?.step != nil || edited == nil, let problem = missing(old, in: table) { return .refuse(problem) }
    if edited != nil, table.parts.targets[old.target] == nil { return .refuse(gone("target", old.target)) }
    let send = table.send(route: old.route, label: old.send)
    // Written to people it expires as it would have; a machine is told also what is old.
    let plan = PlannedDelivery(
      route: old.route, send: old.send, target: old.target, action: old.action, orderKey: nil, due: context.now(),
      toPerson: send?.toPerson ?? old.toPerson, prepares: send?.planned.prepares ?? old.prepares,
      expires: send.flatMap { $0.isMessage ? $0.timing.expiry(of: letter.event) : nil })
    if hasRow {
      return .replay(
        Replay(original: letter.delivery.id, plan: plan, version: table.version, asWas: wish.asWas, edited: edited))
    }
    if edited != nil {
      return .refuse(
        Reason(
          "unknown_delivery",
          "\(letter.delivery.id) is no delivery of this store, so an edited request cannot take its place: give the file "
            + "the id of a dead delivery of that event"))
    }
    return .add(Addition(event: letter.event.id, planned: [plan], version: table.version))
  }

  /// Why the action of a plan is not in a table; nil if it is.
  private func missing(_ old: PlannedDelivery, in table: RouteTable) -> Reason? {
    guard let target = table.parts.targets[old.target] else { return gone("target", old.target) }
    guard target.actions[old.action] != nil else { return gone("action", "\(old.target).\(old.action)") }
    let send = table.send(route: old.route, label: old.send)
    guard send?.target == old.target, send?.action == old.action else {
      return gone("send", "\(old.send) (\(old.target).\(old.action)) of route \(old.route)")
    }
    return nil
  }

  private func gone(_ kind: String, _ name: String) -> Reason {
    Reason(
      "gone",
      "\(wish.asWas ? "its own" : "today's") routes.yaml has no \(kind) \(name): "
        + (wish.asWas ? "put it back" : "put it back, or replay with --as-was"))
  }
}

/// Carries replays out: judge, plan the rows (on disk), then move the files.
enum DeadLetterReplayer {
  private struct Judged: Sendable {
    var file: String
    var path: String
    var letter: DeadLetter?
    var decision: ReplayDecision
  }

  /// One result a file, in the order of the files.
  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let filter = try DeadLetterChoice(input, context)
    let wish = try ReplayWish(input)
    if filter.isEmpty, try !input.flag("all") {
      throw OperatorFailure.badRequest("name the dead letters to replay, filter them, or say --all")
    }
    let judged = try await Blocking.run {
      let judge = ReplayJudge(context: context, wish: wish)
      let letters = try DeadLetterShelf(context).letters(filter)
      if letters.isEmpty { try KnownNames(context).require(filter) }
      return try letters.map { try one($0, judge) }
    }
    var results = wish.dryRun ? judged.map { preview($0, context, wish) } : try await carryOut(judged, context)
    results += filter.names.filter { name in !judged.contains { DeadLetterChoice.matches(name, $0.file, $0.letter) } }
      .map(unknown)
    return ["count": .number(results.count), "dry_run": .bool(wish.dryRun), "results": .array(results)]
  }

  /// A name for which there is no file.
  private static func unknown(_ name: String) -> JSONValue {
    let reason = Reason("unknown", "there is no dead letter `\(name)`; `divert dead-letters list` names them")
    return ["file": .string(name), "outcome": "refused", "reason": RecordJSON.reason(reason)]
  }

  private static func one(_ shelved: ShelvedLetter, _ judge: ReplayJudge) throws -> Judged {
    switch shelved.content {
    case .success(let letter):
      Judged(file: shelved.file, path: shelved.path, letter: letter, decision: try judge.judge(letter))
    case .failure(let fault):
      Judged(
        file: shelved.file, path: shelved.path, letter: nil, decision: .refuse(Reason("damaged", fault.description)))
    }
  }

  /// The rows first, then the files: a kill in between leaves a file whose row says that it was replayed.
  private static func carryOut(_ judged: [Judged], _ context: OperatorContext) async throws -> [JSONValue] {
    let replays = judged.compactMap { if case .replay(let replay) = $0.decision { replay } else { nil } }
    let additions = judged.compactMap { if case .add(let addition) = $0.decision { addition } else { nil } }
    var outcomes = replays.isEmpty ? [] : try await context.replay(replays)[...]
    var added = try await context.add(additions)[...]
    var results: [JSONValue] = []
    for item in judged {
      switch item.decision {
      case .refuse(let reason): results.append(result(item, "refused", reason: reason))
      case .move(let by): results.append(try await moved(item, "already_replayed", by: by, context))
      case .replay:
        switch outcomes.popFirst() {
        case .planned(let id)?: results.append(try await moved(item, "planned", by: id, context))
        case .refused(let reason)?: results.append(result(item, "refused", reason: reason))
        case nil: results.append(result(item, "refused", reason: Reason("not_planned", "the router did not answer")))
        }
      case .add:
        if added.popFirst()?.isEmpty == false {
          results.append(try await moved(item, "planned", by: nil, context))
        } else {
          let reason = Reason("already_there", "its event has this delivery already; `divert find` shows it")
          results.append(result(item, "refused", reason: reason))
        }
      }
    }
    return results
  }

  private static func moved(
    _ item: Judged, _ outcome: String, by: DeliveryID?, _ context: OperatorContext
  ) async throws -> JSONValue {
    do {
      _ = try await Blocking.run { try context.deadLetters.move(item.path, to: .replayed) }
      return result(item, outcome, by: by)
    } catch {
      let note = "the file could not be moved to replayed/ (\(error)); replaying it again moves it and sends nothing"
      return result(item, outcome, by: by, note: note)
    }
  }

  private static func preview(_ item: Judged, _ context: OperatorContext, _ wish: ReplayWish) -> JSONValue {
    guard let letter = item.letter else { return result(item, "refused", reason: refusal(item.decision)) }
    switch item.decision {
    case .refuse(let reason): return result(item, "refused", reason: reason)
    case .move(let by): return result(item, "already_replayed", by: by)
    case .replay(let replay): return preview(item, letter, replay.plan, replay.edited, context, wish)
    case .add(let addition):
      return preview(item, letter, addition.planned.first ?? letter.delivery.plan, nil, context, wish)
    }
  }

  /// What would be sent, as far as that is known before a lookup answers; or, where no request can be made, the reason with which
  /// the delivery would die at once.
  private static func preview(
    _ item: Judged, _ letter: DeadLetter, _ plan: PlannedDelivery, _ edited: EditedRequest?, _ context: OperatorContext,
    _ wish: ReplayWish
  ) -> JSONValue {
    if let expires = plan.expires, expires <= context.now() {
      let sentence = "it was to be sent before \(expires.iso8601): it ends skipped, and what follows that is planned"
      return result(item, "would_skip", reason: Reason("expired", sentence))
    }
    let first = edited == nil ? RequestEdits.preparation(letter, plan: plan, asWas: wish.asWas, context) : nil
    do {
      let request = try RequestEdits.preview(letter, plan: plan, edited: edited, asWas: wish.asWas, context)
      let note =
        first.map { "\($0) comes first; the request is as its last answer made it" }
        ?? edited?.step.map { "it goes in place of step \($0); the steps after it follow" }
      return result(item, "would_send", note: note, request: request)
    } catch {
      if let first {
        return result(
          item, "would_send", note: "\(first) comes first: its answer makes the request, or ends the delivery")
      }
      return result(item, "would_die", reason: error.reason)
    }
  }

  private static func refusal(_ decision: ReplayDecision) -> Reason? {
    if case .refuse(let reason) = decision { reason } else { nil }
  }

  private static func result(
    _ item: Judged, _ outcome: String, by: DeliveryID? = nil, reason: Reason? = nil, note: String? = nil,
    request: JSONValue? = nil
  ) -> JSONValue {
    RecordJSON.object([
      "file": .string(item.file), "id": item.letter.map { .string($0.delivery.id.description) },
      "target": item.letter.map { .string($0.delivery.plan.target) },
      "action": item.letter.map { .string($0.delivery.plan.action) }, "outcome": .string(outcome),
      "replayed_by": by.map { .string($0.description) }, "reason": reason.map(RecordJSON.reason),
      "note": RecordJSON.text(note), "request": request,
    ])
  }
}
