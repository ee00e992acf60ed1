// How many events each route matched since its configuration came into force: counted as events are accepted, for
// `divert graph` and metrics.

import Synchronization

/// A table's counters, by the routes' places. Any thread.
package final class RouteMatches: Sendable {
  package struct Counts: Sendable, Hashable {
    /// When the first event that is counted here was received; nil: none was.
    package var since: Timestamp?
    /// Events accepted, whether or not a route matched.
    package var events = 0
    /// Events that matched, by `Route.place`; a route whose condition names a lookup's field counts those that it may match, since
    /// the answer is not known when they are accepted.
    package var routes: [Int]

    package init(routes: [Int]) { self.routes = routes }
  }

  private let counts: Mutex<Counts>

  init(routes: Int) { counts = Mutex(Counts(routes: Array(repeating: 0, count: routes))) }

  package var current: Counts { counts.withLock { $0 } }

  /// Counts an accepted event and the routes that it matched.
  package func count(_ places: [Int], receivedAt: Timestamp) {
    counts.withLock { counts in
      if counts.since == nil { counts.since = receivedAt }
      counts.events += 1
      for place in places { counts.routes[place] += 1 }
    }
  }
}
