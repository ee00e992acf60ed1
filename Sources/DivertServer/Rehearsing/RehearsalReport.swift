// A rehearsal and a comparison as JSON: what `divert explain` and `divert diff` print for programs.

package import DivertCore

package enum RehearsalReport {
  /// The event, every route with each condition's answer, and every delivery with its request.
  /// - Parameters:
  ///   - others: how many other events its routes know of; nil: none was asked for.
  ///   - duplicateOf: the stored event that this one would be taken for.
  package static func json(
    _ rehearsal: Rehearsal, stored: Bool, others: Int? = nil, duplicateOf: EventID? = nil
  ) -> JSONValue {
    RecordJSON.object([
      "event": RecordJSON.event(rehearsal.event), "stored": .bool(stored),
      "duplicate_of": duplicateOf.map { .string($0.description) }, "version": .string(rehearsal.version),
      "routes": .array(rehearsal.routes.map(route)), "deliveries": .array(rehearsal.deliveries.map(delivery)),
      "other_events": others.map { .number($0) },
      "promises": rehearsal.promises.isEmpty ? nil : .array(rehearsal.promises.map(promise)),
    ])
  }

  private static func promise(_ p: Promise) -> JSONValue {
    RecordJSON.object([
      "route": .string(p.route), "opened_at": RecordJSON.moment(p.openedAt), "deadline": RecordJSON.moment(p.deadline),
      "judged_at": RecordJSON.moment(p.judgedAt), "standing": .string(p.standing(at: p.judgedAt).rawValue),
      "kept_by": p.keeper.map { .string($0.description) }, "kept_at": p.keptAt.map { RecordJSON.moment($0) },
    ])
  }

  /// What the sender of a body would be answered.
  package static func json(_ refusal: IngestRefusal) -> JSONValue {
    [
      "refused": [
        "status": .number(refusal.status), "code": .string(refusal.code), "message": .string(refusal.message),
        "faults": .array(refusal.faults.map(JSONValue.string)),
      ]
    ]
  }

  private static func route(_ r: RouteExplanation) -> JSONValue {
    RecordJSON.object([
      "route": .string(r.path), "enabled": .bool(r.enabled), "matched": .bool(r.fired),
      "why_not": RecordJSON.text(r.why),
      "when": condition(r.condition), "sends": .array(r.sends.map(JSONValue.string)),
      "also": .array(r.children.map(route)),
    ])
  }

  private static func condition(_ c: ConditionExplanation) -> JSONValue {
    RecordJSON.object([
      "holds": .bool(c.holds), "open": c.isOpen ? true : nil, "text": .string(c.text),
      "actual": RecordJSON.text(c.actual),
      "parts": c.isLeaf ? nil : .array(c.parts.map(condition)),
    ])
  }

  /// One delivery that would follow.
  static func delivery(_ d: RehearsedDelivery) -> JSONValue {
    var (request, fault): (JSONValue?, JSONValue?) = (nil, nil)
    switch d.request {
    case .success(let made): request = self.request(made)
    case .failure: fault = d.fault.map(RecordJSON.reason)
    }
    return RecordJSON.object([
      "route": .string(d.plan.route), "send": .string(d.plan.send), "target": .string(d.plan.target),
      "action": .string(d.plan.action), "due": RecordJSON.moment(d.plan.due),
      "at": RecordJSON.moment(d.endedAt), "expires": d.plan.expires.map { RecordJSON.moment($0) },
      "else_of": RecordJSON.text(d.brokenPromise), "in_place_of": RecordJSON.text(d.insteadOf), "waits": waits(d),
      "to_person": .bool(d.isMessage),
      "order_by": RecordJSON.text(d.plan.orderKey), "idempotency_key": .string(d.idempotencyKey),
      "target_enabled": .bool(!d.waitsForTarget), "if": guards(d), "before": stages(d), "skipped": skipped(d),
      "request": request, "fault": fault,
    ])
  }

  /// The conditions that decide when it is due, and are not known now.
  private static func guards(_ d: RehearsedDelivery) -> JSONValue? {
    d.openGuards.isEmpty ? nil : .array(d.openGuards.map { .string($0.condition.words) })
  }

  /// The requests before its own.
  private static func stages(_ d: RehearsedDelivery) -> JSONValue? {
    if d.stages.isEmpty { return nil }
    return .array(
      d.stages.map { stage in
        var (request, fault): (JSONValue?, JSONValue?) = (nil, nil)
        switch stage.rendered {
        case .success(let made): request = self.request(made)
        case .failure(let why): fault = RecordJSON.reason(why.reason)
        }
        var answer: JSONValue?
        if case .given(let mock) = stage.answer { answer = mock.json }
        return RecordJSON.object([
          "stage": .string(stage.title), "target": .string(stage.request.target), "answer": answer, "request": request,
          "fault": fault,
        ])
      })
  }

  private static func skipped(_ d: RehearsedDelivery) -> JSONValue? {
    d.withheld.map(RecordJSON.reason)
  }

  /// What it waits for beyond its due time.
  private static func waits(_ d: RehearsedDelivery) -> JSONValue? {
    if d.waits.isEmpty { return nil }
    return .array(
      d.waits.map { wait in
        [
          "from": RecordJSON.moment(wait.from), "until": RecordJSON.moment(wait.until),
          "reason": RecordJSON.reason(wait.reason),
        ]
      })
  }

  private static func request(_ r: RenderedRequest) -> JSONValue {
    RecordJSON.request(
      EditedRequest(
        method: r.method, url: r.url, headers: r.headers,
        body: r.body.isEmpty ? nil : String(decoding: r.body, as: UTF8.self)))
  }
}

