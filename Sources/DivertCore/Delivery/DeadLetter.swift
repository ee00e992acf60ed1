// A delivery that was given up, whole: what its file in the dead-letter directory holds (step 11 of the line).

/// Everything a person needs to understand, mend and replay a dead delivery.
package struct DeadLetter: Sendable {
  /// State `dead`, with its reason and every attempt.
  package var delivery: Delivery
  package var event: Event
  /// The request as it would be sent, secrets as `{{ secrets.name }}`; nil where it could not be rendered (the reason says why).
  package var request: EditedRequest?
  package var diedAt: Timestamp
  /// It is a message to a person.
  package var isMessage: Bool

  /// - Parameter isMessage: nil where that is not known: what is recorded before it goes is taken for one.
  package init(
    delivery: Delivery, event: Event, request: EditedRequest?, diedAt: Timestamp, isMessage: Bool? = nil
  ) {
    self.isMessage = isMessage ?? delivery.plan.toPerson
    self.delivery = delivery
    self.event = event
    self.request = request
    self.diedAt = diedAt
  }
}
