// Text → a configuration that may go into force, or everything that speaks against it. Beside the road: nothing is changed.

import DivertConfig
import DivertCore

/// Why a configuration does not go into force.
package struct ConfigRefusal: Error, Sendable, CustomStringConvertible {
  /// `errors`, `secrets`, `tests`, `open_address`, or a store's code.
  var code: String
  var diagnostics: [Diagnostic] = []
  /// Its own tests that fail.
  var failedTests: [TestResult] = []
  /// One sentence with the reason and the remedy.
  var sentence: String

  /// All of it, as a command prints it.
  package var description: String {
    diagnostics.map(\.description).joined() + failedTests.map { $0.text + "\n" }.joined() + sentence
  }
}

/// Judges configurations by the rules of this process: its mode, its addresses, its secrets.
struct ConfigJudge: Sendable {
  /// The main file's name in sentences.
  var file: String
  var sandbox: Bool
  /// Where events are posted; nil: no router runs.
  var listen: ListenAddress?
  /// Where absent secrets should be put.
  var secretsFolder: String
  /// Whether a secret is there; nil: nobody here knows which secrets the router will see.
  var hasSecret: (@Sendable (String) -> Bool)?

  /// Compiles and judges. `proved`: its tests ran before; they do not run again.
  func judge(
    _ bundle: ConfigBundle, _ faults: [Diagnostic] = [], proved: Bool = false
  ) throws(ConfigRefusal) -> LoadedConfiguration {
    let loaded = ConfigLoader.load(bundle: bundle)
    let diagnostics = faults + loaded.diagnostics
    guard let table = loaded.table else { throw Self.errors(diagnostics, file) }
    try judgeSecrets(loaded)
    try judgeAddress(table)
    let proof = proved ? ConfigProof() : ConfigProof(loaded.tests, table)
    if !proof.failures.isEmpty { throw failed(proof) }
    return LoadedConfiguration(
      table: table, bundle: bundle, sandboxAnswers: loaded.sandboxAnswers.mapValues(Self.answer),
      warnings: diagnostics.map(\.description), testsRun: proof.run)
  }

  static func errors(_ diagnostics: [Diagnostic], _ file: String) -> ConfigRefusal {
    let count = diagnostics.count { $0.severity == .error }
    return ConfigRefusal(
      code: "errors", diagnostics: diagnostics, sentence: "\(file) has \(count == 1 ? "an error" : "\(count) errors")")
  }

  private func judgeSecrets(_ loaded: LoadResult) throws(ConfigRefusal) {
    guard !sandbox, let hasSecret else { return }
    let absent = loaded.absentSecrets(as: .error, isPresent: hasSecret)
    if absent.isEmpty { return }
    throw ConfigRefusal(
      code: "secrets", diagnostics: absent,
      sentence:
        "\(file) names \(absent.count == 1 ? "a secret that is" : "\(absent.count) secrets that are") not there: "
        + "put each into a file of its name in \(secretsFolder)")
  }

  private func judgeAddress(_ table: RouteTable) throws(ConfigRefusal) {
    guard !sandbox, let listen, let objection = ListenRule.objection(to: listen, table: table) else { return }
    throw ConfigRefusal(code: "open_address", sentence: objection)
  }

  private func failed(_ proof: ConfigProof) -> ConfigRefusal {
    let count = proof.failures.count
    return ConfigRefusal(
      code: "tests", failedTests: proof.failures,
      sentence: "\(count) of \(proof.run) tests in \(file) \(count == 1 ? "fails" : "fail"); `divert test` shows them")
  }

  private static func answer(_ answer: SandboxAnswer) -> Emulator.Answer {
    let body = answer.body.string ?? String(decoding: answer.body.encoded(), as: UTF8.self)
    return Emulator.Answer(status: answer.status, body: body)
  }
}

/// What a configuration's own `tests:` said.
private struct ConfigProof: Sendable {
  var run = 0
  var failures: [TestResult] = []

  init() {}

  /// Runs them.
  init(_ tests: ConfigTests, _ table: RouteTable) {
    let results = ConfigTests.run(tests, table: table).results
    run = results.count
    failures = results.filter { !$0.passed }
  }
}
