// What step 7 of the line hands to step 8: an HTTP request, whole.

/// A request as it goes out; or, rendered masked, as it is shown.
package struct RenderedRequest: Sendable, Hashable {
  /// Upper case.
  package var method: String
  package var url: String
  package var headers: [HTTPHeader]
  package var body: [UInt8]

  package init(method: String, url: String, headers: [HTTPHeader], body: [UInt8]) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }

  /// The value of the first header of that name, whatever its case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.equalsIgnoringCase(name) }?.value
  }

  /// Sets a header; one of the same name, whatever its case, is replaced.
  mutating func set(_ name: String, _ value: String) {
    if let place = headers.firstIndex(where: { $0.name.equalsIgnoringCase(name) }) {
      headers[place] = HTTPHeader(name, value)
    } else {
      headers.append(HTTPHeader(name, value))
    }
  }
}

extension String {
  /// Equal but for the case of ASCII letters.
  func equalsIgnoringCase(_ other: String) -> Bool {
    utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { Self.lower($0) == Self.lower($1) }
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }
}

/// What every delivery of one send shares: the definitions that its requests are made by. Made once, used by reference.
package final class RequestRecipe: Sendable {
  package let send: Send
  package let action: ActionDefinition
  package let target: TargetDefinition
  package let zone: Zone
  package let country: String
  package let tables: [String: [String: String]]
  /// The configuration that its lookups stand in.
  package let table: RouteTable
  /// The lookups that its request needs, by full name, in the order in which they are named; those that these need are not among
  /// them, nor what its guards need.
  package let needs: [String]
  /// The body's, where nothing in it is looked at before it is written.
  let program: BodyProgram?
  /// The address, where no expression stands in it.
  let fixedURL: String?
  /// How a batch of its action is asked; nil: it takes none.
  let wrapper: RequestRecipe?

  /// `table`: the configuration whose time zone, country and tables the templates use.
  package init(send: Send, action: ActionDefinition, target: TargetDefinition, table: RouteTable) {
    self.send = send
    self.action = action
    self.target = target
    zone = table.zone
    country = table.parts.country
    tables = table.parts.tables
    self.table = table
    needs = Self.needs(send, action)
    program = Self.program(action)
    wrapper = Self.wrapped(action).map { RequestRecipe(send: send, action: $0, target: target, table: table) }
    fixedURL = RequestURL.fixed(target, action)
  }

  private static func program(_ action: ActionDefinition) -> BodyProgram? {
    guard case .json(let body) = action.body, action.maxLengths.isEmpty, action.idempotency.fieldPath == nil else {
      return nil
    }
    return BodyProgram(body)
  }
}

extension RouteTable {
  /// The definitions that a delivery planned by this configuration is made by: its own send and action, the target as
  /// `newest` has it (as it was where that is gone). Nil: neither has the action.
  package func recipe(for plan: PlannedDelivery, newest: RouteTable) -> RequestRecipe? {
    let own = parts.targets[plan.target]
    guard let target = newest.parts.targets[plan.target] ?? own, let action = (own ?? target).actions[plan.action]
    else { return nil }
    // An edited request's route may be gone: it is sent as it stands.
    let bare = Send(route: plan.route, label: plan.send, target: plan.target, action: plan.action)
    let send = send(route: plan.route, label: plan.send) ?? bare
    return RequestRecipe(send: send, action: action, target: target, table: self)
  }
}

/// All that a request is made of. The same job gives the same bytes every time.
package struct RenderJob: Sendable {
  package var event: Event
  package var recipe: RequestRecipe
  /// The delivery's planned due time: `now`.
  package var due: Timestamp
  /// When this attempt begins: the timestamp that a signature carries, and nothing else.
  package var attemptAt: Timestamp
  package var idempotencyKey: String
  /// Arguments handed in beside the send's, for its templates (`alarm.text`).
  package var given = JSONObject()
  /// Lookups' answers and steps' results.
  package var memo = DeliveryMemo()
  /// Of a lookup: what is asked.
  package var variant: String?

  /// The credential's token, where the target's has one; for sending.
  package var access: TokenAccess?

  /// The job of a delivery.
  package init(event: Event, plan: PlannedDelivery, recipe: RequestRecipe, attemptAt: Timestamp) {
    self.init(
      event: event, plan: plan, recipe: recipe, attemptAt: attemptAt,
      key: IdempotencyKey.derive(event: event.id, plan: plan))
  }

  init(event: Event, plan: PlannedDelivery, recipe: RequestRecipe, attemptAt: Timestamp, key: String) {
    self.event = event
    self.recipe = recipe
    due = plan.due
    self.attemptAt = attemptAt
    idempotencyKey = key
    if event.source == RouteTable.alarmSource { given["alarm"] = event.raw }
  }
}
