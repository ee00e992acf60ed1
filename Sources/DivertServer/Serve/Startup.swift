// What must be right before the router starts: the configuration, its secrets, the addresses, the data folder. Every fault of a
// kind is said at once.

import DivertConfig
import DivertCore
import DivertStore

/// A configuration that may go into force.
struct LoadedConfiguration: Sendable {
  var table: RouteTable
  var bundle: ConfigBundle
  var sandboxAnswers: [String: Emulator.Answer]
}

/// Where the router listens.
struct Addresses: Sendable {
  var listen: ListenAddress
  var `operator`: ListenAddress

  /// Reads both flags; throws with the one that is no address.
  init(_ options: ServeOptions) throws(ServeFailure) {
    listen = try Self.read(options.listen, "--listen")
    `operator` = try Self.read(options.operatorAddress, "--operator")
  }

  private static func read(_ text: String, _ flag: String) throws(ServeFailure) -> ListenAddress {
    if let address = ListenAddress(text) { return address }
    throw ServeFailure("\(flag) \(text): not an address; write host and port, as in 127.0.0.1:8080")
  }
}

enum Startup {
  /// Loads the configuration. Throws with its diagnostics, or with the secrets that are absent (not in the sandbox).
  static func configuration(_ options: ServeOptions, secrets: CachedSecrets) throws(ServeFailure)
    -> LoadedConfiguration
  {
    let loaded = ConfigLoader.load(path: options.config)
    guard let table = loaded.table, let bundle = loaded.bundle else {
      let faults = loaded.diagnostics.map(\.description).joined()
      throw ServeFailure("\(faults)The router did not start: \(options.config) has errors.")
    }
    if !options.sandbox { try checkSecrets(loaded, options, secrets) }
    return LoadedConfiguration(
      table: table, bundle: bundle, sandboxAnswers: loaded.sandboxAnswers.mapValues(answer))
  }

  private static func checkSecrets(
    _ loaded: LoadResult, _ options: ServeOptions, _ secrets: CachedSecrets
  ) throws(ServeFailure) {
    let absent = loaded.absentSecrets { secrets.value($0) != nil }
    if absent.isEmpty { return }
    throw ServeFailure(
      absent.map(\.description).joined()
        + "The router did not start: put each secret into a file of its name in \(options.secretsFolder), "
        + "or try the configuration without secrets: --sandbox")
  }

  private static func answer(_ answer: SandboxAnswer) -> Emulator.Answer {
    let body = answer.body.string ?? String(decoding: answer.body.encoded(), as: UTF8.self)
    return Emulator.Answer(status: answer.status, body: body)
  }

  /// Refuses addresses that strangers could reach unguarded; returns the operator address's protection.
  static func protection(
    _ options: ServeOptions, _ addresses: Addresses, _ table: RouteTable, secrets: CachedSecrets
  ) throws(ServeFailure) -> OperatorProtection {
    if !options.sandbox, let objection = ListenRule.objection(to: addresses.listen, table: table) {
      throw ServeFailure(objection)
    }
    if options.sandbox, !addresses.listen.isLoopback {
      throw ServeFailure("the sandbox's key is no secret: it listens on loopback only, not on \(addresses.listen)")
    }
    do {
      let key = try operatorKey(table, secrets)
      return try OperatorProtection.make(listen: addresses.operator, key: key)
    } catch let failure as OperatorFailure {
      throw ServeFailure(failure.description)
    } catch {
      throw ServeFailure("server.operator_key: \(error)")
    }
  }

  private static func operatorKey(_ table: RouteTable, _ secrets: CachedSecrets) throws -> String? {
    guard let template = table.parts.server.operatorKey else { return nil }
    let context = RenderContext(
      event: nil, now: Timestamp(milliseconds: 0), secrets: .resolved { secrets.value($0) })
    return try context.text(template)
  }
}
