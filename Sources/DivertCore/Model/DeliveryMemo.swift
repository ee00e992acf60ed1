// What a delivery was given and has done so far: on disk before the next request, so that a retry neither asks another
// question nor repeats a finished step.

/// The memory of a delivery that goes out in stages.
package struct DeliveryMemo: Sendable, Hashable {
  /// Lookups' answers by their full name: an object of fields; null where nothing was found and the delivery goes on.
  package var lookups: [String: JSONValue]
  /// Finished steps' fields by the step's name; null for one that was left out.
  package var steps: [String: JSONValue]
  /// Its guards were judged, and said yes.
  package var isCleared: Bool
  /// The last attempt is ambiguous: the target is asked whether it arrived before it is sent again.
  package var isUncertain: Bool

  package init() {
    lookups = [:]
    steps = [:]
    isCleared = false
    isUncertain = false
  }

  /// Nothing is remembered: none is stored.
  package var isEmpty: Bool { lookups.isEmpty && steps.isEmpty && !isCleared && !isUncertain }
}

extension DeliveryMemo {
  /// The value of a `lookup` or `step` path; nil: missing, or another kind of path.
  package func value(_ path: ValuePath) -> EventValue? {
    let found: JSONValue? =
      switch path {
      case .lookup(let name, let steps): lookups[name]?.value(at: steps)
      case .step(let name, let steps): self.steps[name]?.value(at: steps)
      default: nil
      }
    return found.map(EventValue.json).flatMap { $0.isMissing ? nil : $0 }
  }
}
