// What a source told us, once. Made by a normaliser (step 2 of the line), immutable from then on.

/// One event as `routes.yaml` sees it. A field that was absent, null or "" in the body is nil: *missing*.
package struct Event: Sendable {
  /// What a normaliser could read; every field as the language document names it.
  package struct Fields: Sendable, Hashable {
    /// `event`: the name, as DoubleTick spells it (CALL_REJECTED …).
    package var name: String
    package var direction: String?
    package var status: String?
    package var callID: String?
    package var callStartedAt: Timestamp?
    package var callEndedAt: Timestamp?
    /// Seconds, by its literal text.
    package var callDuration: String?
    package var callFailedReason: String?
    package var customerID: String?
    package var customerName: String?
    /// E.164 with `+` where it could be read as a phone number, else as it came.
    package var customerPhone: String?
    /// The business number, E.164 with `+`.
    package var waba: String?
    package var agent: String?
    package var chatID: String?
    package var chatMessageID: String?
    package var deviceID: String?
    /// It reports a write of Divert's own (OwnWrites.swift).
    package var own = false
    /// When it happened: ended, else started, else received.
    package var at: Timestamp

    package init(name: String, at: Timestamp) {
      self.name = name
      self.at = at
    }
  }

  package let id: EventID
  /// All but the id, shared by every copy and by the `Append` that the event came from.
  package let content: EventContent

  package var source: String { content.source }
  package var receivedAt: Timestamp { content.receivedAt }
  package var fields: Fields { _read { yield content.fields } }
  package var body: [UInt8] { content.body }
  package var raw: JSONValue { content.raw }

  package init(id: EventID, content: EventContent) {
    self.id = id
    self.content = content
  }

  package init(id: EventID, source: String, receivedAt: Timestamp, fields: Fields, body: [UInt8], raw: JSONValue) {
    self.id = id
    content = EventContent(source: source, receivedAt: receivedAt, fields: fields, body: body, raw: raw)
  }
}

/// What was received, before the store gave it an id.
package final class EventContent: Sendable {
  /// The source's name in `routes.yaml`.
  package let source: String
  package let receivedAt: Timestamp
  package let fields: Event.Fields
  /// The body as it came, byte for byte.
  package let body: [UInt8]
  /// The same, parsed; an object.
  package let raw: JSONValue

  package init(source: String, receivedAt: Timestamp, fields: Event.Fields, body: [UInt8], raw: JSONValue) {
    self.source = source
    self.receivedAt = receivedAt
    self.fields = fields
    self.body = body
    self.raw = raw
  }
}
