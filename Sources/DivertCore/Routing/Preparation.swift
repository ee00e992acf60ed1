// What may stand before, between and after a delivery's request, as data: lookups, steps, the question whether it arrived,
// and batches. `lookups:`, `steps:`, `verify:` and `batch:` compile to these.

/// Something asked of a target before a delivery that needs it: `lookups:` of the file, or of a target.
package struct LookupDefinition: Sendable {
  /// As templates and conditions name it: `account`; one of a target's own is `crm.contact` here and `contact` in its actions.
  package var name: String
  /// Whose gate, credential and response rules hold for the question.
  package var target: String
  /// The question. Its name is the lookup's.
  package var request: ActionDefinition
  /// Asked one after another as `{{ variant }}` until one is found; empty: asked once.
  package var variants: [Template]
  /// The list in the answer, `fields` being paths within the chosen item; nil: paths within the whole answer.
  package var items: [String]?
  /// Only items that have these values are meant. Only with `items`.
  package var wanted: [WantedValue]
  /// What is kept of the answer, by name; paths into JSON.
  package var fields: [AnswerField]
  /// How long an answer holds for other events.
  package var cache: Span
  /// How long "nothing found" holds for other events.
  package var noneCache: Span
  package var none: LookupNone
  package var many: LookupMany

  package init(name: String, target: String, request: ActionDefinition) {
    self.name = name
    self.target = target
    self.request = request
    variants = []
    wanted = []
    fields = []
    cache = .zero
    noneCache = .zero
    none = .fail
    many = .first
  }
}

/// A value taken from a JSON answer.
package struct AnswerField: Sendable, Hashable {
  package var name: String
  /// Steps into the answer; a number is an index in a list.
  package var path: [String]
  package init(_ name: String, _ path: [String]) {
    self.name = name
    self.path = path
  }
}

/// What an item of a lookup's answer must have to be meant.
package struct WantedValue: Sendable, Hashable {
  /// Steps into the item.
  package var path: [String]
  /// Compared as text, whatever the case of its letters.
  package var value: Template
  package init(_ path: [String], _ value: Template) {
    self.path = path
    self.value = value
  }
}

/// What follows when a lookup finds nothing.
package enum LookupNone: Sendable {
  /// The deliveries that need it are dead: "no account for …".
  case fail
  /// They end skipped.
  case skip
  /// They go on; the lookup's fields are missing.
  case empty
  /// This action of the lookup's target creates it; its `fields` are the answer.
  case create(ActionDefinition)
}

/// Which one is meant when a lookup finds several. Only with `items`.
package enum LookupMany: Sendable, Hashable {
  case first
  /// The one with the greatest value at this path of an item: moments and numbers as such, else text.
  case newest(by: [String])
  case fail
}

/// One request of an action that has several in a row.
package struct StepDefinition: Sendable {
  package var name: String
  package var request: ActionDefinition
  /// May name lookups' fields, earlier steps' fields and arguments; where it does not hold the step is left out.
  package var when: Condition

  package init(name: String, request: ActionDefinition, when: Condition = .all([])) {
    self.name = name
    self.request = request
    self.when = when
  }
}

/// How a target is asked whether an ambiguous delivery arrived.
package final class VerifyDefinition: Sendable {
  package let request: ActionDefinition
  /// First asked this long after the attempt.
  package let after: Span
  /// It arrived when all of these hold for the answer; answered 2xx or 404 without them, it did not.
  package let landed: [ResponseCondition]
  /// And the answer's body holds this text somewhere.
  package let contains: Template?

  package init(
    request: ActionDefinition, after: Span = .seconds(10), landed: [ResponseCondition], contains: Template? = nil
  ) {
    self.contains = contains
    self.request = request
    self.after = after
    self.landed = landed
  }
}

/// Several deliveries of one action in one request.
package struct BatchDefinition: Sendable {
  /// Items at most, at least 2.
  package var most: Int
  /// How long the first one waits for others.
  package var wait: Span
  /// The whole body; `{{ items }}` are the rendered bodies in order.
  package var body: BodyTemplate
  /// Another method or path than a single one's; nil: the action's own.
  package var request: (method: String, path: Template)?
  /// The list in the answer with one result per item; empty: the answer itself.
  package var results: [String]
  /// A second list, with the results of failed items only; found by `match`.
  package var errors: [String]?
  /// How an item's result is found; nil: by its place.
  package var match: Match?
  /// Rules over one result, its JSON being the answer's body; where none matches: delivered.
  package var each: [ResponseRule]

  /// Paths of the key in an item, in a result, and in one of the `errors` (with `*` where it is a list there).
  package struct Match: Sendable, Hashable {
    package var item: [String]
    package var result: [String]
    package var error: [String]
    package init(item: [String], result: [String], error: [String]? = nil) {
      self.item = item
      self.result = result
      self.error = error ?? result
    }
  }

  package init(most: Int, wait: Span, body: BodyTemplate, results: [String]) {
    self.most = most
    self.wait = wait
    self.body = body
    self.results = results
    each = []
  }
}
