// What of a file its tests reach: routes that fired, alternatives of conditions that held, actions that were asked for.
import DivertCore

/// A route, a branch or an action of a file.
package struct CoveragePoint: Sendable {
  package enum Kind: String, Sendable, Hashable {
    /// Reached when it fires.
    case route
    /// One of the alternatives of a route's condition: reached when the route fires and this one held. Or what follows where something
    /// was awaited in vain (`else`) or came too late (`otherwise`): reached when one of its sends goes out.
    case branch
    /// Of a target: reached when a delivery goes to it.
    case action
  }

  package var kind: Kind
  /// The route's path, with the alternative as a phrase where this is one; or `target.action`.
  package var name: String
  package var place: FileLine
  /// Of a route or a branch: the route's path.
  var route = ""
  /// Of a branch: the alternative.
  var condition: Condition?
  /// Of an `else` or `otherwise`: the labels of its sends.
  var sends: Set<String> = []
}

/// Which points the tests reached.
package struct Coverage: Sendable {
  /// Every point, in the order of the file.
  package var points: [(point: CoveragePoint, reached: Bool)]

  package init(points: [(point: CoveragePoint, reached: Bool)]) { self.points = points }

  package var reached: Int { points.count(where: \.reached) }
  /// Those that no test reached.
  package var missed: [CoveragePoint] { points.filter { !$0.reached }.map(\.point) }
  /// Of all points, rounded down to a tenth; 100 where there are none.
  package var percent: Double {
    points.isEmpty ? 100 : Double(reached * 1000 / points.count) / 10
  }
}

/// Gathers what is reached while tests run.
struct CoverageGauge {
  private let points: [CoveragePoint]
  private var reached: Set<Int> = []

  init(_ points: [CoveragePoint]) { self.points = points }

  /// Notes what an event reached.
  mutating func note(fired: Set<String>, in context: EvaluationContext) {
    note { point in
      switch point.kind {
      case .route: fired.contains(point.name)
      case .branch: fired.contains(point.route) && point.condition?.holds(for: context) ?? false
      case .action: false
      }
    }
  }

  /// Notes what a delivery reached that went out.
  mutating func note(sent delivery: RehearsedDelivery) {
    note { point in
      switch point.kind {
      case .action: point.name == delivery.name
      case .branch: point.route == delivery.plan.route && point.sends.contains(delivery.plan.send)
      case .route: false
      }
    }
  }

  private mutating func note(_ isReached: (CoveragePoint) -> Bool) {
    for (index, point) in points.enumerated() where !reached.contains(index) && isReached(point) {
      reached.insert(index)
    }
  }

  var coverage: Coverage {
    Coverage(points: points.enumerated().map { ($0.element, reached.contains($0.offset)) })
  }
}
