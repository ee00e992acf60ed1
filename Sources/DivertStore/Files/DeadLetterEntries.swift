// Going through the dead letters, file by file, without ever holding more than one.

package import DivertCore

/// Which letters are meant; every condition that is given must hold. Damaged ones hold none but the target's folder.
package struct DeadLetterFilter: Sendable, Hashable {
  package var target: String?
  /// A route's path; its children are meant too.
  package var route: String?
  /// A reason's code.
  package var reason: String?
  /// Of the time it died; included.
  package var since: Timestamp?
  /// Of the time it died; excluded.
  package var until: Timestamp?
  /// The customer's, as the event has it.
  package var phone: String?
  package init() {}

  /// Whether a letter is meant.
  package func covers(_ letter: DeadLetter) -> Bool {
    let plan = letter.delivery.plan
    if let target, target != plan.target { return false }
    if let route, route != plan.route, !plan.route.hasPrefix(route + "/") { return false }
    if let reason, reason != letter.delivery.reason?.code { return false }
    if let since, letter.diedAt < since { return false }
    if let until, letter.diedAt >= until { return false }
    if let phone, phone != letter.event.fields.customerPhone { return false }
    return true
  }

  /// Whether files that cannot be read belong in the answer.
  fileprivate var showsDamaged: Bool { route == nil && reason == nil && since == nil && until == nil && phone == nil }
}

/// A file in the directory: a letter, or what is wrong with it.
package struct DeadLetterEntry: Sendable {
  package var path: String
  /// Nil when the file is damaged.
  package var letter: DeadLetter?
  /// Why it cannot be read, with every fault.
  package var fault: String?
}

/// The entries of a directory, read one at a time. A new pass begins anew.
package struct DeadLetterEntries: Sequence, Sendable {
  fileprivate let root: String
  fileprivate let filter: DeadLetterFilter
  fileprivate let directory: DeadLetterDirectory

  package struct Iterator: IteratorProtocol {
    fileprivate var walk: LetterWalk
    fileprivate let filter: DeadLetterFilter
    fileprivate let directory: DeadLetterDirectory

    package mutating func next() -> DeadLetterEntry? {
      while let found = walk.next() {
        switch found {
        case .fault(let path, let fault): return DeadLetterEntry(path: path, letter: nil, fault: fault)
        case .file(let path):
          do {
            let letter = try directory.read(path)
            if filter.covers(letter) { return DeadLetterEntry(path: path, letter: letter, fault: nil) }
          } catch {
            if filter.showsDamaged { return DeadLetterEntry(path: path, letter: nil, fault: error.description) }
          }
        }
      }
      return nil
    }
  }

  package func makeIterator() -> Iterator {
    Iterator(
      walk: LetterWalk(root, target: filter.target.map { directory.folder(of: $0) }), filter: filter,
      directory: directory)
  }
}

extension DeadLetterDirectory {
  /// The letters in the directory proper, by target, date and time. With a target: those in its folder, and the files
  /// that somebody put beside the targets' folders.
  package func entries(_ filter: DeadLetterFilter = DeadLetterFilter()) throws(StoreError) -> DeadLetterEntries {
    DeadLetterEntries(root: path, filter: filter, directory: self)
  }

  /// Those on a shelf.
  package func entries(on shelf: Shelf) throws(StoreError) -> DeadLetterEntries {
    let place = DeadLetterDirectory(path: path + "/" + shelf.rawValue)
    return DeadLetterEntries(root: place.path, filter: DeadLetterFilter(), directory: place)
  }

  /// The deliveries that have a letter in the directory proper. Names tell; only files named by hand are read.
  package func deliveries() throws(StoreError) -> Set<DeliveryID> {
    var found: Set<DeliveryID> = []
    var walk = LetterWalk(path, target: nil)
    while let next = walk.next() {
      switch next {
      case .fault(_, let fault): throw StoreError(code: "io", description: fault)
      case .file(let path):
        if let id = Self.delivery(named: path) ?? (try? read(path))?.delivery.id { found.insert(id) }
      }
    }
    return found
  }

  /// A delivery's letter in the directory proper; nil when it has none there that can be read.
  package func find(_ id: DeliveryID) throws(StoreError) -> DeadLetterEntry? {
    var walk = LetterWalk(path, target: nil)
    while let next = walk.next() {
      switch next {
      case .fault(_, let fault): throw StoreError(code: "io", description: fault)
      case .file(let path):
        if let named = Self.delivery(named: path), named != id { continue }
        guard let letter = try? read(path), letter.delivery.id == id else { continue }
        return DeadLetterEntry(path: path, letter: letter, fault: nil)
      }
    }
    return nil
  }

  /// The path of a file in the directory proper that is there under this name within the directory, its folder included;
  /// else nil.
  package func file(named name: String) -> String? {
    let steps = name.split(separator: "/", omittingEmptySubsequences: false)
    guard steps.count > 1, name.hasSuffix(".json"), !steps.contains(where: { $0.isEmpty || $0.hasPrefix(".") }),
      Shelf(rawValue: String(steps[0])) == nil
    else { return nil }
    let file = path + "/" + name
    return DurableFile.isFile(file) ? file : nil
  }

  /// One file of the directory proper as `entries` would give it; nil: the filter does not let it through.
  package func entry(_ file: String, _ filter: DeadLetterFilter) -> DeadLetterEntry? {
    do {
      let letter = try read(file)
      return filter.covers(letter) ? DeadLetterEntry(path: file, letter: letter, fault: nil) : nil
    } catch {
      let isInFolder = filter.target.map { file.hasPrefix(folder(of: $0) + "/") } ?? true
      guard filter.showsDamaged, isInFolder else { return nil }
      return DeadLetterEntry(path: file, letter: nil, fault: error.description)
    }
  }

  /// The id in a name that `file(of:)` gave.
  package static func delivery(named path: String) -> DeliveryID? {
    let name = DurableFile.name(of: path).dropLast(5)
    guard let dash = name.lastIndex(of: "-") else { return nil }
    return DeliveryID(String(name[name.index(after: dash)...]))
  }
}

/// The files beneath a folder, in order of their names, folder by folder.
private struct LetterWalk {
  enum Found {
    case file(String)
    case fault(String, String)
  }

  /// Last is next.
  private var pending: [String]
  private let root: String
  private let target: String?

  init(_ root: String, target: String?) {
    self.root = root
    self.target = target
    pending = [root]
  }

  mutating func next() -> Found? {
    while let path = pending.popLast() {
      if path != root, !DurableFile.isFolder(path) {
        if path.hasSuffix(".json") { return .file(path) }
        continue
      }
      do {
        let names = try DurableFile.names(in: path)
        for name in names.reversed() where isMeant(path, name) { pending.append(path + "/" + name) }
      } catch { return .fault(path, error.description) }
    }
    return nil
  }

  private func isMeant(_ folder: String, _ name: String) -> Bool {
    if folder != root || name.hasSuffix(".json") { return true }
    if DeadLetterDirectory.Shelf(rawValue: name) != nil { return false }
    return target.map { $0 == folder + "/" + name } ?? true
  }
}
