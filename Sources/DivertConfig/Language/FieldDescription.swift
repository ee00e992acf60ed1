// The language as data: which fields each mapping of `routes.yaml` has. The loader finds unknown, missing and coming
// fields by it, and the reference and the JSON Schema are made from it.

/// A mapping of the language: a route, a target, a send's options …
package struct MappingDescription: Sendable {
  /// With its article, as messages say it: `a route`.
  package let name: String
  package let doc: String
  package let fields: [FieldDescription]
  /// What must hold between the fields.
  package let rules: [FieldRule]

  package init(_ name: String, _ doc: String, _ fields: [FieldDescription], rules: [FieldRule] = []) {
    self.name = name
    self.doc = doc
    self.fields = fields
    self.rules = rules
  }

  /// The field with this name; nil where there is none.
  package func field(_ name: String) -> FieldDescription? { fields.first { $0.name == name } }
}

/// What must hold between the fields of a mapping, beyond each being right by itself.
package enum FieldRule: Sendable {
  case exactlyOne([String])
  case atLeastOne([String])
  case atMostOne([String])
  /// All of them, or none.
  case together([String])
  /// `field` only beside `other`.
  case beside(field: String, other: String)
  /// `field` only where `other` has one of these values.
  case needs(field: String, other: String, values: [String])
}

/// One field of a mapping.
package struct FieldDescription: Sendable {
  package let name: String
  package let kind: FieldKind
  package let required: Bool
  /// What holds where the field is left out, as YAML; nil where that is nothing, or depends on other fields.
  package let standard: String?
  /// One sentence, for the reference and for editors.
  package let doc: String

  package init(
    _ name: String, _ kind: FieldKind, required: Bool = false, standard: String? = nil,
    _ doc: String
  ) {
    self.name = name
    self.kind = kind
    self.required = required
    self.standard = standard
    self.doc = doc
  }
}

/// What may stand in a field.
package indirect enum FieldKind: Sendable {
  case text, boolean, duration, rate, size, backoff, moment, date, clock, clockRange, zone, country, regex, statuses
  /// Text with `{{ … }}`.
  case template
  /// A base address: http or https, scheme and host literal or a secret.
  case address
  /// What is joined to a base address: empty, or beginning with `/` or `?`.
  case requestPath
  /// A target's name, `:` and what is joined to its address.
  case lookupPath
  /// A path into JSON.
  case path
  /// A path or template that makes the key of an order, or `none`.
  case orderKey
  /// A path or template of an event's values, by which events belong together.
  case memoryKey
  /// An IP address, or a CIDR block of them.
  case addressBlock
  case whole(ClosedRange<Int>)
  case choice([String])
  /// A preset's name, or `http`.
  case targetType
  /// A mapping of the user's own names, which become ids.
  case named(FieldKind)
  /// A mapping of any keys.
  case entries(FieldKind)
  /// A mapping of headers' names to templates; with a bound, to so many.
  case headers(most: Int?)
  case list(FieldKind)
  /// One, or a list of them.
  case oneOrMore(FieldKind)
  case either([FieldKind])
  /// One of `Language.mappings`, by its key there.
  case mapping(LanguagePart)
  /// A YAML tree whose leaves are templates.
  case tree
  /// A step by its name: a mapping of one.
  case steps
  /// `target.action`, alone.
  case sendName
  /// `target.action`, alone or with its arguments and options.
  case send
  /// Which events: a condition.
  case condition
  /// What a value of this kind is compared with: a value, a list of them, or operators.
  case comparison(ValueKind)
  case anything
}

/// The mappings of the language, by name, so that descriptions can refer to each other.
package enum LanguagePart: String, Sendable, CaseIterable {
  case file, routesFile, server, listen, tls, quarantine, source, target, preset, auth, basic, credential, oauth2,
    tokenBase, budget, timeout, action, parameter, presetCase
  case argument, sandbox, idempotency, echo, response, wait, retry, defaults, alarms, route, condition, sendOptions,
    comparison
  case batch, batchMatch, quota, answerPlace
  case fault
  case lookup, ownLookup = "own_lookup", step, verify, landed
  case count, hours, throttle, unless, expect, retention, record
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
    case .credential: Language.credential
    case .oauth2: Language.oauth2
    case .tokenBase: Language.tokenBase
    case .budget: Language.budget
    case .timeout: Language.timeout
    case .action: Language.action
    case .parameter: Language.parameter
    case .presetCase: Language.presetCase
    case .argument: Language.argument
    case .sandbox: Language.sandbox
    case .idempotency: Language.idempotency
    case .echo: Language.echo
    case .response: Language.response
    case .wait: Language.wait
    case .retry: Language.retry
    case .defaults: Language.defaults
    case .alarms: Language.alarms
    case .route: Language.route
    case .condition: Language.condition
    case .sendOptions: Language.sendOptions
    case .comparison: Language.comparison
    case .batch: Language.batch
    case .batchMatch: Language.batchMatch
    case .quota: Language.quota
    case .answerPlace: Language.answerPlace
    case .fault: Language.fault
    case .lookup: Language.lookup
    case .ownLookup: Language.ownLookup
    case .step: Language.step
    case .verify: Language.verify
    case .landed: Language.landed
    case .count: Language.count
    case .hours: Language.hours
    case .throttle: Language.throttle
    case .unless: Language.unless
    case .expect: Language.expect
    case .retention: Language.retention
    case .record: Language.record
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
