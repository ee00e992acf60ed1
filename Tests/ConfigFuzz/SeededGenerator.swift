// Randomness that can be had again: SplitMix64.

/// A generator of which a seed and a number make the whole sequence.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// The sequence of input `number` of a run with this seed.
  package init(seed: UInt64, number: UInt64 = 0) {
    state = seed &* 0xD134_2543_DE82_EF95 &+ number &* 0x9E37_79B9_7F4A_7C15
    _ = next()
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number from 0 up to, but not including, `bound`; 0 where that is nothing.
  package mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }

  /// True once in `many` times.
  package mutating func once(in many: Int) -> Bool { below(many) == 0 }

  /// One of the texts; empty where there is none.
  package mutating func one(of texts: [String]) -> String { texts.isEmpty ? "" : texts[below(texts.count)] }
}
