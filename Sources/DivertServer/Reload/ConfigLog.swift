// The log's lines about changes of the configuration: what went into force, and why something did not.

import DivertConfig
import DivertStore
import Logging

struct ConfigLog: Sendable {
  var log: Logger

  func applied(_ change: ConfigChange) {
    let version = change.version
    var fields: Logger.Metadata = [
      "config": "\(version.hash)", "number": "\(version.number)", "way": "\(version.way.rawValue)",
      "who": "\(version.who)", "warnings": "\(change.warnings.count)", "tests": "\(version.testsRun)",
    ]
    if version.testsFailed > 0 { fields["tests_failed"] = "\(version.testsFailed)" }
    if change.gathered.books > 0 { fields["books"] = "\(change.gathered.books)" }
    if !change.restart.isEmpty { fields["needs_restart"] = "\(change.restart.joined(separator: ","))" }
    log.notice("config_applied", metadata: fields)
  }

  /// A source that was in the version before.
  func sourceGone(_ sentence: String) { log.warning("config_source_gone", metadata: ["msg": "\(sentence)"]) }

  /// Of a start: tests that fail do not keep it from running.
  func failingTests(_ names: [String]) {
    for name in names {
      log.warning("config_test_failed", metadata: ["msg": "the test '\(name)' fails; `divert test` shows how"])
    }
  }

  func unchanged(_ version: ConfigVersion, _ origin: ConfigOrigin) {
    log.notice(
      "config_unchanged",
      metadata: [
        "config": "\(version.hash)", "number": "\(version.number)", "way": "\(origin.way.rawValue)",
        "who": "\(origin.who)",
      ])
  }

  /// One line a diagnostic, then the sum.
  func refused(_ refusal: ConfigRefusal, _ origin: ConfigOrigin, _ stays: ConfigVersion?) {
    for diagnostic in refusal.diagnostics {
      log.log(
        level: diagnostic.severity == .error ? .error : .warning, "config_diagnostic",
        metadata: [
          "place": "\(diagnostic.file):\(diagnostic.line):\(diagnostic.column)", "code": "\(diagnostic.code)",
          "msg": "\(diagnostic.message)",
        ])
    }
    for test in refusal.failedTests {
      log.error(
        "config_test_failed",
        metadata: ["place": "\(test.place.description)", "msg": "the test '\(test.name)' fails"])
    }
    log.error(
      "config_refused",
      metadata: [
        "reason": "\(refusal.code)", "msg": "\(refusal.sentence)", "way": "\(origin.way.rawValue)",
        "who": "\(origin.who)", "stays": "\(stays?.hash ?? "")",
      ])
  }
}
