// A target's `faults:` → the failures that the sandbox can play for it, by name.
package import DivertCore

/// How the sandbox's emulator lets a request fail.
package struct SandboxFault: Sendable, Hashable {
  /// Nil: as the target answers otherwise, or not at all.
  package var status: Int?
  package var headers: [HTTPHeader]
  /// A string is sent as it is, as plain text; anything else as JSON. Nil: empty.
  package var body: JSONValue?
  /// The connection is closed without an answer.
  package var hangsUp: Bool
  /// Waits this long first.
  package var delay: Span

  package init(
    status: Int? = nil, headers: [HTTPHeader] = [], body: JSONValue? = nil, hangsUp: Bool = false,
    delay: Span = .zero
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.hangsUp = hangsUp
    self.delay = delay
  }
}

/// What the sandbox must know of a target to let it fail.
package struct SandboxTarget: Sendable, Hashable {
  /// The type of a credential that targets share.
  package static let credential = "oauth2"
  /// The name of the request that fetches a token.
  package static let tokenRequest = "oauth2_token"

  /// Its preset's name, or `http`.
  package var type: String
  /// The names of its requests.
  package var actions: Set<String>
  /// How long a request to it may take in all.
  package var timeout: Span
  /// Its own and its preset's failures, by name.
  package var faults: [String: SandboxFault]

  package init(type: String, actions: Set<String> = [], timeout: Span, faults: [String: SandboxFault] = [:]) {
    self.type = type
    self.actions = actions
    self.timeout = timeout
    self.faults = faults
  }
}

extension LoadContext {
  func faults(_ node: YAMLNode) -> [String: SandboxFault] {
    var faults: [String: SandboxFault] = [:]
    for entry in named(node, "'faults'") { faults[entry.key] = fault(entry) }
    return faults
  }

  private func fault(_ entry: YAMLNode.Entry) -> SandboxFault? {
    guard let fields = fields(entry.value, .fault) else { return nil }
    var fault = SandboxFault()
    fault.status = fields["status"].flatMap { whole($0, "'status'", Language.faultStatuses) }
    fault.headers = fields["headers"].map(faultHeaders) ?? []
    fault.body = fields["body"].flatMap { tree($0, .secretsOnly) }.map(\.value)
    fault.hangsUp = fields["hang_up"].flatMap { boolean($0, "'hang_up'") } ?? false
    fault.delay = fields["delay"].flatMap { duration($0, "'delay'", Language.timeouts) } ?? .zero
    let names = Language.fault.fields.map(\.name)
    let others = ["status", "headers", "body"].compactMap { fields.entry($0) }
    if fault.hangsUp, let other = others.first {
      error(
        "contradictory", other.keyPlace, "a connection that is closed brings no '\(other.key)'",
        "remove it, or 'hang_up'")
    } else if !fault.hangsUp, fields["status"] == nil, let other = others.first {
      if !fields.refused("status", among: names) {
        error("missing_field", other.keyPlace, "'\(other.key)' needs a 'status'", "add 'status': as in 'status: 429'")
      }
    } else if fields.entries.isEmpty, fields.isWhole {
      error("missing_field", entry.keyPlace, "fault '\(entry.key)' does nothing", "add 'status', 'hang_up' or 'delay'")
    }
    return fault
  }

  private func faultHeaders(_ node: YAMLNode) -> [HTTPHeader] {
    named(node, "'headers'", strict: false).compactMap { entry in
      check(header: entry.key, at: entry.keyPlace)
      guard let value = text(entry.value, "'\(entry.key)'") else { return nil }
      if value.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
        error("bad_header", entry.value.place, "a header cannot hold a line break or another control character")
        return nil
      }
      return HTTPHeader(entry.key, value)
    }
  }
}
