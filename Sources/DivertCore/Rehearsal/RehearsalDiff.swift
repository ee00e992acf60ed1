// What another configuration would do with the same event: deliveries that appear, vanish, change or stay.

/// One delivery under two configurations.
package enum DeliveryDifference: Sendable {
  /// Only the later one has it.
  case appears(RehearsedDelivery)
  /// Only the earlier one has it.
  case vanishes(RehearsedDelivery)
  /// Both have it, and these parts differ; at least one.
  case changes(RehearsedDelivery, RehearsedDelivery, [FieldDifference])
  /// The same in everything but its place in `send`, by which rerun and the idempotency key know it.
  case moves(RehearsedDelivery, RehearsedDelivery)
  /// The same.
  case stays(RehearsedDelivery)
}

/// One part of a delivery that differs.
package struct FieldDifference: Sendable, Hashable {
  /// `due`, `method`, `url`, `header Content-Type`, `body.customer.phone`, `place` …
  package var field: String
  /// As JSON or text; nil: it is not there.
  package var before: String?
  package var after: String?

  package init(_ field: String, _ before: String?, _ after: String?) {
    self.field = field
    self.before = before
    self.after = after
  }
}

package enum RehearsalDiff {
  /// Every delivery of both rehearsals, the later one's in its order, then what vanishes. Deliveries are paired by route,
  /// label, target and action; those left over by route, target and action in their order.
  package static func between(_ before: Rehearsal, _ after: Rehearsal) -> [DeliveryDifference] {
    between(before.deliveries, after.deliveries)
  }

  static func between(_ before: [RehearsedDelivery], _ after: [RehearsedDelivery]) -> [DeliveryDifference] {
    var rest = before
    var partners = after.map { take($0, from: &rest) { $0.plan.send == $1.plan.send } }
    for (place, delivery) in after.enumerated() where partners[place] == nil {
      partners[place] = take(delivery, from: &rest) { _, _ in true }
    }
    let pairs = zip(after, partners).map { delivery, partner in
      partner.map { difference($0, delivery) } ?? .appears(delivery)
    }
    return pairs + rest.map { .vanishes($0) }
  }

  private static func take(
    _ wanted: RehearsedDelivery, from rest: inout [RehearsedDelivery],
    where isPartner: (RehearsedDelivery, RehearsedDelivery) -> Bool
  ) -> RehearsedDelivery? {
    let place = rest.firstIndex { one in
      one.plan.route == wanted.plan.route && one.plan.target == wanted.plan.target
        && one.plan.action == wanted.plan.action && isPartner(one, wanted)
    }
    return place.map { rest.remove(at: $0) }
  }

  private static func difference(_ a: RehearsedDelivery, _ b: RehearsedDelivery) -> DeliveryDifference {
    let fields = plan(a, b) + request(a, b)
    if !fields.isEmpty { return .changes(a, b, fields) }
    return a.plan.send == b.plan.send ? .stays(b) : .moves(a, b)
  }

  private static func plan(_ a: RehearsedDelivery, _ b: RehearsedDelivery) -> [FieldDifference] {
    var found: [FieldDifference] = []
    note("due", a.plan.due.iso8601, b.plan.due.iso8601, &found)
    note("waits", waits(a), waits(b), &found)
    note("order_by", a.plan.orderKey, b.plan.orderKey, &found)
    note("to_person", "\(a.isMessage)", "\(b.isMessage)", &found)
    note("if", guards(a), guards(b), &found)
    note("asks", asks(a), asks(b), &found)
    note("target", a.waitsForTarget ? "switched off" : "on", b.waitsForTarget ? "switched off" : "on", &found)
    return found
  }

  private static func guards(_ delivery: RehearsedDelivery) -> String? {
    let guards = delivery.recipe?.send.guards ?? []
    return guards.isEmpty ? nil : guards.map(\.condition.words).joined(separator: "; ")
  }

  /// What it waited for beyond its due time.
  private static func waits(_ delivery: RehearsedDelivery) -> String? {
    delivery.waits.last.map { "until \($0.until.iso8601): \($0.reason.code)" }
  }

  private static func asks(_ delivery: RehearsedDelivery) -> String? {
    let stages = delivery.stages.map { $0.title + ": " + summary($0.rendered) }
    return stages.isEmpty ? nil : stages.joined(separator: "; ")
  }

  private static func request(_ a: RehearsedDelivery, _ b: RehearsedDelivery) -> [FieldDifference] {
    var found: [FieldDifference] = []
    guard case .success(let old) = a.request, case .success(let new) = b.request else {
      note("request", summary(a.request), summary(b.request), &found)
      return found
    }
    note("method", old.method, new.method, &found)
    note("url", old.url, new.url, &found)
    headers(values(old, a), values(new, b), &found)
    if old.body != new.body { bodies(body(old), body(new), &found) }
    return found
  }

  /// A request in one line; or why there is none.
  package static func summary(_ request: Result<RenderedRequest, RenderFault>) -> String {
    switch request {
    case .success(let request): request.method + " " + request.url
    case .failure(let fault): "no request: " + fault.reason.sentence
    }
  }

  private static func note(_ field: String, _ a: String?, _ b: String?, _ found: inout [FieldDifference]) {
    if a != b { found.append(FieldDifference(field, a, b)) }
  }
}

