// How a router is started: the flags of `divert serve`, which the other commands find it by too.

/// Every flag with its default.
package struct ServeOptions: Sendable, Hashable {
  /// The routes file.
  package var config = "routes.yaml"
  /// The data folder; the sandbox uses `sandbox` in it.
  package var data = "data"
  /// Where events are posted.
  package var listen = "127.0.0.1:8080"
  /// Where operators ask.
  package var operatorAddress = "127.0.0.1:8081"
  package var sandbox = false
  /// Which of the sandbox's requests fail; nil: none.
  package var sandboxFaults: String?
  /// Where they were given, as messages say it.
  package var sandboxFaultsFrom = "--sandbox-faults"
  /// The folder of secrets; nil: `secrets` beside the routes file.
  package var secrets: String?
  /// `trace` … `critical`.
  package var logLevel = "info"

  package init() {}

  /// The folder in which this mode keeps everything: `data`, or `data/sandbox`.
  package var dataFolder: String { sandbox ? data + "/sandbox" : data }

  /// Where secrets are looked for.
  package var secretsFolder: String {
    if let secrets { return secrets }
    guard let slash = config.lastIndex(of: "/") else { return "secrets" }
    return config[...slash] + "secrets"
  }
}
