// Which of the sandbox's requests fail: the rules in force, each with its own count and its own dice.

package import DivertConfig
import DivertCore
import Synchronization

/// Decides for each request. The dice have fixed seeds: the same requests in the same order meet the same faults.
package final class SandboxFaults: Sendable {
  /// What one rule has done for one target.
  private struct Tally {
    var count = 0
    var dice: SplitMix64
  }

  private struct State {
    var rules: [FaultRule] = []
    /// By the rule's place and the target.
    var tallies: [String: Tally] = [:]
  }

  private let targets: @Sendable () -> [String: SandboxTarget]
  private let state = Mutex(State())

  /// - Parameter targets: the newest configuration's.
  package init(targets: @escaping @Sendable () -> [String: SandboxTarget]) { self.targets = targets }

  /// Puts rules in the place of those in force; counting begins anew.
  /// - Throws: what is wrong with the text; the rules in force stay.
  package func set(_ text: String, called: String) throws(ServeFailure) {
    let rules = try FaultRule.read(text, called: called, targets: targets())
    state.withLock { $0 = State(rules: rules) }
  }

  package var rules: [FaultRule] { state.withLock { $0.rules } }

  /// Whether the connection for this request is refused.
  func refuses(_ target: String, action: String) -> Bool { draw(target, action, refusals: true) != nil }

  /// How the target misbehaves at this request; nil: it does not.
  func next(_ target: String, action: String) -> Emulator.Misbehaviour? {
    guard let name = draw(target, action, refusals: false), let known = targets()[target],
      let fault = FaultBook.fault(name, of: known)
    else { return nil }
    return Emulator.Misbehaviour(fault, name: name)
  }

  /// The name of the fault that this request meets. Every rule that covers it counts it; the first that strikes decides.
  private func draw(_ target: String, _ action: String, refusals: Bool) -> String? {
    state.withLock { state in
      if state.rules.isEmpty { return nil }
      let known = targets()[target]
      // A preset may have a fault of that name, which is an answer.
      let refused = known?.faults[FaultBook.refused] == nil ? FaultBook.refused : nil
      var struck: String?
      for (place, rule) in state.rules.enumerated()
      where rule.covers(target, type: known?.type, action: action) && (rule.fault == refused) == refusals {
        let key = "\(place) \(target)"
        var tally = state.tallies[key] ?? Tally(dice: SplitMix64(state: Self.seed(rule, target)))
        if Self.strikes(rule.rate, &tally), struck == nil { struck = rule.fault }
        state.tallies[key] = tally
      }
      return struck
    }
  }

  private static func strikes(_ rate: FaultRule.Rate, _ tally: inout Tally) -> Bool {
    tally.count += 1
    switch rate {
    case .always: return true
    case .share(let millionths): return Int.random(in: 0..<1_000_000, using: &tally.dice) < millionths
    case .every(let n): return tally.count.isMultiple(of: n)
    case .first(let n): return tally.count <= n
    }
  }

  /// The same in every process (FNV-1a).
  private static func seed(_ rule: FaultRule, _ target: String) -> UInt64 {
    "\(target) \(rule.text)".utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }
}

extension Emulator.Misbehaviour {
  init(_ fault: SandboxFault, name: String) {
    let kind: Kind =
      fault.hangsUp ? .hangUp : fault.status.map { .answer(.init(status: $0, body: fault.bodyText)) } ?? .normal
    self.init(kind: kind, headers: fault.headers, delay: fault.delay)
    self.name = name
  }
}

extension SandboxFault {
  /// As it is sent.
  fileprivate var bodyText: String {
    guard let body else { return "" }
    return body.string ?? String(decoding: body.encoded(), as: UTF8.self)
  }
}
