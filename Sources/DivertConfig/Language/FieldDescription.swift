// The language as data: which fields each mapping of `routes.yaml` has. The loader finds unknown, missing and coming
// fields by it, and the reference and the JSON Schema are made from it.

/// A mapping of the language: a route, a target, a send's options …
package struct MappingDescription: Sendable {
  /// With its article, as messages say it: `a route`.
  package let name: String
  package let doc: String
  package let fields: [FieldDescription]

  package init(_ name: String, _ doc: String, _ fields: [FieldDescription]) {
    self.name = name
    self.doc = doc
    self.fields = fields
  }

  /// The field with this name; nil where there is none.
  package func field(_ name: String) -> FieldDescription? { fields.first { $0.name == name } }
}

/// One field of a mapping.
package struct FieldDescription: Sendable {
  package let name: String
  package let kind: FieldKind
  package let required: Bool
  /// Part of the language, but refused by this version: "not supported yet".
  package let later: Bool
  /// One sentence, for the reference and for editors.
  package let doc: String

  package init(_ name: String, _ kind: FieldKind, required: Bool = false, later: Bool = false, _ doc: String) {
    self.name = name
    self.kind = kind
    self.required = required
    self.later = later
    self.doc = doc
  }

  static func later(_ name: String, _ doc: String) -> FieldDescription {
    FieldDescription(name, .anything, later: true, doc)
  }
}

/// What may stand in a field.
package indirect enum FieldKind: Sendable {
  case text, boolean, duration, rate, size, backoff, clockRange, zone, country, path, regex, statuses
  /// Text with `{{ … }}`.
  case template
  case whole(ClosedRange<Int>)
  case choice([String])
  /// Tables of the user's own names.
  case named(FieldKind)
  case list(FieldKind)
  /// One, or a list of them.
  case oneOrMore(FieldKind)
  case either([FieldKind])
  /// One of `Language.mappings`, by its key there.
  case mapping(LanguagePart)
  /// A YAML tree whose leaves are templates.
  case tree
  /// `target.action`, alone or with its arguments and options.
  case send
  /// What a field is compared with: a value, a list of them, or operators.
  case comparison
  case anything
}

/// The mappings of the language, by name, so that descriptions can refer to each other.
package enum LanguagePart: String, Sendable, CaseIterable {
  case file, routesFile, server, listen, tls, quarantine, source, target, preset, auth, basic, timeout, action,
    parameter
  case argument, sandbox, idempotency, response, wait, retry, defaults, alarms, route, sendOptions, comparison
  case test, given, givenCustomer, givenCall, givenChat, givenDevice

  package var description: MappingDescription {
    switch self {
    case .file: Language.file
    case .routesFile: Language.routesFile
    case .server: Language.server
    case .listen: Language.listen
    case .tls: Language.tls
    case .quarantine: Language.quarantine
    case .source: Language.source
    case .target: Language.target
    case .preset: Language.preset
    case .auth: Language.auth
    case .basic: Language.basic
    case .timeout: Language.timeout
    case .action: Language.action
    case .parameter: Language.parameter
    case .argument: Language.argument
    case .sandbox: Language.sandbox
    case .idempotency: Language.idempotency
    case .response: Language.response
    case .wait: Language.wait
    case .retry: Language.retry
    case .defaults: Language.defaults
    case .alarms: Language.alarms
    case .route: Language.route
    case .sendOptions: Language.sendOptions
    case .comparison: Language.comparison
    case .test: Language.test
    case .given: Language.given
    case .givenCustomer: Language.givenCustomer
    case .givenCall: Language.givenCall
    case .givenChat: Language.givenChat
    case .givenDevice: Language.givenDevice
    }
  }
}

/// The whole language; the parts stand in the files beside this one.
package enum Language {}
