// What due deliveries wait for that no time of their own ends: a credential without a token, a target that stands.

import DivertCore

/// How targets and credentials of a running router stand at one moment, as far as they keep deliveries waiting.
struct StandStills: Sendable {
  private var targets: [String: LiveStanding] = [:]
  private var tokens: [String: TokenStanding] = [:]
  private var grants: [String: OAuth2Definition.Grant] = [:]
  private let now: Timestamp

  /// Asks the router; nothing stands still where none runs.
  init(_ context: OperatorContext) async {
    now = context.now()
    guard let live = context.live else { return }
    targets = await live.standing()
    let credentials = context.table()?.parts.credentials ?? [:]
    for name in Set(targets.values.compactMap(\.credential?.name)) {
      grants[name] = credentials[name]?.oauth2?.grant
      tokens[name] = await context.credentials?.live?.standing(name)
    }
  }

  /// What a delivery waits for, and the remedy; nil where it goes as soon as it is due.
  func cause(of delivery: Delivery) -> JSONValue? {
    guard delivery.state == .waiting, delivery.due <= now else { return nil }
    let name = delivery.queue ?? delivery.plan.target
    guard let target = targets[name] else { return nil }
    switch target.state {
    case .paused, .held, .disabled, .off: return stopped(name, target)
    default: return target.credential.flatMap(wait)
    }
  }

  private func stopped(_ name: String, _ target: LiveStanding) -> JSONValue {
    let reason = target.reason.map { ": \($0.sentence)" } ?? ""
    let probe = target.probeAt.map { " (tried again at \(OperatorTime.text($0)))" } ?? ""
    let remedy =
      target.state == .off ? "`enabled: false` in the routes file keeps it so" : "`divert targets resume \(name)`"
    return [
      "target": .string(name),
      "sentence": .string("target \(name), which is \(target.state.rawValue)\(reason)\(probe); \(remedy)"),
    ]
  }

  private func wait(for credential: LiveCredential) -> JSONValue? {
    let name = credential.name
    let reason: Reason
    switch credential.standing {
    case .ready: return nil
    case .away:
      guard let failure = tokens[name]?.reason else { return nil }
      reason = failure
    case .parked(let why): reason = why
    }
    let remedy =
      grants[name] == .refreshToken
      ? "mend its secrets, or get a new refresh token: `divert auth \(name)`"
      : "mend its secrets, then `divert auth \(name) --test`"
    let how = credential.standing == .away ? "which gets no token" : "which is parked"
    return [
      "credential": .string(name),
      "sentence": .string("credential \(name), \(how): \(reason.sentence); \(remedy)"),
    ]
  }
}

extension RecordJSON {
  /// A delivery with what it waits for.
  static func delivery(_ delivery: Delivery, _ stills: StandStills?, isMessage: Bool? = nil) -> JSONValue {
    let told = self.delivery(delivery, isMessage: isMessage)
    guard let cause = stills?.cause(of: delivery), case .object(var object) = told else { return told }
    object["waits_for"] = cause
    return .object(object)
  }
}