// Headers and bodies.
extension RehearsalDiff {
  /// A request's headers, the delivery's own key by name: it differs wherever the place does.
  private static func values(_ request: RenderedRequest, _ delivery: RehearsedDelivery) -> [HTTPHeader] {
    request.headers.map { $0.value == delivery.idempotencyKey ? HTTPHeader($0.name, "(idempotency key)") : $0 }
  }

  private static func headers(_ a: [HTTPHeader], _ b: [HTTPHeader], _ found: inout [FieldDifference]) {
    func value(_ name: String, _ headers: [HTTPHeader]) -> String? {
      headers.first { $0.name.equalsIgnoringCase(name) }?.value
    }
    for header in a { note("header \(header.name)", header.value, value(header.name, b), &found) }
    for header in b where value(header.name, a) == nil {
      found.append(FieldDifference("header \(header.name)", nil, header.value))
    }
  }

  /// A body as JSON: itself, or a form's fields, or its text; nil: there is none.
  private static func body(_ request: RenderedRequest) -> JSONValue? {
    if request.body.isEmpty { return nil }
    let type = request.header("content-type") ?? ""
    if type.hasPrefix("application/x-www-form-urlencoded") { return form(request.body) }
    return (try? JSONValue.parse(request.body)) ?? .string(String(decoding: request.body, as: UTF8.self))
  }

  private static func form(_ body: [UInt8]) -> JSONValue {
    let fields = body.split(separator: UInt8(ascii: "&")).map { field in
      let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return JSONObject.Member(
        key: String(decoding: parts[0], as: UTF8.self),
        value: .string(parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""))
    }
    return .object(JSONObject(fields))
  }

  private static func bodies(_ a: JSONValue?, _ b: JSONValue?, _ found: inout [FieldDifference]) {
    let start = found.count
    values("body", a, b, &found)
    // The bytes differ and no value does: the members' order, or a number's spelling.
    if found.count == start { found.append(FieldDifference("body", a?.text, b?.text)) }
  }

  private static func values(_ path: String, _ a: JSONValue?, _ b: JSONValue?, _ found: inout [FieldDifference]) {
    switch (a, b) {
    case (.object(let a)?, .object(let b)?):
      for member in a.members { values("\(path).\(member.key)", member.value, b[member.key], &found) }
      for member in b.members where a[member.key] == nil { values("\(path).\(member.key)", nil, member.value, &found) }
    case (.array(let a)?, .array(let b)?):
      for place in 0..<max(a.count, b.count) {
        values("\(path).\(place)", place < a.count ? a[place] : nil, place < b.count ? b[place] : nil, &found)
      }
    default: if a != b { found.append(FieldDifference(path, a?.text, b?.text)) }
    }
  }
}
