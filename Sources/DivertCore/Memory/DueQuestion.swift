// What a delivery asks of what is stored before it goes out, answered in one transaction with what it claims by that.

/// Everything at once: the first that speaks against it ends it, and then nothing is claimed.
package struct DueQuestion: Sendable, Hashable {
  /// Who asks, and holds what it claims: asked again, it is given the same.
  package var delivery: DeliveryID
  /// Its event's.
  package var at: Timestamp
  /// Judged as of now; a throttle counts by it.
  package var now: Timestamp
  package var unless: Unless?
  package var promise: String?
  package var once: [Once]
  package var throttle: Throttle?

  /// Skipped where an entry lies after the event's `at`, up to now.
  package struct Unless: Sendable, Hashable {
    package var place: BookPlace
    package var words: String
    package init(place: BookPlace, words: String) {
      self.place = place
      self.words = words
    }
  }
  package struct Once: Sendable, Hashable {
    package var definition: OnceDefinition
    package var place: BookPlace
    package init(definition: OnceDefinition, place: BookPlace) {
      self.definition = definition
      self.place = place
    }
  }
  package struct Throttle: Sendable, Hashable {
    package var definition: ThrottleDefinition
    package var place: BookPlace
    package init(definition: ThrottleDefinition, place: BookPlace) {
      self.definition = definition
      self.place = place
    }
  }

  package init(delivery: DeliveryID, at: Timestamp, now: Timestamp) {
    self.delivery = delivery
    self.at = at
    self.now = now
    once = []
  }
}

package enum DueAnswer: Sendable, Hashable {
  case go
  /// `unless`, `promise_kept`, `once`, `capped`.
  case skip(Reason)
}

/// What is known at the moment at which a delivery is looked at.
package struct DueContext: Sendable {
  package var now: Timestamp
  /// The entry of the suppression list that holds for the event's customer now; nil: none.
  package var suppression: Suppression?
  /// What memory said to its question since it passed its gate; nil: not asked.
  package var answer: DueAnswer?
  /// Who asks; nil: nobody yet, in a rehearsal.
  package var delivery: DeliveryID?
  /// It is sent again by hand: what memory would say is the operator's decision.
  package var isReplay = false
  /// Its request was edited by hand, and goes as it stands: nothing comes before it.
  package var isEdited = false
  package init(now: Timestamp, suppression: Suppression? = nil, answer: DueAnswer? = nil) {
    self.now = now
    self.suppression = suppression
    self.answer = answer
  }
}
