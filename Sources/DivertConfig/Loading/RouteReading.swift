// Everything that routes send, and the books that they read, wherever it stands in them.
import DivertCore

extension Route {
  /// Its sends, those in place of expired ones, and those of its promise, in the order of the file. Not those of the routes under it.
  var everySend: [Send] { (sends + otherwise).flatMap(\.withOtherwise) }
}

extension Send {
  /// It, and what goes out in its place.
  var withOtherwise: [Send] { [self] + timing.otherwise.flatMap(\.withOtherwise) }
}

extension RouteTable.Parts {
  /// The books that the routes read which are switched on.
  var booksRead: Set<String> {
    var names: Set<String> = []
    func collect(_ route: Route) {
      guard route.enabled else { return }
      names.formUnion(route.when.counts.map(\.book))
      names.formUnion(route.everySend.compactMap { $0.timing.unless?.book })
      if let expect = route.expect { names.insert(expect.book) }
      route.children.forEach(collect)
    }
    routes.forEach(collect)
    return names
  }
}
