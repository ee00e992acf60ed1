// The language's batches and quotas: several deliveries in one request, and what answers say of what is left.

import DivertCore

extension Language {
  static let batchMost = 2...1000
  /// How long a delivery may wait for others.
  static let batchWaits = Span.milliseconds(0)...Span.minutes(10)

  static let batch = MappingDescription(
    "'batch'", "Several deliveries of the action in one request.",
    [
      .init("max", .whole(batchMost), required: true, "Deliveries in one request at most."),
      .init("wait", .duration, standard: "500ms", "How long the first one waits for others; 500ms by default."),
      .init("post", .requestPath, "The path of a request for several, where it is another than for one."),
      .init("put", .requestPath, "The same with PUT."),
      .init("patch", .requestPath, "The same with PATCH."),
      .init("body", .tree, required: true, "The whole body; `{{ items }}` is the list of the deliveries' bodies."),
      .init("results", .path, "The list in the answer with a result for each; the answer itself where it is left out."),
      .init("errors", .path, "A second list, with the results of those that failed; found by 'match'."),
      .init("match", .mapping(.batchMatch), "How a result is found by a key; by its place where it is left out."),
      .init("each", .list(.mapping(.response)), "Rules for one result, the first that matches decides; then: ok."),
      .init("sandbox", .mapping(.sandbox), "What the sandbox answers to several, as to one; its result is repeated."),
    ], rules: [.atMostOne(["post", "put", "patch"]), .together(["errors", "match"])])

  static let batchMatch = MappingDescription(
    "'match'", "The key that tells which result is whose.",
    [
      .init("item", .path, required: true, "Its place in a delivery's body."),
      .init("result", .path, required: true, "Its place in a result."),
      .init("error", .path, "Its place in one of the 'errors'; as in a result where it is left out."),
    ])

  static let quotaBelow = 0...1_000_000_000

  static let quota = MappingDescription(
    "a quota rule", "What answers say of what is left.",
    [
      .init("remaining", .mapping(.answerPlace), required: true, "Where an answer says how much is left."),
      .init("below", .whole(quotaBelow), standard: "0", "At this or less nothing goes until the reset; 0 by default."),
      .init(
        "reset", .either([.choice(waitHeader), .duration, .mapping(.wait)]), required: true,
        "How long it takes until the vendor counts anew."),
    ])

  static let quotaForms = ["used/limit"]

  static let answerPlace = MappingDescription(
    "'remaining'", "A place in an answer, read as a number.",
    [
      .init("header", .text, "A header of the answer."),
      .init("json", .path, "A path into the answer's JSON body."),
      .init("form", .choice(quotaForms), "How it is written where it is no number: 'used/limit', as in 18/5000."),
    ], rules: [.exactlyOne(["header", "json"])])
}
