// The language's routes: routes, the options of a send, and the operators of a comparison.

extension Language {
  static let route = MappingDescription(
    "a route", "Which events lead to which deliveries.",
    [
      .init("when", .anything, "Which events; different fields AND, a list of values OR. All where it is left out."),
      .init("send", .list(.send), "What follows, 'target.action' each."),
      .init("also", .named(.mapping(.route)), "Routes for the events that match this one."),
      .init("enabled", .boolean, "false: neither this route nor those under it."),
      .init("description", .text, "What it is for."),
      .later("once", "At most once a period per key."),
      .later("per", "The key of 'once'."),
      .later("expect", "A later event that must come."),
    ])

  static let sendOptions = MappingDescription(
    "a send", "What stands beside 'target.action'.",
    [
      .init("as", .text, "The send's label; its place in the list by default."),
      .init("retry", .mapping(.retry), "How this delivery is tried again."),
      .init("order_by", .path, "Deliveries of the target with the same value go out one after another."),
      .later("after", "Sent this much later."),
      .later("hours", "Sent only within these hours."),
      .later("unless", "Not sent when this came meanwhile."),
      .later("expires", "Not sent later than this."),
      .later("otherwise", "Sent in its place when it has expired."),
      .later("throttle", "At most so many in a time."),
    ])

  static let comparison = MappingDescription(
    "a comparison", "Operators; all of them must hold.",
    [
      .init("is", .oneOrMore(.text), "Equal to this, or to one of these."),
      .init("in", .list(.text), "Equal to one of these."),
      .init("not", .oneOrMore(.text), "Equal to none of these."),
      .init("above", .text, "Greater or later than this."),
      .init("below", .text, "Less or earlier than this."),
      .init("at_least", .text, "This, or greater or later."),
      .init("at_most", .text, "This, or less or earlier."),
      .init("between", .either([.clockRange, .list(.text)]), "From and to; for local.time \"08:00-18:00\"."),
      .init("contains", .oneOrMore(.text), "Has this text in it."),
      .init("starts_with", .oneOrMore(.text), "Begins with this text."),
      .init("ends_with", .oneOrMore(.text), "Ends with this text."),
      .init("matches", .regex, "A regular expression found anywhere in the text."),
      .init("exists", .boolean, "true: there is a value; false: it is missing."),
    ])

  /// Terms of `when:` that come later.
  static let laterConditions = ["count", "suppressed"]
}
