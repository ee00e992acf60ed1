// Who may post to a source: its key, an optional header, an optional list of addresses; compiled once per
// configuration.

import Crypto
package import DivertCore
import Synchronization

/// A source's conditions of entry. Keys and header values are kept as SHA-256 digests and compared in constant time.
struct SourceGate: Sendable {
  private enum Secret {
    case none
    /// Named, but its secret is absent: nothing fits.
    case absent
    case digest([UInt8])

    func fits(_ text: some StringProtocol) -> Bool {
      switch self {
      case .none: true
      case .absent: false
      case .digest(let digest): Self.equal(digest, Self.digest(text))
      }
    }

    static func digest(_ text: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// Looks at every byte, wherever the first difference is.
    private static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
      a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    init(_ template: Template?, _ secret: (String) -> String?) {
      guard let template else {
        self = .none
        return
      }
      self = SecretText.resolve(template, secret).map { .digest(Self.digest($0)) } ?? .absent
    }
  }

  let source: SourceDefinition
  private let key: Secret
  private let headerValue: Secret
  private let allowed: [AddressBlock]?

  /// `key` replaces the configured one (the sandbox's).
  init(_ source: SourceDefinition, key: String?, secret: (String) -> String?) {
    self.source = source
    self.key = Secret(key.map(Template.init(literal:)) ?? source.key, secret)
    headerValue = Secret(source.requiredHeader?.value, secret)
    allowed = source.allow.isEmpty ? nil : source.allow.compactMap(AddressBlock.init)
  }

  var hasKey: Bool { if case .none = key { false } else { true } }

  func takes(key text: some StringProtocol) -> Bool { key.fits(text) }

  func takes(address: String) -> Bool { allowed?.contains { $0.contains(address) } ?? true }

  /// `header` looks a header's first value up by name.
  func takes(header: (String) -> String?) -> Bool {
    guard let required = source.requiredHeader else { return true }
    return header(required.name).map { headerValue.fits($0) } ?? false
  }
}

/// The gates of the newest configuration.
final class SourceGates: Sendable {
  private struct Compiled {
    var table: RouteTable?
    var gates: [String: SourceGate] = [:]
  }

  private let compiled = Mutex(Compiled())
  private let key: String?
  private let secret: @Sendable (String) -> String?

  init(key: String?, secret: @escaping @Sendable (String) -> String?) {
    self.key = key
    self.secret = secret
  }

  /// The gate of a source, or nil where there is no such source.
  func gate(of source: String, in table: RouteTable) -> SourceGate? {
    compiled.withLock { compiled in
      if compiled.table !== table {
        compiled.table = table
        compiled.gates = table.parts.sources.mapValues { SourceGate($0, key: key, secret: secret) }
      }
      return compiled.gates[source]
    }
  }
}

/// Texts that may hold secrets and nothing else that varies.
package enum SecretText {
  /// The text, or nil where a secret is absent or the template asks for something else than a plain secret.
  package static func resolve(_ template: Template, _ secret: (String) -> String?) -> String? {
    var text = ""
    for part in template.parts {
      switch part {
      case .literal(let literal): text += literal
      case .expression(let expression):
        guard case .secret(let name) = expression.path, expression.filters.isEmpty, let value = secret(name) else {
          return nil
        }
        text += value
      }
    }
    return text
  }
}
