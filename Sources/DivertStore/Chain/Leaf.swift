// The leaves of the chain: each says that one thing was so, by the hash of its content and its salt.

import DivertCore

/// What a leaf speaks of.
enum LeafKind: UInt8, CaseIterable {
  /// An event as it was accepted, with its plan.
  case event = 1
  /// A delivery that joined an event later: a replay, a fresh plan, what follows an expiry.
  case entry = 2
  /// How deliveries in their event's row ended: those that one transaction ended.
  case ends = 3
  /// How a delivery with a row of its own ended.
  case end = 4
  /// A change that is no event: of the list of suppressions, of the configuration, an erasure, a sweep.
  case change = 5
}

struct Leaf: Hashable {
  var kind: LeafKind
  /// The event's sequence, or the change's number.
  var thing: Int64
  /// The deliveries meant; none for an event or a change.
  var ordinals: [Int] = []
  /// SHA-256 of the content.
  var hash: [UInt8]

  /// `kind (1) ‖ thing (8) ‖ count (2) and ordinals (2 each) where it speaks of deliveries ‖ hash (32)`.
  func append(to bytes: inout [UInt8]) {
    bytes.append(kind.rawValue)
    bytes.append(number: thing, length: 8)
    if kind.namesDeliveries {
      bytes.append(number: Int64(ordinals.count), length: 2)
      for ordinal in ordinals { bytes.append(number: Int64(ordinal), length: 2) }
    }
    bytes += hash
  }

  /// The leaves of an entry; nil for what is none.
  static func list(decoding bytes: [UInt8]) -> [Leaf]? {
    var reader = ByteReader(bytes)
    var leaves: [Leaf] = []
    while !reader.isAtEnd {
      guard let leaf = Leaf(&reader) else { return nil }
      leaves.append(leaf)
    }
    return leaves
  }

  private init?(_ reader: inout ByteReader) {
    guard let kind = reader.number(1).flatMap({ LeafKind(rawValue: UInt8($0)) }), let thing = reader.number(8) else {
      return nil
    }
    var ordinals: [Int] = []
    if kind.namesDeliveries {
      guard let count = reader.number(2) else { return nil }
      for _ in 0..<count {
        guard let ordinal = reader.number(2) else { return nil }
        ordinals.append(Int(ordinal))
      }
    }
    guard let hash = reader.bytes(Seal.digestLength) else { return nil }
    self.init(kind: kind, thing: thing, ordinals: ordinals, hash: Array(hash))
  }

  init(kind: LeafKind, thing: Int64, ordinals: [Int] = [], hash: [UInt8]) {
    self.kind = kind
    self.thing = thing
    self.ordinals = ordinals
    self.hash = hash
  }
}

extension LeafKind {
  var namesDeliveries: Bool { self == .entry || self == .ends || self == .end }
}
