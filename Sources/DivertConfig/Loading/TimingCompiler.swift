// What stands beside a send of time and memory: `after`, `hours`, `unless`, `expires`, `otherwise`, `throttle` → SendTiming.
import DivertCore

/// Where a list of sends stands.
struct SendPlace {
  /// The route's path; `alarms`, `record`.
  var route: String
  var scope: TemplateScope
  var guards: [Send.Guard] = []
  /// Before its place in the list, in the label of a send that has none.
  var prefix = ""
  /// `once` of the route and those above that are claimed when due.
  var claims: [OnceDefinition] = []
  /// It is an `else` of this route's promise.
  var promise: String?
  /// It cannot go out before this much after the event's `at`, and why.
  var earliest: (span: Span, why: String)?
  /// Time and memory are for routes alone.
  var isRoute = true
}

extension LoadContext {
  /// The timing of a send. `label`: what its `otherwise` are named after.
  func timing(_ options: Fields?, label: String, _ place: SendPlace) -> SendTiming {
    var timing = SendTiming()
    timing.claims = place.claims
    timing.promise = place.promise
    guard let options, !refuseTiming(options, place) else { return timing }
    if let after = options["after"].flatMap({ duration($0, "'after'", Language.delays) }) { timing.after = after }
    timing.hours = options["hours"].flatMap(hours)
    timing.unless = options["unless"].flatMap { unless($0, after: timing.after + (place.earliest?.span ?? .zero)) }
    timing.throttle = options["throttle"].flatMap(throttle)
    timing.expires = options["expires"].flatMap { duration($0, "'expires'", Language.memorySpans) }
    checkExpiry(options, timing, place)
    if let node = options["otherwise"] { timing.otherwise = otherwise(node, timing, label, place) }
    return timing
  }

  private static let timingOptions = ["after", "hours", "unless", "expires", "otherwise", "throttle"]

  /// Refuses time and memory outside routes; whether it did.
  private func refuseTiming(_ options: Fields, _ place: SendPlace) -> Bool {
    guard !place.isRoute else { return false }
    for entry in options.entries where Self.timingOptions.contains(entry.key) {
      error("not_here", entry.keyPlace, "'\(entry.key)' is for the sends of routes: this goes out at once", "remove it")
    }
    return true
  }

  private func checkExpiry(_ options: Fields, _ timing: SendTiming, _ place: SendPlace) {
    if let otherwise = options.entry("otherwise"), options.entry("expires") == nil {
      error(
        "contradictory", otherwise.keyPlace, "'otherwise' without 'expires' is never sent",
        "say when the send expires: expires: 15m")
    }
    guard let expires = timing.expires, let node = options["expires"] else { return }
    if let earliest = place.earliest, expires <= earliest.span + timing.after {
      error(
        "contradictory", node.place,
        "'expires': it expires \(expires.duration) after the event, before it could go out: \(earliest.why)",
        "write more than \((earliest.span + timing.after).duration), or remove it")
    } else if expires <= timing.after {
      error(
        "contradictory", node.place,
        "'expires' (\(expires.duration)) is not longer than 'after' (\(timing.after.duration)): it would always expire",
        "both are counted from the event: write more than \(timing.after.duration)")
    }
  }

  private func otherwise(_ node: YAMLNode, _ timing: SendTiming, _ label: String, _ place: SendPlace) -> [Send] {
    var inner = place
    inner.prefix = "\(label).otherwise."
    if let expires = timing.expires {
      inner.earliest = (expires, "it takes the place of a send that expires after \(expires.duration)")
    }
    return sends(list(node, "'otherwise'"), inner)
  }

  private func unless(_ node: YAMLNode, after: Span) -> UnlessDefinition? {
    guard let entries = node.entries else {
      error("not_a_mapping", node.place, "'unless' must be a mapping, not \(node.kindName)", "{ event: CALL_ACCEPTED }")
      return nil
    }
    let same = entries.first { $0.key == "same" }
    if let same, same.value.isEmpty {
      error("no_value", same.keyPlace, "nothing stands after 'same:'", "give it a value or remove it")
    }
    let rest = YAMLNode(content: .mapping(entries.filter { $0.key != "same" }), place: node.place)
    if rest.entries?.isEmpty == true {
      error("no_value", node.place, "'unless' says no event", "{ event: CALL_ACCEPTED }")
    }
    let condition = eventCondition(rest, of: "'unless'")
    let key = memoryKey(same.flatMap { $0.value.isEmpty ? nil : $0.value }, "'same'")
    // It is asked until its delivery ends: a week of attempts after its time, and as much again held.
    let book = book(condition, key, span: after + .days(7))
    let words = condition.words + (words(ofKey: same?.value).map { ", same \($0)" } ?? "")
    return UnlessDefinition(book: book, same: key, words: words)
  }

  private func throttle(_ node: YAMLNode) -> ThrottleDefinition? {
    guard let fields = fields(node, .throttle) else { return nil }
    let per = memoryKey(fields["per"], "'per'")
    if fields["at_most"]?.plainText == "0" {
      fields["at_most"].map {
        error(
          "never_allowed", $0.place, "'at_most: 0' lets nothing out", "write 1 or more; 'enabled: false' stops a route")
      }
      return nil
    }
    let most = fields["at_most"].flatMap { whole($0, "'at_most'", 1...1_000_000) }
    guard let within = fields["within"].flatMap({ memorySpan($0, "'within'") }), let most else { return nil }
    return ThrottleDefinition(atMost: most, within: within, per: per)
  }
}