extension RehearsalReport {
  /// The counts, the groups and the details of a comparison.
  package static func json(_ c: ConfigComparison) -> JSONValue {
    RecordJSON.object([
      "before": .string(c.before.version), "after": .string(c.after.version), "events": .number(c.events),
      "deliveries_before": .number(c.deliveriesBefore), "deliveries_after": .number(c.deliveriesAfter),
      "appear": .number(c.counts[.appears] ?? 0), "vanish": .number(c.counts[.vanishes] ?? 0),
      "change": .number(c.counts[.changes] ?? 0), "move": .number(c.counts[.moves] ?? 0),
      "stay": .number(c.staying),
      "sources_gone": c.sourcesGone.isEmpty
        ? nil
        : .object(
          JSONObject(c.sourcesGone.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .number($0.value)) })),
      "groups": .array(c.summary.map(group)), "details": .array(c.details.map(detail)),
    ])
  }

  private static func group(_ group: ConfigComparison.Group, _ count: Int) -> JSONValue {
    RecordJSON.object([
      "kind": .string(group.kind.rawValue), "route": .string(group.route), "action": .string(group.name),
      "fields": group.fields.isEmpty ? nil : .array(group.fields.map(JSONValue.string)), "count": .number(count),
    ])
  }

  private static func detail(_ d: ConfigComparison.Detail) -> JSONValue {
    var (delivery, fields): (JSONValue?, JSONValue?) = (nil, nil)
    var label = ""
    switch d.difference {
    case .appears(let one), .vanishes(let one), .stays(let one):
      (delivery, label) = (self.delivery(one), one.plan.send)
    case .moves(let old, let new):
      label = new.plan.send
      fields = [["field": "place", "before": .string(old.plan.send), "after": .string(new.plan.send)]]
    case .changes(_, let new, let changed):
      label = new.plan.send
      fields = .array(changed.map(field))
    }
    return RecordJSON.object([
      "event": .string(d.event.description), "at": RecordJSON.moment(d.at), "kind": .string(d.group.kind.rawValue),
      "route": .string(d.group.route), "send": .string(label), "action": .string(d.group.name), "fields": fields,
      "delivery": delivery,
    ])
  }

  private static func field(_ f: FieldDifference) -> JSONValue {
    RecordJSON.object([
      "field": .string(f.field), "before": RecordJSON.text(f.before), "after": RecordJSON.text(f.after),
    ])
  }
}
