// The language's time and memory: counts, allowed hours, what is waited for, what is kept and for how long.
import DivertCore

extension Language {
  /// How far routes may look back or ahead.
  static let memorySpans = Span.seconds(1)...SmallGrammar.longest
  /// How long after its event a send may go out.
  static let delays = Span.zero...Span.days(365)
  static let counts = 0...1_000_000
  static let countOperators = ["at_least", "at_most", "above", "below", "between", "is"]

  static let count = MappingDescription(
    "'count'", "How many calls of this kind there were, this one among them.",
    [
      .init("at_least", .whole(counts), "So many, or more."),
      .init("at_most", .whole(counts), "So many, or fewer."),
      .init("above", .whole(counts), "More than so many."),
      .init("below", .whole(counts), "Fewer than so many."),
      .init("between", .list(.whole(counts)), "From and to, both included."),
      .init("is", .oneOrMore(.whole(counts)), "Exactly so many, or one of these."),
      .init("within", .duration, required: true, "The length of the window, counted on `at`."),
      .init("per", .memoryKey, standard: "customer.phone", "Counted for each value of it; customer.phone by default."),
    ], rules: [.atLeastOne(countOperators)])

  static let hours = MappingDescription(
    "'hours'", "When it may go out; at any other time it waits for the next such moment.",
    [
      .init("between", .oneOrMore(.clockRange), "Times of day, \"08:00-19:00\", one range or several."),
      .init(
        "weekdays", .oneOrMore(.choice(KnownValues.weekdays)), "Days on which a range begins; every day by default."),
      .init("except", .oneOrMore(.either([.date, .text])), "Days off: a calendar's name, dates, or a list of both."),
    ], rules: [.atLeastOne(["between", "weekdays", "except"])])

  static let throttle = MappingDescription(
    "'throttle'", "At most so many in a time; what is above is skipped.",
    [
      .init("at_most", .whole(1...1_000_000), required: true, "So many."),
      .init("within", .duration, required: true, "In this time before it would go out."),
      .init("per", .memoryKey, standard: "customer.phone", "For each value of it; customer.phone by default."),
    ])

  static let unless = MappingDescription(
    "'unless'", "Not sent where such an event came after this one.",
    condition.fields.filter { !memoryConditions.contains($0.name) } + [same])

  static let expect = MappingDescription(
    "'expect'", "The promise that a later event comes.",
    [
      .init("when", .condition, required: true, "Which events keep it: by their own fields."),
      same,
      .init("within", .duration, required: true, "How long after this event's `at` it may happen."),
      .init("else", .list(.send), "Sent when it was broken."),
    ])

  private static let same = FieldDescription(
    "same", .memoryKey, standard: "customer.phone", "What both events have in common; customer.phone by default.")

  static let retention = MappingDescription(
    "'retention'", "How long what is kept; for ever where nothing is said.",
    [
      .init("payloads", .duration, "Bodies as they came, and what the record does not need of an event."),
      .init("attempts", .duration, "Attempts of deliveries that have ended."),
      .init("record", .duration, "Everything else: that an event was, and what followed."),
    ])
  static let retentions = Span.days(1)...SmallGrammar.longest

  static let record = MappingDescription(
    "'record'", "Where the head of the record is published, so that nobody can change unseen what was before it.",
    [
      .init(
        "publish", .oneOrMore(.send), required: true, "A send, or several, with `{{ record.text }}` for the head."),
      .init("every", .duration, standard: "1d", "How often; every day by default."),
    ])
  static let publications = Span.minutes(1)...Span.days(30)
}
