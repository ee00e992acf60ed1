// What the engine does with the token machine's orders: files and signatures on a thread of its own, requests through the
// curl thread, standings and alarms to the delivery machine.

import DivertCore
import DivertTransport
import Dispatch
import Logging
import Synchronization

/// Carries the token machine's orders out. `turn` and `conclude` are called on the engine's thread, the rest is its own.
final class TokenShell: Sendable {
  /// Set in the token of each transfer that fetches a token: deliveries' never reach it.
  static let transferMark: UInt64 = 1 << 63

  private let maker: TokenMaker
  /// False: nothing was taken.
  private let submit: @Sendable ([TransferRequest]) -> Bool
  private let tell: @Sendable (@escaping @Sendable (inout EngineState) -> Void) -> Void
  private let log: Logger
  private let queue = DispatchQueue(label: "divert.tokens")
  private let held = Mutex(Held())

  private struct Held {
    var underWay: [UInt64: (name: String, prepared: TokenMaker.Prepared)] = [:]
    /// Of the secrets that the last request was made with.
    var fingerprints: [String: Int] = [:]
    /// Of the configured refresh tokens that the last requests were made with.
    var marks: [String: String] = [:]
    /// Token requests that the caps count.
    var mints: [String: [Timestamp]] = [:]
  }

  init(
    maker: TokenMaker, submit: @escaping @Sendable ([TransferRequest]) -> Bool,
    tell: @escaping @Sendable (@escaping @Sendable (inout EngineState) -> Void) -> Void, log: Logger
  ) {
    self.maker = maker
    self.submit = submit
    self.tell = tell
    self.log = log
  }

  // MARK: On the engine's thread

  /// A turn of the token machine: its orders carried out, before the delivery machine's turn.
  func turn(_ state: inout EngineState) {
    let orders = state.tokens.orders(now: state.now)
    for (name, standing) in orders.standings { state.machine.credential(name, is: standing, now: state.now) }
    for (name, text) in orders.alarms {
      let cause = "credential:\(name)"
      if let text {
        state.machine.raise(alarm: cause, text: text)
      } else {
        state.machine.settle(alarm: cause, text: "credential \(name) has a token again: its targets' deliveries go on")
      }
    }
    for (name, id) in orders.fetches {
      fetch(name, id, state.tokens.definition(name), mints: state.tokens.mints(name))
    }
    for (name, refresh) in orders.keeps { keep(name, refresh) }
    for name in orders.looks { look(name, state.tokens.definition(name)) }
  }

  /// Whether a result is one of a token request; then it is taken in.
  func conclude(_ result: TransferResult, _ state: inout EngineState) -> Bool {
    guard result.token & Self.transferMark != 0 else { return false }
    let id = result.token & ~Self.transferMark
    guard let (name, prepared) = held.withLock({ $0.underWay.removeValue(forKey: id) }) else { return true }
    let outcome = maker.outcome(result, of: prepared)
    note(outcome, of: name)
    state.tokens.fetched(name, TokenFetchID(rawValue: id), outcome, now: state.now)
    return true
  }

  private func note(_ outcome: TokenOutcome, of name: String) {
    switch outcome {
    case .granted(let grant):
      let life = grant.life.map { $0.duration } ?? "as configured"
      log.info("token", metadata: ["credential": "\(name)", "life": "\(life)", "rotated": "\(grant.refresh != nil)"])
    case .failed(let reason, _), .refused(let reason):
      log.warning(
        "token_failed",
        metadata: ["credential": "\(name)", "reason": "\(reason.code)", "msg": "\(reason.sentence)"])
    }
  }

  // MARK: On its own

  private func fetch(_ name: String, _ id: TokenFetchID, _ definition: OAuth2Definition?, mints: [Timestamp]) {
    guard let definition else { return }
    queue.async { [self] in
      if definition.mints != nil { count(mints, of: name) }
      let fingerprint = maker.fingerprint(definition)
      held.withLock { $0.fingerprints[name] = fingerprint }
      do throws(RenderFault) {
        let prepared = try maker.prepare(name, definition, id: id.rawValue | Self.transferMark)
        held.withLock { held in
          held.underWay[id.rawValue] = (name, prepared)
          held.marks[name] = prepared.mark
        }
        if !submit([prepared.request]) {
          end(name, id, .failed(Reason("stopped", "the router is stopping"), wait: nil))
        }
      } catch {
        end(name, id, .refused(error.reason))
      }
    }
  }

  private func end(_ name: String, _ id: TokenFetchID, _ outcome: TokenOutcome) {
    note(outcome, of: name)
    _ = held.withLock { $0.underWay.removeValue(forKey: id.rawValue) }
    tell { $0.tokens.fetched(name, id, outcome, now: $0.now) }
  }

  /// On disk before the request goes: a restart does not begin a cap anew.
  private func count(_ mints: [Timestamp], of name: String) {
    let all = held.withLock { held in
      held.mints[name] = mints
      return held.mints
    }
    if let failure = maker.keep(mints: all) {
      log.warning("mints_not_kept", metadata: ["msg": "after a restart the cap counts anew: \(failure)"])
    }
  }

  private func keep(_ name: String, _ refresh: String) {
    queue.async { [self] in
      let failure = maker.keep(refresh, of: name, mark: held.withLock { $0.marks[name] ?? "" })
      tell { $0.tokens.kept(name, failure, now: $0.now) }
    }
  }

  private func look(_ name: String, _ definition: OAuth2Definition?) {
    guard let definition else { return }
    queue.async { [self] in
      let fingerprint = maker.fingerprint(definition)
      guard held.withLock({ $0.fingerprints[name] }) != fingerprint else { return }
      tell { $0.tokens.mended(name, now: $0.now) }
    }
  }
}

extension EngineState {
  /// What a request to the target goes with: nil for one without tokens. Fails where there is no token now (the gate lets
  /// nothing through then, but for what was on its way through it).
  mutating func access(_ target: TargetDefinition, for token: JobToken) -> Result<TokenAccess?, UnresolvedAction> {
    guard let name = target.credential, tokens.has(name) else { return .success(nil) }
    guard let access = tokens.access(name, now: now) else {
      let reason = Reason("token_missing", "credential \(name) has no token now")
      return .failure(UnresolvedAction(reason: reason, isPassing: true, outcome: .refresh))
    }
    accesses[token] = access
    return .success(access)
  }

  /// What an answer `refresh` means: the token is renewed and the delivery goes again, once; refused again, or without a token
  /// that could be renewed, the target is held.
  mutating func renewing(
    _ judgement: Judgement, _ target: TargetDefinition, _ access: TokenAccess?, _ delivery: Delivery
  ) -> Judgement {
    guard judgement.outcome == .refresh, let name = target.credential, let access, tokens.has(name) else {
      return judgement
    }
    let last = delivery.attempts.last
    let again = last?.outcome == .refresh && last?.status != nil
    if tokens.refused(name, serial: access.serial, again: again, now: now) { return judgement }
    let sentence = "\(judgement.reason.sentence), also with a new token: look at what the account may do"
    return Judgement(.hold, Reason(judgement.reason.code, sentence), wait: judgement.wait)
  }
}
