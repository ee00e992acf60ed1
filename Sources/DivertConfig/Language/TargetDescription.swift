// The language's targets: addresses, rules and actions, and what only presets have.
import DivertCore

extension Language {
  static let target = MappingDescription(
    "a target", "Where deliveries go, and under which rules.",
    [
      .init("type", .targetType, "A preset; http by default."),
      .init("url", .address, "The base address; scheme and host literal or from a secret."),
      .init(
        "auth", .either([.text, .mapping(.auth)]), "How Divert proves who it is: a credential's name, or its own."),
      .init("headers", .headers(most: nil), "Sent with every request."),
      .init("limit", .oneOrMore(.rate), "Requests at most, '100/min', one or several."),
      .init("concurrency", .whole(concurrency), standard: "8", "Requests in flight at once; 8 by default."),
      .init("budget", .mapping(.budget), "Requests at most in a calendar day or hour."),
      .init("quota", .oneOrMore(.mapping(.quota)), "What answers say of what is left: at nothing, nothing goes."),
      .init("timeout", .either([.duration, .mapping(.timeout)]), "How long a request may take."),
      .init("retry", .mapping(.retry), "How failed deliveries are tried again."),
      .init("order_by", .orderKey, "Deliveries with the same value go out one after another; 'none' for no order."),
      .init("responses", .list(.mapping(.response)), "Rules for answers, the first that matches decides."),
      .init("ambiguous", .choice(ambiguous), "What follows when no answer came."),
      .init("network", .choice(networks), standard: "public", "'private' allows private addresses; public by default."),
      .init("http2", .boolean, standard: "false", "Use HTTP/2; false by default."),
      .init("enabled", .boolean, standard: "true", "false: its deliveries wait."),
      .init("actions", .named(.mapping(.action)), "The requests that can be asked for."),
      .init("faults", .named(.mapping(.fault)), "How the sandbox can let its requests fail, by name."),
      .init("lookups", .named(.mapping(.ownLookup)), "Values that its actions ask it for: `{{ contact.id }}`."),
      .init("verify", .mapping(.verify), "How it is asked whether a delivery arrived, with 'ambiguous: verify'."),
    ])

  static let preset = MappingDescription(
    "a preset", "A target in the very language of `targets:`, with parameters.",
    target.fields + [
      .init("name", .text, "What the vendor calls it."),
      .init("doc", .text, "What it is for."),
      .init("parameters", .named(.mapping(.parameter)), "What a target of this type is given; `{{ target.name }}`."),
      .init("cases", .list(.mapping(.presetCase)), "What is different where parameters have certain values."),
    ])

  static let presetCase = MappingDescription(
    "a case", "Laid over the preset where its parameters are like this; `null` removes.",
    [
      .init("when", .entries(.anything), required: true, "Parameters: a value, a list of them, or { exists: true }."),
      .init("set", .entries(.anything), "Parameters' values, where they are not given."),
    ]
      + target.fields.map { FieldDescription($0.name, .anything, $0.doc) })

  static let parameter = MappingDescription(
    "a parameter", "What a target of a preset's type is given.",
    [
      .init("required", .boolean, "Must be given."),
      .init("secret", .boolean, "Belongs into a secret."),
      .init("default", .template, "Used where it is not given."),
      .init("one_of", .list(.text), "The values that it takes; any where it is left out."),
      .init("doc", .text, "What it is."),
    ])

  static let basic = MappingDescription(
    "'basic'", "User name and password.",
    [
      .init("user", .template, required: true, "The user name."),
      .init("password", .template, required: true, "The password."),
    ])

  static let concurrency = 1...1000
  static let networks = ["public", "private"]
  static let ambiguous = ["retry", "park", "verify"]
  static let signatures = ["standard-webhooks"]
  /// Divert sets them itself.
  static let ownHeaders = ["host", "content-length", "transfer-encoding", "connection", "expect"]
  static let naturalKey = ["natural"]
  static let maxLength = 1...10_000_000
  static let statuses = 100...599
  static let messageClasses = MessageClass.allCases.map(\.rawValue)
  static let waitHeader = ["retry_after"]

  static let methods = ["get", "post", "put", "patch", "delete"]

  static let action = MappingDescription(
    "an action", "One request that a target can be asked for.",
    methods.map {
      FieldDescription($0, .requestPath, "The path of a \($0.uppercased()) request, joined to the target's url.")
    } + [
      .init("query", .entries(.template), "Query items."),
      .init("headers", .headers(most: nil), "Headers beside the target's."),
      .init("body", .tree, "Sent as JSON; the leaves are templates."),
      .init("form", .entries(.tree), "Sent as a form, in place of a body; a mapping or a list in it as JSON text."),
      .init("arguments", .named(.mapping(.argument)), "What a send gives: `{{ arguments.name }}`."),
      .init(
        "idempotency", .either([.choice(naturalKey), .mapping(.idempotency)]),
        standard: "{ header: Idempotency-Key }", "Where the key goes."),
      .init("to_person", .boolean, standard: "false", "A message to a person: never sent twice on a guess."),
      .init(
        "class", .choice(messageClasses), standard: "outreach",
        "Of a message to a person: an answer to somebody who called or wrote, or outreach; for suppression."),
      .init("window", .duration, "Allowed only this long after the customer last wrote or called; for warnings."),
      .init(
        "max", .entries(.whole(maxLength)), "The longest text at a path of the body, or of a query item, in characters."
      ),
      .init("ambiguous", .choice(ambiguous), "What follows when no answer came."),
      .init("retry", .mapping(.retry), "How failed deliveries are tried again."),
      .init("order_by", .orderKey, "Deliveries with the same value go out one after another."),
      .init("batch", .mapping(.batch), "Several deliveries in one request."),
      .init("doc", .text, "What it does."),
      .init("responses", .list(.mapping(.response)), "Rules for its own answers, before the target's."),
      .init("echo", .oneOrMore(.mapping(.echo)), "The event by which the vendor reports its write back to Divert."),
      .init("sandbox", .mapping(.sandbox), "What the sandbox answers."),
      .init(
        "needs", .oneOrMore(.text), "Lookups that must have an answer; those that templates name need not be told."),
      .init(
        "steps", .list(.steps), "Several requests in a row, in place of a method; a retry repeats no finished one."),
      .init("fields", .named(.path), "What its answer gives, where it creates what a lookup did not find."),
      .init("verify", .mapping(.verify), "How the target is asked whether it arrived, with 'ambiguous: verify'."),
    ],
    rules: [
      .exactlyOne(methods + ["steps"]), .atMostOne(["steps", "body"]), .atMostOne(["steps", "form"]),
      .atMostOne(["body", "form"]), .atMostOne(["get", "body"]), .atMostOne(["get", "form"]),
    ])

