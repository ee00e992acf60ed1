// Settings that are inherited, defaults → target → action → send, the nearest wins: retry, order, time-outs, limits.
import DivertCore

/// `retry:` as far as one level gives it.
struct PartialRetry {
  var period: Span?
  var backoff: (base: Span, cap: Span)?
  var attempts: Int?

  /// This level's fields over those of the level above.
  func over(_ outer: PartialRetry) -> PartialRetry {
    PartialRetry(
      period: period ?? outer.period, backoff: backoff ?? outer.backoff, attempts: attempts ?? outer.attempts)
  }

  /// With the language's defaults for what no level gives.
  var settings: RetrySettings {
    let standard = RetrySettings.standard
    return RetrySettings(
      period: period ?? standard.period, base: backoff?.base ?? standard.base, cap: backoff?.cap ?? standard.cap,
      attempts: attempts)
  }
}

/// `order_by:`: a value, or `none` to switch off what a level above says.
enum OrderBy {
  case none
  case value(Template)

  var template: Template? { if case .value(let template) = self { template } else { nil } }
}

struct CompiledDefaults {
  var retry = PartialRetry()
  var orderBy: OrderBy?
  var timeout = PartialTimeout()
  var concurrency: Int?
  var limits: [RateLimit] = []
  /// Asked after the target's own rules.
  var responses: [ResponseRule] = []
  /// For actions that are no message to a person: a second one to a person is never risked for all targets at once.
  var ambiguous: AmbiguousPolicy?
}

struct PartialTimeout {
  var connect: Span?
  var total: Span?
}

extension LoadContext {
  func defaults(_ node: YAMLNode) -> CompiledDefaults {
    var defaults = CompiledDefaults()
    guard let fields = fields(node, .defaults) else { return defaults }
    defaults.retry = fields["retry"].map(retry) ?? PartialRetry()
    defaults.orderBy = fields["order_by"].flatMap { orderBy($0, sendScope) }
    defaults.timeout = fields["timeout"].map(timeout) ?? PartialTimeout()
    defaults.concurrency = fields["concurrency"].flatMap { whole($0, "'concurrency'", Language.concurrency) }
    defaults.limits = fields["limit"].map(limits) ?? []
    defaults.responses = fields["responses"].map(responses) ?? []
    defaults.ambiguous = fields["ambiguous"].flatMap(ambiguous)
    return defaults
  }

  func retry(_ node: YAMLNode) -> PartialRetry {
    var retry = PartialRetry()
    guard let fields = fields(node, .retry) else { return retry }
    retry.period = fields["for"].flatMap { duration($0, "'for'", .milliseconds(1)...SmallGrammar.longest) }
    retry.attempts = fields["attempts"].flatMap { whole($0, "'attempts'", Language.attempts) }
    retry.backoff = fields["backoff"].flatMap(backoff)
    if let period = retry.period, period > .days(7) {
      fields["for"].map { error("contradictory", $0.place, "'for' can be 7d at most", "write 7d or less") }
    }
    return retry
  }

  private func backoff(_ node: YAMLNode) -> (base: Span, cap: Span)? {
    guard let text = text(node, "'backoff'") else { return nil }
    guard let backoff = SmallGrammar.backoff(text) else {
      error("bad_backoff", node.place, "'backoff': '\(text)' is not a range of waits", "write 5s..15m")
      return nil
    }
    guard backoff.base > .zero, backoff.cap <= SmallGrammar.longest else {
      let bound =
        backoff.base > .zero
        ? "the longest wait is \(SmallGrammar.longest.duration) at most" : "the first wait is 1ms at least"
      error("bad_backoff", node.place, "'backoff': '\(text)' is out of bounds", bound)
      return nil
    }
    guard backoff.base <= backoff.cap else {
      error(
        "contradictory", node.place, "'backoff': the first wait is longer than the longest", "write the shorter first")
      return nil
    }
    return backoff
  }

  func orderBy(_ node: YAMLNode, _ scope: TemplateScope) -> OrderBy? {
    if node.plainText == "none" { return OrderBy.none }
    var scope = scope
    scope.lookups = [:]
    guard let template = pathTemplate(node, "'order_by'", scope) else { return nil }
    if template.paths.contains(.field(.id)) {
      let message = "'order_by' cannot name 'id': an event's id is not known yet when its order is made"
      error("bad_order", node.place, message, "use customer.phone or call.id")
    }
    return .value(template)
  }

  func timeout(_ node: YAMLNode) -> PartialTimeout {
    guard node.entries != nil else {
      return PartialTimeout(connect: nil, total: duration(node, "'timeout'", Language.timeouts))
    }
    guard let fields = fields(node, .timeout) else { return PartialTimeout() }
    let connect = fields["connect"].flatMap { duration($0, "'connect'", Language.timeouts) }
    let total = fields["total"].flatMap { duration($0, "'total'", Language.timeouts) }
    if let connect, let total, connect > total, let entry = fields.entry("connect") {
      error("contradictory", entry.value.place, "'connect' is longer than 'total'", "'total' holds for everything")
    }
    return PartialTimeout(connect: connect, total: total)
  }

  /// One or several token buckets; those that can never both matter are reported.
  func limits(_ node: YAMLNode) -> [RateLimit] {
    var limits: [RateLimit] = []
    for item in oneOrMore(node) {
      guard let limit = rate(item, "'limit'") else { continue }
      if let other = limits.first(where: { $0.per == limit.per }) {
        error(
          "contradictory", item.place, "two limits for the same time: \(other.count) and \(limit.count)", "keep one")
      } else if let other = limits.first(where: { Self.makes(limit, idle: $0) || Self.makes($0, idle: limit) }) {
        let idle = Self.makes(limit, idle: other) ? "the limit before it" : "this limit"
        warn("idle_limit", item.place, "\(idle) can never be reached beside the other one", "remove it")
      }
      limits.append(limit)
    }
    return limits
  }

  /// Whether `a` alone keeps everything within `b`: in a shorter time by rate, in a longer time by number.
  private static func makes(_ a: RateLimit, idle b: RateLimit) -> Bool {
    if a.per > b.per { return a.count <= b.count }
    let periods = (b.per.milliseconds + a.per.milliseconds - 1) / a.per.milliseconds + 1
    let (most, overflow) = Int64(a.count).multipliedReportingOverflow(by: periods)
    return !overflow && most <= Int64(b.count)
  }
}
