// The language's tests: events that are given, and what must follow from them.

extension Language {
  static let test = MappingDescription(
    "a test", "An event or several, and the deliveries that must follow.",
    [
      .init(
        "given", .oneOrMore(.mapping(.given)), required: true, "The event, or a list of them in the order they come."),
      .init(
        "sends", .list(.sendName), required: true, "Every 'target.action' that must follow, in any order; [] for none."),
      .init("body", .entries(.tree), "By 'target.action': values that its body must have."),
      .init(
        "lookups", .entries(.either([.choice(mockedNone), .named(.tree)])),
        "By lookup: the fields that it answers with, 'none', or 'created: {…}' for what is created then."),
      .init(
        "suppressed", .choice(suppressions),
        "The events' customers are on the suppression list: for outreach, or for all messages."),
      .init(
        "down", .entries(.duration), "By target: it takes nothing for so long, from the first event on."),
    ])

  static let suppressions = ["outreach", "all"]

  /// What stands for an answer with nothing in it.
  static let mockedNone = ["none"]
  /// What stands before the fields of what is created where nothing is found.
  static let mockedCreation = "created"

  static let given = MappingDescription(
    "an event", "Laid over the built-in sample of that event and direction; \"\" makes a field missing.",
    [
      .init("event", .text, required: true, "The event's name: CALL_REJECTED …"),
      .init("direction", .choice(KnownValues.directions), "INCOMING or OUTGOING."),
      .init(
        "at", .oneOrMore(.either([.moment, .clock, .duration])),
        "When it happens; each entry of a list is a call of its own."),
      .init(
        "received", .either([.moment, .clock, .duration]), "When it comes, where that is later than it happens."),
      .init("source", .text, "Who posts it; the file's only source by default."),
      .init("status", .text, "REJECT, END, MISSED …"),
      .init("agent", .text, "The agent concerned."),
      .init("waba", .text, "The business number that it comes to."),
      .init("customer", .mapping(.givenCustomer), "The customer."),
      .init("call", .mapping(.givenCall), "The call."),
      .init("chat", .mapping(.givenChat), "The chat."),
      .init("device", .mapping(.givenDevice), "The device."),
      .init("own", .boolean, "true: it reports a write of Divert's own."),
      .init("raw", .tree, "Laid over the body as it would come."),
    ])

  static let givenCustomer = MappingDescription(
    "'customer'", "The customer.",
    [
      .init("phone", .text, "A phone number; without a country code one of the file's country."),
      .init("name", .text, "The name."),
      .init("id", .text, "The source's id."),
    ])

  static let givenCall = MappingDescription(
    "'call'", "The call.",
    [
      .init("id", .text, "The call's id; one of its own by default."),
      .init("started_at", .text, "When it began, in ISO 8601 with a zone."),
      .init("ended_at", .text, "When it ended, in ISO 8601 with a zone."),
      .init("duration", .text, "In seconds."),
      .init("failed_reason", .text, "Why it failed."),
    ])

  static let givenChat = MappingDescription(
    "'chat'", "The chat.", [.init("id", .text, "Its id."), .init("message_id", .text, "The message's id.")])

  static let givenDevice = MappingDescription("'device'", "The device.", [.init("id", .text, "Its id.")])
}
