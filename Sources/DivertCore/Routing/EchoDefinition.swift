// The events by which a vendor reports our own writes back to us, as data and made concrete for one request: what
// `echo:` of an action compiles to. OwnWrites.swift knows them again.

/// How an action's write comes back as an event.
package struct EchoDefinition: Sendable {
  /// The event's name.
  package var event: String
  /// The phone of the customer whom it concerns.
  package var customer: Template
  /// Fields of the event and what they then hold.
  package var fields: [Field]
  /// How long after the request it is known again.
  package var holds: Span

  package struct Field: Sendable {
    /// `field` or `raw`.
    package var path: ValuePath
    package var value: Template
    package init(_ path: ValuePath, _ value: Template) {
      self.path = path
      self.value = value
    }
  }

  package init(event: String, customer: Template, fields: [Field], holds: Span) {
    self.event = event
    self.customer = customer
    self.fields = fields
    self.holds = holds
  }
}

/// An event that will report a write of Divert's own.
package struct ExpectedEcho: Sendable, Hashable {
  package var event: String
  /// Digits alone.
  package var customer: String
  package var fields: [Field]
  package var holds: Span

  package struct Field: Sendable, Hashable {
    package var path: ValuePath
    /// Folded.
    var value: String

    package init(path: ValuePath, value: String) {
      self.path = path
      self.value = value
    }
  }

  package init(event: String, customer: String, fields: [Field], holds: Span) {
    self.event = event
    self.customer = customer
    self.fields = fields
    self.holds = holds
  }

  /// Whether the event carries what was written. It is one of the name and the customer.
  func fits(_ event: Event, in zone: Zone) -> Bool {
    fields.allSatisfy { event.value($0.path, in: zone).map { Self.folded($0.text) } == $0.value }
  }

  /// Vendors change capitals, blanks and signs: letters and digits are compared alone, where there are any.
  static func folded(_ text: String) -> String {
    let essence = String(text.lowercased().filter { $0.isLetter || $0.isNumber })
    return essence.isEmpty ? text : essence
  }
}

extension RequestRenderer {
  /// The events that will report a job's write. What cannot be rendered is left out: its request cannot be, either.
  package static func echoes(_ job: RenderJob) -> [ExpectedEcho] {
    guard let context = try? context(job, secrets: .masked) else { return [] }
    return job.recipe.action.echoes.compactMap { echo in
      guard let customer = try? context.text(echo.customer) else { return nil }
      var fields: [ExpectedEcho.Field] = []
      for field in echo.fields {
        guard let text = try? context.text(field.value) else { return nil }
        fields.append(.init(path: field.path, value: ExpectedEcho.folded(text)))
      }
      let phone = Phone.digits(Phone.normalised(customer, country: context.country))
      return ExpectedEcho(event: echo.event, customer: phone, fields: fields, holds: echo.holds)
    }
  }
}

extension Event {
  /// The same event, known as the report of a write of Divert's own.
  package var ownWrite: Event {
    var fields = fields
    fields.own = true
    return Event(id: id, source: source, receivedAt: receivedAt, fields: fields, body: body, raw: raw)
  }
}