  static let argument = MappingDescription(
    "an argument", "What a send gives to an action.",
    [
      .init("required", .boolean, "Must be given."),
      .init("default", .tree, "Used where it is not given."),
      .init("main", .boolean, "A lone value given to the action is this argument."),
      .init("one_of", .list(.text), "The values that it takes; any where it is left out."),
      .init("doc", .text, "What it is."),
    ])

  static let idempotency = MappingDescription(
    "'idempotency'", "Where the key goes that is equal in every attempt.",
    [
      .init("header", .text, "A header; Idempotency-Key by default."),
      .init("field", .path, "A field of the body, set to the key as a UUID."),
    ], rules: [.exactlyOne(["header", "field"])])

  static let echo = MappingDescription(
    "'echo'", "The event by which the vendor reports an action's write back to Divert.",
    [
      .init("event", .text, required: true, "Its name: ADD_TAG …"),
      .init("customer", .template, required: true, "The phone number of the customer whom it concerns."),
      .init("fields", .entries(.template), "Fields of the event, `raw.…` mostly, and what they then hold."),
      .init("for", .duration, standard: "10m", "How long after the request it is known again; 10m by default."),
    ])
  static let echoTimes = Span.seconds(1)...Span.days(7)

  static let sandbox = MappingDescription(
    "'sandbox'", "What the sandbox answers.",
    [
      .init("status", .whole(statuses), standard: "200", "The status; 200 by default."),
      .init("body", .tree, standard: "{ ok: true }", "The body: text as it is, anything else as JSON."),
    ])

  static let faultStatuses = 200...599

  static let fault = MappingDescription(
    "a fault", "How the sandbox lets a request fail, where `--sandbox-faults` names it.",
    [
      .init("status", .whole(faultStatuses), "The status."),
      .init("headers", .entries(.text), "The answer's headers."),
      .init("body", .tree, "The body: text as it is, anything else as JSON."),
      .init("hang_up", .boolean, standard: "false", "true: the connection is closed without an answer."),
      .init("delay", .duration, "Waits this long first; alone, the answer is the usual one, late."),
    ], rules: [.atLeastOne(["status", "hang_up", "delay"])])

  static let response = MappingDescription(
    "a response rule", "When an answer is like this, then …; all conditions of a rule must hold.",
    [
      .init("status", .oneOrMore(.statuses), "404, 2xx, 500-504, or a list."),
      .init("header", .entries(.comparison(.text)), "Headers of the answer."),
      .init("text", .comparison(.text), "The body as text."),
      .init("json", .entries(.comparison(.json)), "Paths into the JSON body."),
      .init("any", .entries(.comparison(.json)), "Paths with '*' for the items of a list: one of them."),
      .init("every", .entries(.comparison(.json)), "Paths with '*' for the items of a list: all of them."),
      .init("then", .choice(outcomes), required: true, "What becomes of the delivery."),
      .init("wait", .either([.choice(waitHeader), .duration, .mapping(.wait)]), "How long to wait."),
      .init("because", .text, "The reason's sentence."),
    ],
    rules: [
      .atLeastOne(responseConditions), .needs(field: "wait", other: "then", values: waitingOutcomes),
    ])

  /// What a response rule looks at.
  static let responseConditions = ["status", "header", "text", "json", "any", "every"]

  /// The outcomes that `wait` means something to.
  static let waitingOutcomes = ["retry", "throttle", "hold"]

  static let waitUnits = ["seconds", "milliseconds", "unix", "unix_ms", "date"]
  /// Beyond it the target is held, not the delivery.
  static let waits = Span.zero...Span.hours(24)
  static let waitSources = ["header", "json", "midnight"]

  static let outcomes = ["ok", "ok_duplicate", "retry", "throttle", "refresh", "fail", "park", "hold", "disable"]

  static let wait = MappingDescription(
    "'wait'", "Where the wait is read from.",
    [
      .init("header", .text, "A header of the answer."),
      .init("json", .path, "A path into the answer's JSON body."),
      .init("unit", .choice(waitUnits), "How it is read; seconds by default."),
      .init("midnight", .zone, "Until the next midnight in a time zone."),
      .init("at_least", .duration, "No less than this; alone: the backoff, but at least this."),
      .init("at_most", .duration, "No more than this."),
    ], rules: [.atMostOne(waitSources), .atLeastOne(waitSources + ["at_least"])])
}
