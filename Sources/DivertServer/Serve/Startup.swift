// What must be right before the router starts: the configuration, its secrets, the addresses, the data folder. Every fault of a
// kind is said at once.

import DivertConfig
import DivertCore
import DivertStore

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
  /// Judges configurations by the rules of this process.
  static func judge(_ options: ServeOptions, _ addresses: Addresses, secrets: CachedSecrets) -> ConfigJudge {
    ConfigJudge(
      file: options.config, sandbox: options.sandbox, listen: addresses.listen, operator: addresses.operator,
      secretsFolder: options.secretsFolder, secret: { secrets.value($0) })
  }

  /// Loads the configuration. Throws with everything that speaks against it; its own tests that fail are none of that: they
  /// stand in what is returned.
  static func configuration(_ judge: ConfigJudge) throws(ServeFailure) -> LoadedConfiguration {
    do throws(ConfigRefusal) {
      let (bundle, faults) = ConfigBundle.read(path: judge.file)
      guard let bundle else { throw ConfigJudge.errors(faults, judge.file) }
      return try judge.judge(bundle, faults, despiteTests: true)
    } catch {
      let remedy = error.code == "secrets" ? ", or try the configuration without secrets: --sandbox" : ""
      throw ServeFailure("\(error)\(remedy)\nThe router did not start.")
    }
  }

  /// Refuses `--sandbox-faults` where it says what cannot be, or where there is no sandbox.
  static func judgeFaults(_ options: ServeOptions, _ configuration: LoadedConfiguration) throws(ServeFailure) {
    guard let faults = options.sandboxFaults else { return }
    guard options.sandbox else {
      throw ServeFailure("\(options.sandboxFaultsFrom) is for the sandbox: say --sandbox, too, or leave it out")
    }
    _ = try FaultRule.read(faults, called: options.sandboxFaultsFrom, targets: configuration.sandboxTargets)
  }

  /// Refuses addresses that strangers could reach unguarded (`ConfigJudge` has judged the sources' keys); returns the operator
  /// address's protection.
  static func protection(
    _ options: ServeOptions, _ addresses: Addresses, _ table: RouteTable, secrets: CachedSecrets
  ) throws(ServeFailure) -> OperatorProtection {
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
