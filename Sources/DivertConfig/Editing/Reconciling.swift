// A value over one that is much the same → the few changes between them, so that what stays keeps its comments.

enum Reconciling {
  /// The changes that make `old` into `new`, to be made one after the other; the replacement of the whole where nothing
  /// of it stays in its place.
  static func changes(from old: YAMLValue, to new: YAMLValue, at path: [String]) -> [(
    path: [String], change: YAMLChange
  )] {
    if old.means(new) { return [] }
    switch (old, new) {
    case (.mapping(let before), .mapping(let after)): return entries(before, after, path) ?? [(path, .set(new))]
    case (.sequence(let before), .sequence(let after)): return items(before, after, path) ?? [(path, .set(new))]
    default: return [(path, .set(new))]
    }
  }

  /// Nil where the order of the entries changes, or none of them stays.
  private static func entries(_ old: [YAMLValue.Entry], _ new: [YAMLValue.Entry], _ path: [String])
    -> [(path: [String], change: YAMLChange)]?
  {
    let kept = old.map(\.key).filter { key in new.contains { $0.key == key } }
    guard !kept.isEmpty, Array(new.map(\.key).prefix(kept.count)) == kept else { return nil }
    let gone = old.filter { !kept.contains($0.key) }.map { (path + [$0.key], YAMLChange.remove) }
    let changed = new.prefix(kept.count).flatMap { entry -> [(path: [String], change: YAMLChange)] in
      guard let before = old.first(where: { $0.key == entry.key })?.value else { return [] }
      return changes(from: before, to: entry.value, at: path + [entry.key])
    }
    let come = new.dropFirst(kept.count).map { (path + [$0.key], YAMLChange.set($0.value)) }
    return gone + changed + come
  }

  /// Nil where the list gets shorter, or was empty.
  private static func items(_ old: [YAMLValue], _ new: [YAMLValue], _ path: [String])
    -> [(path: [String], change: YAMLChange)]?
  {
    guard !old.isEmpty, new.count >= old.count else { return nil }
    return new.enumerated().flatMap { index, item -> [(path: [String], change: YAMLChange)] in
      let place = path + ["\(index)"]
      return index < old.count ? changes(from: old[index], to: item, at: place) : [(place, .set(item))]
    }
  }
}
