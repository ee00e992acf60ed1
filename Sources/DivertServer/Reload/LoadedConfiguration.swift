// A configuration as it is in force: compiled, with its text; and the one place that holds which one that is.

import DivertConfig
import DivertCore
import Synchronization

/// A configuration that may go into force. Immutable; swapped whole.
package struct LoadedConfiguration: Sendable {
  var table: RouteTable
  var bundle: ConfigBundle
  /// What the sandbox's emulator answers, by `target.action`.
  var sandboxAnswers: [String: Emulator.Answer]
  /// How the sandbox can let requests fail, by target.
  var sandboxTargets: [String: SandboxTarget] = [:]
  /// The secrets that it names, presets' included.
  var secretNames: [String] = []
  /// Warnings, as they are printed.
  var warnings: [String] = []
  /// How many own tests it has.
  var testsRun = 0
  /// The names of those that fail: it goes into force despite them.
  var failedTests: [String] = []
}

/// The configuration in force. Who needs one takes one snapshot and stays with it: an event is planned by one version.
final class ConfigInForce: Sendable {
  private let held: Mutex<LoadedConfiguration>
  private let told = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  init(_ configuration: LoadedConfiguration) { held = Mutex(configuration) }

  var current: LoadedConfiguration { held.withLock { $0 } }
  /// Its table alone: once for each event, so nothing else is copied.
  var table: RouteTable { held.withLock { $0.table } }

  /// One element after each swap; several may be one. For one consumer.
  var changes: AsyncStream<Void> { told.stream }

  /// Called by `Owners.swap` alone, which has told the engine before.
  func set(_ next: LoadedConfiguration) {
    held.withLock { $0 = next }
    told.continuation.yield()
  }
}
