// The language's routes: routes, the options of a send, and the operators of a comparison.
import DivertCore

extension Language {
  static let route = MappingDescription(
    "a route", "Which events lead to which deliveries.",
    [
      .init("when", .condition, "Which events; different fields AND, a list of values OR. All where it is left out."),
      .init("send", .list(.send), "What follows, 'target.action' each."),
      .init("also", .named(.mapping(.route)), "Routes for the events that match this one."),
      .init("enabled", .boolean, standard: "true", "false: neither this route nor those under it."),
      .init("description", .text, "What it is for."),
      .init("once", .duration, "Acts once in this time for each value of 'per'."),
      .init("per", .memoryKey, "The key of 'once'; that of the route's count by default, else customer.phone."),
      .init("expect", .mapping(.expect), "A later event that must come, and what is sent where it does not."),
    ], rules: [.beside(field: "per", other: "once")])

  static let sendOptions = MappingDescription(
    "a send", "What stands beside 'target.action'.",
    [
      .init("as", .text, "The send's label; its place in the list by default."),
      .init("retry", .mapping(.retry), "How this delivery is tried again."),
      .init("order_by", .orderKey, "Deliveries of the target with the same value go out one after another."),
      .init("after", .duration, "Sent this much after the event's `at`."),
      .init(
        "hours", .either([.clockRange, .list(.clockRange), .mapping(.hours)]),
        "Sent only within these hours; held until then."),
      .init("unless", .mapping(.unless), "Not sent when such an event came meanwhile."),
      .init("expires", .duration, "Not sent later than this after the event's `at`."),
      .init("otherwise", .list(.send), "Sent in its place when it has expired."),
      .init("throttle", .mapping(.throttle), "At most so many in a time."),
    ], rules: [.beside(field: "otherwise", other: "expires")])

  /// Operators on what has an order, and on text.
  static let orderOperators = ["above", "below", "at_least", "at_most"]
  static let textOperators = ["contains", "starts_with", "ends_with"]
  static let valueOperators = ["is", "in", "not"]

  static let comparison = MappingDescription(
    "a comparison", "Operators; all of them must hold.",
    [
      .init("is", .oneOrMore(.text), "Equal to this, or to one of these."),
      .init("in", .oneOrMore(.text), "Equal to one of these."),
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

  /// Terms of a route's `when:` that are no value of the event.
  static let memoryConditions = ["count", "suppressed"]

  static let condition = MappingDescription(
    "'when'", "Different fields AND, a list of values OR.",
    EventField.allCases.map { .init($0.rawValue, .comparison(.of($0)), eventFields[$0] ?? "") } + [
      .init("local.time", .comparison(.clock), "The time of day of `at`, in the file's time zone."),
      .init("local.weekday", .comparison(.weekday), "The day of the week of `at`: mon, tue, wed …"),
      .init("any", .list(.condition), "Holds when one of these conditions does."),
      .init("not", .condition, "Holds when this condition does not."),
      .init("count", .mapping(.count), "How many such calls there were; in a route alone."),
      .init("suppressed", .boolean, "Whether the customer is on the suppression list; in a route alone."),
    ])

  /// What the event's fields mean.
  private static let eventFields: [EventField: String] = [
    .id: "Divert's own id of the event.", .source: "Who posted it.", .receivedAt: "When it was received.",
    .event: "CALL_REJECTED …", .direction: "INCOMING or OUTGOING.",
    .status: "REJECT, END, MISSED … as the source spells them.",
    .at: "When it happened: when the call ended, else began, else when it was received.",
    .callID: "The call's id.", .callStartedAt: "When the call began.", .callEndedAt: "When the call ended.",
    .callDuration: "Seconds, a number.", .callFailedReason: "Why the call failed.",
    .customerID: "The source's id of the customer.", .customerName: "The customer's name.",
    .customerPhone: "In E.164, with '+'.", .waba: "The business number that the event came to.",
    .agent: "Rejected By when INCOMING, Picked By when OUTGOING.", .chatID: "The chat's id.",
    .chatMessageID: "The message's id.", .deviceID: "The device's id.",
    .own: "true: it reports a write of Divert's own.",
  ]
}
