// Which addresses a request may be sent to (step 8 of the line): a pure judgement on the bytes of a resolved address.
// The transport asks it for every socket it opens and for every connection it uses again.

/// The rule: a public target's addresses lie in the public internet; a private one's may be anywhere; a cloud's
/// metadata service, which hands out the machine's credentials, is never a target.
package enum EgressPolicy {
  /// A target's `network:`.
  package enum Network: String, Sendable, Hashable {
    /// Addresses of the public internet only. The default.
    case `public`
    /// Private, loopback and link-local addresses too.
    case `private`
  }

  /// The bytes of an IP address, most significant first.
  package enum Address: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)
  }

  /// What kind of address was refused. The raw value reads well after "is a … address".
  package enum Refusal: String, Sendable, Hashable {
    case metadata = "cloud metadata"
    case unspecified
    case loopback
    case `private`
    case linkLocal = "link-local"
    /// 100.64.0.0/10, behind a carrier's address translation (RFC 6598).
    case shared
    case multicast
    /// Documentation, benchmarks, tunnels, protocols' own and unassigned ranges.
    case reserved
  }

  /// Nil where a request of `network` may go to `address`; else why not. An IPv4 address inside an IPv6 one (mapped,
  /// compatible, NAT64, 6to4) is judged as itself.
  package static func refusal(of address: Address, network: Network) -> Refusal? {
    switch address {
    case .v4(let bits): refusal(v4: bits, network)
    case .v6(let high, let low): refusal(v6: high, low, network)
    }
  }

  private static func refusal(v4 bits: UInt32, _ network: Network) -> Refusal? {
    if metadataV4.contains(bits) { return .metadata }
    if network == .private { return nil }
    for range in rangesV4 where bits & range.mask == range.prefix { return range.kind }
    return nil
  }

  private static func refusal(v6 high: UInt64, _ low: UInt64, _ network: Network) -> Refusal? {
    if metadataV6.contains(where: { $0.high == high && $0.low == low }) { return .metadata }
    if high == 0, low <= 1 { return network == .private ? nil : low == 1 ? .loopback : .unspecified }
    if let inner = embedded(high, low) { return refusal(v4: inner, network) }
    if network == .private { return nil }
    for range in rangesV6 where high & range.mask == range.prefix { return range.kind }
    // Only 2000::/3 is global unicast (RFC 4291, IANA's registry): all the rest is reserved.
    return high >> 61 == 1 ? nil : .reserved
  }

  /// The IPv4 address that an IPv6 one leads to, where it is one of the forms that carry one.
  private static func embedded(_ high: UInt64, _ low: UInt64) -> UInt32? {
    switch (high, low >> 32) {
    case (0, 0), (0, 0xffff): UInt32(truncatingIfNeeded: low)  // ::a.b.c.d and ::ffff:a.b.c.d (RFC 4291)
    case (0, 0xffff_0000): UInt32(truncatingIfNeeded: low)  // ::ffff:0:a.b.c.d (RFC 2765)
    case (0x0064_ff9b_0000_0000, 0): UInt32(truncatingIfNeeded: low)  // 64:ff9b::a.b.c.d (RFC 6052)
    case (let top, _) where top >> 48 == 0x2002: UInt32(truncatingIfNeeded: top >> 16)  // 2002:a.b.c.d:: (RFC 3056)
    default: nil
    }
  }
}

extension EgressPolicy.Address: CustomStringConvertible {
  /// Dotted for IPv4; eight groups in hexadecimal, nothing shortened, for IPv6.
  package var description: String {
    switch self {
    case .v4(let bits): [24, 16, 8, 0].map { String(bits >> UInt32($0) & 255) }.joined(separator: ".")
    case .v6(let high, let low):
      [high, low].flatMap { half in [48, 32, 16, 0].map { String(half >> UInt64($0) & 0xffff, radix: 16) } }
        .joined(separator: ":")
    }
  }
}

// MARK: - The tables

extension EgressPolicy {
  private struct RangeV4 {
    let prefix: UInt32
    let mask: UInt32
    let kind: Refusal
    init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ length: UInt32, _ kind: Refusal) {
      prefix = v4(a, b, c, d)
      mask = ~0 << (32 - length)
      self.kind = kind
    }
  }

  private struct RangeV6 {
    let prefix: UInt64
    let mask: UInt64
    let kind: Refusal
    init(_ prefix: UInt64, _ length: UInt64, _ kind: Refusal) {
      self.prefix = prefix
      mask = ~0 << (64 - length)
      self.kind = kind
    }
  }

  private static func v4(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) -> UInt32 {
    a << 24 | b << 16 | c << 8 | d
  }

  /// Where clouds serve credentials to their machines.
  private static let metadataV4: [UInt32] = [
    v4(169, 254, 169, 254),  // AWS, Google, Azure, DigitalOcean, Hetzner, OpenStack …
    v4(169, 254, 170, 2), v4(169, 254, 170, 23),  // AWS: containers' and pods' credentials
    v4(168, 63, 129, 16),  // Azure's wire server
    v4(100, 100, 100, 200),  // Alibaba
    v4(192, 0, 0, 192),  // Oracle
    v4(169, 254, 0, 23),  // Tencent
    v4(169, 254, 42, 42),  // Scaleway
  ]

  private static let metadataV6: [(high: UInt64, low: UInt64)] = [
    (0xfd00_0ec2_0000_0000, 0x254), (0xfd00_0ec2_0000_0000, 0x23),  // AWS
    (0xfd20_00ce_0000_0000, 0x254),  // Google
    (0xfd00_0042_0000_0000, 0x42),  // Scaleway
  ]

  /// IANA's IPv4 special-purpose registry, https://www.iana.org/assignments/iana-ipv4-special-registry
  private static let rangesV4: [RangeV4] = [
    RangeV4(0, 0, 0, 0, 8, .unspecified),
    RangeV4(10, 0, 0, 0, 8, .private),
    RangeV4(100, 64, 0, 0, 10, .shared),
    RangeV4(127, 0, 0, 0, 8, .loopback),
    RangeV4(169, 254, 0, 0, 16, .linkLocal),
    RangeV4(172, 16, 0, 0, 12, .private),
    RangeV4(192, 0, 0, 0, 24, .reserved),
    RangeV4(192, 0, 2, 0, 24, .reserved),
    RangeV4(192, 88, 99, 0, 24, .reserved),
    RangeV4(192, 168, 0, 0, 16, .private),
    RangeV4(198, 18, 0, 0, 15, .reserved),
    RangeV4(198, 51, 100, 0, 24, .reserved),
    RangeV4(203, 0, 113, 0, 24, .reserved),
    RangeV4(224, 0, 0, 0, 4, .multicast),
    RangeV4(240, 0, 0, 0, 4, .reserved),
  ]

  /// Of IANA's IPv6 registry what is not simply outside 2000::/3, and what deserves its own name.
  private static let rangesV6: [RangeV6] = [
    RangeV6(0xfc00_0000_0000_0000, 7, .private),
    RangeV6(0xfe80_0000_0000_0000, 10, .linkLocal),
    RangeV6(0xfec0_0000_0000_0000, 10, .private),
    RangeV6(0xff00_0000_0000_0000, 8, .multicast),
    RangeV6(0x2001_0000_0000_0000, 23, .reserved),  // Teredo, benchmarks, ORCHID and other protocols' own
    RangeV6(0x2001_0db8_0000_0000, 32, .reserved),  // documentation
    RangeV6(0x3fff_0000_0000_0000, 20, .reserved),  // documentation
  ]
}
