// Two multitudes compared in bounded memory: what leaves speak of, and what is in the tables.

/// A thing that has a leaf of its own, or a share of one.
struct SealedThing: Hashable {
  /// `ends` stands for `end`, too: a delivery ends once.
  var kind: LeafKind
  var thing: Int64
  var ordinal: Int

  init(_ kind: LeafKind, _ thing: Int64, _ ordinal: Int = 0) {
    self.kind = kind == .end ? .ends : kind
    self.thing = thing
    self.ordinal = ordinal
  }
}

/// Sums of hashes in 65,536 classes. Equal multitudes give equal sums; others give different ones, but for a chance of 2⁻⁴⁸ that
/// nobody can work towards: the hash's seed is drawn anew in each process.
struct RecordTally {
  private static let classes = 65_536
  private var sums = [UInt64](repeating: 0, count: classes)

  mutating func leaf(_ thing: SealedThing) {
    let hash = Self.hash(thing)
    sums[Int(hash & 0xffff)] &+= hash
  }

  mutating func row(_ thing: SealedThing) {
    let hash = Self.hash(thing)
    sums[Int(hash & 0xffff)] &-= hash
  }

  /// The classes whose multitudes differ, at most so many.
  func differing(limit: Int) -> Set<Int> { Set(sums.indices.lazy.filter { sums[$0] != 0 }.prefix(limit)) }

  static func place(of thing: SealedThing) -> Int { Int(hash(thing) & 0xffff) }

  private static func hash(_ thing: SealedThing) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(thing)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
