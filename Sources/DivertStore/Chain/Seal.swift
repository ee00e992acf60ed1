// What makes a thing's hash its own: random bytes kept beside its content, destroyed with it.

import Glibc

/// The `seal` column of an event, an ended delivery or a change: the salt, the chain's entry that covers it, and the digests of
/// parts that retention swept away: `salt (16) ‖ entry (5) ‖ [tag (1), digest (32)]…`.
struct Seal: Hashable {
  /// 16 random bytes.
  var salt: [UInt8]
  /// The chain's entry that has its leaf. An event's ends have entries of their own, later ones.
  var entry: Int64
  /// What stands for a part that is no longer here, by the part.
  var digests: [Part: [UInt8]] = [:]

  /// A part of a thing that can go without the rest.
  enum Part: Hashable {
    /// An event's body, and the fields that the record can do without.
    case payload
    /// The attempts of the packed deliveries that ended together; by the first ordinal of these.
    case packedAttempts(Int)
    /// The attempts of a delivery's row, and what it was told.
    case attempts
  }

  static let saltLength = 16
  static let digestLength = 32

  init(salt: [UInt8], entry: Int64) {
    self.salt = salt
    self.entry = entry
  }

  /// Reads what `encoded` writes; nil for anything else.
  init?(decoding bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard let salt = reader.bytes(Self.saltLength), let entry = reader.number(5) else { return nil }
    self.init(salt: Array(salt), entry: entry)
    while !reader.isAtEnd {
      guard let tag = reader.number(2), let digest = reader.bytes(Self.digestLength), let part = Part(tag: tag),
        digests[part] == nil
      else { return nil }
      digests[part] = Array(digest)
    }
    if encoded() != bytes { return nil }
  }

  func encoded() -> [UInt8] {
    var bytes = salt
    bytes.append(number: entry, length: 5)
    for (part, digest) in digests.sorted(by: { $0.key.tag < $1.key.tag }) {
      bytes.append(number: part.tag, length: 2)
      bytes += digest
    }
    return bytes
  }
}

extension Seal.Part {
  /// Two bytes.
  var tag: Int64 {
    switch self {
    case .payload: 1
    case .attempts: 2
    case .packedAttempts(let ordinal): 16 + Int64(ordinal)
    }
  }

  init?(tag: Int64) {
    switch tag {
    case 1: self = .payload
    case 2: self = .attempts
    case 16...: self = .packedAttempts(Int(tag - 16))
    default: return nil
    }
  }
}

/// Salts, drawn from the system a page at a time.
struct SaltPool {
  private var pool: [UInt8] = []
  private var next = 0
  private static let page = 4096

  mutating func draw() throws -> [UInt8] {
    if next + Seal.saltLength > pool.count { try refill() }
    defer { next += Seal.saltLength }
    return Array(pool[next..<next + Seal.saltLength])
  }

  private mutating func refill() throws {
    let source = "/dev/urandom"
    let file = open(source, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw DurableFile.fault("open", source) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: Self.page)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress?.advanced(by: done), Self.page - done) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw DurableFile.fault("read", source) }
      done += count
    }
    (pool, next) = (bytes, 0)
  }
}

/// Reads big-endian numbers and runs of bytes, one after another; nil where there are too few.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  mutating func number(_ length: Int) -> Int64? {
    bytes(length).map { $0.reduce(0) { $0 << 8 | Int64($1) } }
  }
}

extension [UInt8] {
  /// Appends the lowest `length` bytes of a number, the highest first.
  mutating func append(number: Int64, length: Int) {
    for place in stride(from: 8 * (length - 1), through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: number >> Int64(place)))
    }
  }
}
