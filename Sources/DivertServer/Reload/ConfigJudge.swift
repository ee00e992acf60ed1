// Text → a configuration that may go into force, or everything that speaks against it. Beside the road: nothing is changed.

import DivertConfig
import DivertCore

/// Why a configuration does not go into force.
package struct ConfigRefusal: Error, Sendable, CustomStringConvertible {
  /// `errors`, `secrets`, `tests`, `open_address`, `operator`, `tls`, or a store's code.
  var code: String
  var diagnostics: [Diagnostic] = []
  /// Its own tests that fail.
  var failedTests: [TestResult] = []
  /// Secrets that are absent.
  var absentSecrets: [String] = []
  /// One sentence with the reason and the remedy.
  var sentence: String

  /// All of it, as a command prints it.
  package var description: String {
    diagnostics.map(\.description).joined() + failedTests.map { $0.text + "\n" }.joined() + sentence
  }
}

extension ConfigRefusal {
  /// With another name for a file.
  fileprivate func renamed(_ file: String, _ name: String) -> ConfigRefusal {
    var refusal = self
    for index in diagnostics.indices {
      if diagnostics[index].file == file { refusal.diagnostics[index].file = name }
      for note in diagnostics[index].notes.indices where diagnostics[index].notes[note].file == file {
        refusal.diagnostics[index].notes[note].file = name
      }
    }
    for index in failedTests.indices where failedTests[index].place.file == file {
      refusal.failedTests[index].place.file = name
    }
    return refusal
  }
}

/// Judges configurations by the rules of this process: its mode, its addresses, its secrets.
struct ConfigJudge: Sendable {
  /// The main file's name in sentences.
  var file: String
  var sandbox: Bool
  /// Where events are posted; nil: no router runs.
  var listen: ListenAddress?
  /// Where operators ask; nil: no router runs.
  var `operator`: ListenAddress?
  /// Where absent secrets should be put.
  var secretsFolder: String
  /// A secret's value, nil where it is absent; nil itself: nobody here knows which secrets the router will see.
  var secret: (@Sendable (String) -> String?)?
  /// What the main file is called in a refusal, where its text comes from elsewhere.
  var called: String?

  /// Compiles and judges. `despiteTests`: those that fail are warnings.
  func judge(
    _ bundle: ConfigBundle, _ faults: [Diagnostic] = [], despiteTests: Bool = false
  ) throws(ConfigRefusal) -> LoadedConfiguration {
    do throws(ConfigRefusal) { return try whole(bundle, faults, despiteTests) } catch {
      throw called.map { error.renamed(bundle.path(of: bundle.main), $0) } ?? error
    }
  }

  private func whole(
    _ bundle: ConfigBundle, _ faults: [Diagnostic], _ despiteTests: Bool
  ) throws(ConfigRefusal) -> LoadedConfiguration {
    let loaded = ConfigLoader.load(bundle: bundle)
    let diagnostics = faults + loaded.diagnostics
    guard let table = loaded.table else { throw Self.errors(diagnostics, called ?? file) }
    try judgeSecrets(loaded)
    try judgeAddress(table)
    try judgeServer(table.parts.server)
    let proof = ConfigProof(loaded.tests, table)
    if !proof.failures.isEmpty, !despiteTests { throw failed(proof) }
    let failing = proof.failures.map { "\($0.place): warning: the test '\($0.name)' fails; `divert test` shows how" }
    return LoadedConfiguration(
      table: table, bundle: bundle, sandboxAnswers: loaded.sandboxAnswers.mapValues(Self.answer),
      sandboxTargets: loaded.sandboxTargets, secretNames: Set(loaded.secretsNamed.map(\.name)).sorted(),
      warnings: diagnostics.map(\.description) + failing, testsRun: proof.run,
      failedTests: proof.failures.map(\.name))
  }

  static func errors(_ diagnostics: [Diagnostic], _ file: String) -> ConfigRefusal {
    let count = diagnostics.count { $0.severity == .error }
    return ConfigRefusal(
      code: "errors", diagnostics: diagnostics, sentence: "\(file) has \(count == 1 ? "an error" : "\(count) errors")")
  }

  private func judgeSecrets(_ loaded: LoadResult) throws(ConfigRefusal) {
    guard !sandbox, let secret else { return }
    let absent = loaded.absentSecrets(as: .error) { secret($0) != nil }
    if absent.isEmpty { return }
    throw ConfigRefusal(
      code: "secrets", diagnostics: absent,
      absentSecrets: Set(loaded.secretsNamed.filter { !$0.isGotLater }.map(\.name)).filter { secret($0) == nil }
        .sorted(),
      sentence:
        "\(called ?? file) names \(absent.count == 1 ? "a secret that is" : "\(absent.count) secrets that are") not there: "
        + "put each into a file of its name in \(secretsFolder)")
  }

  private func judgeAddress(_ table: RouteTable) throws(ConfigRefusal) {
    guard !sandbox, let listen, let objection = ListenRule.objection(to: listen, table: table) else { return }
    throw ConfigRefusal(code: "open_address", sentence: objection)
  }

  /// What the next start would refuse of `server:`.
  private func judgeServer(_ server: ServerSettings) throws(ConfigRefusal) {
    do throws(ServeFailure) {
      if let files = server.tls { _ = try TLSFiles(files, besides: file).configuration() }
    } catch { throw ConfigRefusal(code: "tls", sentence: "\(error)") }
    let context = RenderContext(
      event: nil, now: Timestamp(milliseconds: 0), secrets: .resolved { [secret] name in secret.flatMap { $0(name) } })
    let key: String?
    do { key = try server.operatorKey.flatMap { try context.text($0) } } catch {
      // Where nobody knows the secrets, the start judges them.
      if secret == nil { return }
      throw ConfigRefusal(code: "operator", sentence: "server.operator_key: \(error)")
    }
    let address = self.operator ?? ListenAddress(host: "127.0.0.1", port: 0)
    do throws(OperatorFailure) { _ = try OperatorProtection.make(listen: address, key: key) } catch {
      throw ConfigRefusal(code: "operator", sentence: error.description)
    }
  }

  private func failed(_ proof: ConfigProof) -> ConfigRefusal {
    let count = proof.failures.count
    let command = called.map { "divert test \($0)" } ?? "divert test"
    return ConfigRefusal(
      code: "tests", failedTests: proof.failures,
      sentence:
        "\(count) of \(proof.run) tests in \(called ?? file) \(count == 1 ? "fails" : "fail"); `\(command)` shows them")
  }

  private static func answer(_ answer: SandboxAnswer) -> Emulator.Answer {
    let body = answer.body.string ?? String(decoding: answer.body.encoded(), as: UTF8.self)
    var made = Emulator.Answer(status: answer.status, body: body)
    made.batch = answer.batch
    return made
  }
}

/// What a configuration's own `tests:` said.
private struct ConfigProof: Sendable {
  var run = 0
  var failures: [TestResult] = []

  /// Runs them.
  init(_ tests: ConfigTests, _ table: RouteTable) {
    let results = ConfigTests.run(tests, table: table).results
    run = results.count
    failures = results.filter { !$0.passed }
  }
}
