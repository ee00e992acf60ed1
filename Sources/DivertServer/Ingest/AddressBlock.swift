// Addresses and CIDR blocks, for a source's `allow` list.

import Glibc

/// `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`. An IPv4 address mapped into IPv6 is the IPv4 address.
package struct AddressBlock: Sendable, Hashable {
  private let bytes: [UInt8]
  private let bits: Int

  /// Nil where the text is neither an address nor a block.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let bytes = Self.bytes(of: String(first)) else { return nil }
    var bits = bytes.count * 8
    if parts.count == 2 {
      guard let length = Int(parts[1]), (0...bits).contains(length) else { return nil }
      bits = length
    }
    self.bytes = bytes
    self.bits = bits
  }

  /// Whether the address lies in the block; false for what is no address.
  package func contains(_ address: String) -> Bool {
    guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
    let whole = bits / 8
    guard other[..<whole] == bytes[..<whole] else { return false }
    let rest = bits % 8
    return rest == 0 || (other[whole] ^ bytes[whole]) >> (8 - rest) == 0
  }

  private static func bytes(of text: String) -> [UInt8]? {
    var four: [UInt8] = Array(repeating: 0, count: 4)
    if inet_pton(AF_INET, text, &four) == 1 { return four }
    var sixteen: [UInt8] = Array(repeating: 0, count: 16)
    guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    return sixteen.starts(with: mapped) ? Array(sixteen[12...]) : sixteen
  }
}
