// The language's lookups, steps and verification: what may stand before and after a delivery's request.

extension Language {
  /// Methods that a question can have.
  static let questionMethods = ["get", "post"]
  static let lookupNone = ["fail", "skip", "empty"]
  static let lookupMany = ["first", "newest", "fail"]
  /// In `items`: the answer itself is the list.
  static let wholeAnswer = "*"

  /// How a request is made up, beside its method.
  private static let requestFields: [FieldDescription] = [
    .init("query", .entries(.template), "Query items."),
    .init("headers", .headers(most: nil), "Headers beside the target's."),
    .init("body", .tree, "Sent as JSON; the leaves are templates."),
    .init("form", .entries(.template), "Sent as a form, in place of a body."),
  ]
  private static let oneBody: [FieldRule] = [
    .atMostOne(["body", "form"]), .atMostOne(["get", "body"]), .atMostOne(["get", "form"]),
  ]

  /// What is made of an answer, and what follows.
  private static let lookupFields: [FieldDescription] = [
    .init("variants", .list(.template), "Asked one after another as `{{ variant }}` until one is found."),
    .init("items", .path, "The list in the answer; '*' where the answer is the list. The fields are then an item's."),
    .init("where", .entries(.template), "Only items that have these values at these paths are meant."),
    .init("fields", .named(.path), "What is kept of the answer: a name and a path for each."),
    .init("cache", .duration, standard: "0s", "How long an answer holds for other events; not at all by default."),
    .init("none_cache", .duration, "How long 'nothing found' holds; as 'cache', but 1m at most, by default."),
    .init(
      "none", .text, standard: "fail",
      "When nothing is found: fail, skip, empty (its fields are missing), or an action of its target that creates it."),
    .init("many", .choice(lookupMany), standard: "first", "Which one is meant when there are several items."),
    .init("newest_by", .path, "With 'many: newest': where an item says how new it is."),
    .init("doc", .text, "What it is for."),
    .init("sandbox", .mapping(.sandbox), "What the sandbox answers; by default an answer with all its fields."),
  ]

  static let lookup = MappingDescription(
    "a lookup", "A value asked of a target when a delivery needs it.",
    [
      .init("get", .lookupPath, "What is asked: 'target:/path'."),
      .init("post", .lookupPath, "What is asked, with a body: 'target:/path'."),
      .init("from", .text, "A target's own lookup, 'target.lookup'; what is given beside it replaces what that has."),
    ] + requestFields + lookupFields,
    rules: [.exactlyOne(questionMethods + ["from"])] + oneBody + requestFields.map { .atMostOne(["from", $0.name]) })

  static let ownLookup = MappingDescription(
    "a target's lookup", "A value asked of the target when one of its actions needs it.",
    [
      .init("get", .requestPath, "The path of the question, joined to the target's url."),
      .init("post", .requestPath, "The path of a question with a body."),
    ] + requestFields + lookupFields,
    rules: [.exactlyOne(questionMethods)] + oneBody)

  static let step = MappingDescription(
    "a step", "One of several requests in a row.",
    methods.map {
      FieldDescription($0, .requestPath, "The path of a \($0.uppercased()) request, joined to the target's url.")
    } + requestFields + [
      .init("when", .condition, "Left out where this does not hold; may also name lookups, `steps.…`, `arguments.…`."),
      .init("fields", .named(.path), "What is kept of its answer: `{{ steps.<step>.<field> }}` in later steps."),
      .init(
        "idempotency", .either([.choice(naturalKey), .mapping(.idempotency)]),
        standard: "{ header: Idempotency-Key }", "Where the step's key goes."),
      .init(
        "max", .entries(.whole(maxLength)), "The longest text at a path of the body, or of a query item, in characters."
      ),
      .init("doc", .text, "What it does."),
      .init("sandbox", .mapping(.sandbox), "What the sandbox answers; by default an answer with all its fields."),
    ],
    rules: [.exactlyOne(methods)] + oneBody)

  static let verify = MappingDescription(
    "'verify'", "How the target is asked whether a delivery arrived of which nobody knows.",
    [
      .init("get", .requestPath, "The path of the question, joined to the target's url."),
      .init("post", .requestPath, "The path of a question with a body."),
    ] + requestFields + [
      .init("after", .duration, standard: "10s", "First asked this long after the attempt; 10s by default."),
      .init(
        "landed", .mapping(.landed), required: true,
        "It arrived when the answer is like this; a 2xx or 404 that is not says that it did not."),
      .init("sandbox", .mapping(.sandbox), "What the sandbox answers."),
    ],
    rules: [.exactlyOne(questionMethods)] + oneBody)

  static let landed = MappingDescription(
    "'landed'", "When an answer is like this; all conditions must hold.",
    response.fields.filter { responseConditions.contains($0.name) } + [
      .init("contains", .template, "The body holds this text somewhere, such as `{{ call.id }}`.")
    ], rules: [.atLeastOne(responseConditions + ["contains"])])
}
