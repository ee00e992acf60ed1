// The language's outer parts: the file itself, `server`, `sources`, `defaults`, `alarms`.
import DivertCore

extension Language {
  static let file = MappingDescription(
    "the file", "routes.yaml: where events come from, where they go, and which goes where.",
    [
      .init("version", .whole(1...1), required: true, "The version of the language: 1."),
      .init(
        "timezone", .zone, standard: "UTC", "The time zone of local times, by its IANA name; UTC where it is left out."),
      .init(
        "country", .country, standard: "IN",
        "Two letters: the country of phone numbers without a country code; IN by default."),
      .init("server", .mapping(.server), standard: "{}", "How Divert itself listens, and its limits."),
      .init("sources", .named(.mapping(.source)), "Who posts events to Divert."),
      .init("credentials", .named(.mapping(.credential)), "Credentials that several targets share."),
      .init("targets", .named(.mapping(.target)), "Where deliveries go."),
      .init("defaults", .mapping(.defaults), "What holds for every target that does not say otherwise."),
      .init("tables", .named(.entries(.text)), "Small maps for the `map` filter."),
      .init("lookups", .named(.mapping(.lookup)), "Values asked of a target when a delivery needs them."),
      .init("alarms", .mapping(.alarms), "Where Divert's own alarms go."),
      .init("routes", .named(.mapping(.route)), "Which events lead to which deliveries."),
      .init("tests", .entries(.mapping(.test)), "Events and the deliveries that must follow, by the test's name."),
      .init("calendars", .named(.list(.date)), "Days off by the calendar's name, for `hours`."),
      .init("retention", .mapping(.retention), "How long what is kept."),
      .init("record", .mapping(.record), "Where the head of the record is published."),
    ])

  /// The sections that are maps of names: they may be spread over the files of `routes.d`.
  static let sectionsOfNames: Set = [
    "sources", "credentials", "targets", "lookups", "tables", "calendars", "routes", "tests",
  ]

  static let routesFile = MappingDescription(
    "a file of routes.d", "A part of the configuration, joined to the main file by name.",
    file.fields.filter { sectionsOfNames.contains($0.name) })

  /// The most that `max_body` can be: bodies are held in memory.
  static let largestBody = 64 << 20
  /// How long a request, or its connecting, may take.
  static let timeouts = Span.milliseconds(1)...Span.minutes(60)

  static let server = MappingDescription(
    "'server'", "How Divert itself listens, and its limits.",
    [
      .init("listen", .mapping(.listen), "How events are received."),
      .init("max_body", .size, standard: "256KiB", "The largest body taken; 256KiB by default."),
      .init(
        "grace", .duration, standard: "10s",
        "How long requests in flight may take to finish at the end; 10s by default."),
      .init(
        "request_timeout", .duration, standard: "30s",
        "A client slower than this with its request is cut off; 30s by default."),
      .init("quarantine", .mapping(.quarantine), standard: "{}", "How much of what was refused as malformed is kept."),
      .init("operator_key", .template, "Asked for at the operator address when it is not on loopback."),
    ])

  static let listen = MappingDescription(
    "'listen'", "How events are received.", [.init("tls", .mapping(.tls), "Listen with HTTPS.")])

  static let tls = MappingDescription(
    "'tls'", "The files for HTTPS, relative to this file's folder.",
    [
      .init("certificate", .text, required: true, "The certificate chain, PEM."),
      .init("key", .text, required: true, "The private key, PEM."),
    ])

  static let quarantineFiles = 0...1_000_000

  static let quarantine = MappingDescription(
    "'quarantine'", "How much of what was refused as malformed is kept.",
    [
      .init("files", .whole(quarantineFiles), standard: "1000", "Bodies at most; 1000 by default."),
      .init("bytes", .size, standard: "64MiB", "Bytes in all; 64MiB by default."),
    ])

  static let sourceTypes = ["doubletick"]

  static let source = MappingDescription(
    "a source", "Who posts events to Divert.",
    [
      .init("type", .choice(sourceTypes), required: true, "How its bodies are read."),
      .init("key", .template, "The unguessable part of the address; without it only loopback may be listened on."),
      .init("header", .headers(most: 1), "One header that must come with this value, beside the key."),
      .init("allow", .oneOrMore(.addressBlock), "Addresses or CIDR blocks that may post; all where it is left out."),
      .init("dedupe", .duration, standard: "10m", "How long equal bodies count as one event; 10m by default."),
      .init("silent_after", .duration, "An alarm when nothing came for this long."),
    ])

  static let defaults = MappingDescription(
    "'defaults'", "What holds for every target that does not say otherwise.",
    ["limit", "concurrency", "timeout", "retry", "order_by", "responses", "ambiguous"].compactMap(target.field))

  static let attempts = 1...10_000

  static let retry = MappingDescription(
    "'retry'", "How failed deliveries are tried again: wait = a random time up to min(b, a·2ⁿ).",
    [
      .init("for", .duration, standard: "24h", "From the first attempt; 24h by default. Then the delivery is dead."),
      .init("backoff", .backoff, standard: "5s..15m", "The first and the longest wait, 'a..b'; 5s..15m by default."),
      .init("attempts", .whole(attempts), "Attempts at most; no bound by default."),
    ])

  static let timeout = MappingDescription(
    "'timeout'", "How long a request may take.",
    [
      .init("connect", .duration, standard: "10s", "Until the connection stands; 10s by default."),
      .init("total", .duration, standard: "30s", "In all; 30s by default."),
    ])

  static let alarms = MappingDescription(
    "'alarms'", "Where Divert's own alarms go.",
    [.init("send", .list(.send), required: true, "Sends, with `{{ alarm.text }}` for what happened.")])
}
