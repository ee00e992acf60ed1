// Which addresses a request may go to, as a table.

import DivertCore
import Glibc
import Testing

@Suite("Egress policy")
struct EgressPolicyTests {
  /// An address, what a public target is told, what a private one is told.
  typealias Row = (text: String, public: EgressPolicy.Refusal?, private: EgressPolicy.Refusal?)

  static let rows: [Row] = [
    ("93.184.216.34", nil, nil), ("8.8.8.8", nil, nil), ("1.1.1.1", nil, nil), ("223.255.255.255", nil, nil),
    ("0.0.0.0", .unspecified, nil), ("0.1.2.3", .unspecified, nil),
    ("127.0.0.1", .loopback, nil), ("127.255.255.254", .loopback, nil),
    ("126.255.255.255", nil, nil), ("128.0.0.0", nil, nil),
    ("9.255.255.255", nil, nil), ("10.0.0.0", .private, nil), ("10.255.255.255", .private, nil), ("11.0.0.0", nil, nil),
    ("172.15.255.255", nil, nil), ("172.16.0.0", .private, nil), ("172.31.255.255", .private, nil),
    ("172.32.0.0", nil, nil),
    ("192.167.255.255", nil, nil), ("192.168.0.0", .private, nil), ("192.168.255.255", .private, nil),
    ("192.169.0.0", nil, nil),
    ("100.63.255.255", nil, nil), ("100.64.0.0", .shared, nil), ("100.127.255.255", .shared, nil),
    ("100.128.0.0", nil, nil),
    ("169.253.255.255", nil, nil), ("169.254.0.1", .linkLocal, nil), ("169.254.255.255", .linkLocal, nil),
    ("192.0.0.1", .reserved, nil), ("192.0.2.7", .reserved, nil), ("198.18.0.1", .reserved, nil),
    ("198.19.255.255", .reserved, nil), ("198.20.0.0", nil, nil), ("203.0.113.9", .reserved, nil),
    ("224.0.0.1", .multicast, nil), ("239.255.255.255", .multicast, nil),
    ("240.0.0.1", .reserved, nil), ("255.255.255.255", .reserved, nil),
    ("169.254.169.254", .metadata, .metadata), ("169.254.170.2", .metadata, .metadata),
    ("169.254.170.23", .metadata, .metadata), ("100.100.100.200", .metadata, .metadata),
    ("168.63.129.16", .metadata, .metadata), ("168.63.129.17", nil, nil), ("192.0.0.192", .metadata, .metadata),
    ("2606:4700:4700::1111", nil, nil), ("2a00:1450:4001:81b::200e", nil, nil),
    ("::", .unspecified, nil), ("::1", .loopback, nil),
    ("fc00::1", .private, nil), ("fdff:ffff::1", .private, nil), ("fe80::1", .linkLocal, nil),
    ("febf::1", .linkLocal, nil), ("fec0::1", .private, nil), ("ff02::1", .multicast, nil),
    ("100::1", .reserved, nil), ("64:ff9b:1::1", .reserved, nil), ("4000::1", .reserved, nil),
    ("1fff::1", .reserved, nil),
    ("2001::1", .reserved, nil), ("2001:db8::1", .reserved, nil), ("2001:200::1", nil, nil),
    ("3fff::1", .reserved, nil),
    ("fd00:ec2::254", .metadata, .metadata), ("fd20:ce::254", .metadata, .metadata), ("fd00:ec2::253", .private, nil),
    ("::ffff:127.0.0.1", .loopback, nil), ("::ffff:10.1.2.3", .private, nil), ("::ffff:8.8.8.8", nil, nil),
    ("::ffff:169.254.169.254", .metadata, .metadata), ("::ffff:0:169.254.169.254", .metadata, .metadata),
    ("::10.0.0.1", .private, nil), ("::169.254.169.254", .metadata, .metadata),
    ("64:ff9b::10.0.0.1", .private, nil), ("64:ff9b::8.8.8.8", nil, nil),
    ("64:ff9b::169.254.169.254", .metadata, .metadata),
    ("2002:7f00:1::1", .loopback, nil), ("2002:0808:0808::1", nil, nil), ("2002:a9fe:a9fe::", .metadata, .metadata),
  ]

  @Test("each address is judged by its kind, for both networks", arguments: rows.map(\.text))
  func table(_ text: String) throws {
    let row = try #require(Self.rows.first { $0.text == text })
    let address = try #require(Self.address(text))
    #expect(EgressPolicy.refusal(of: address, network: .public) == row.public)
    #expect(EgressPolicy.refusal(of: address, network: .private) == row.private)
  }

  @Test("whatever a private target may not reach, a public one may not reach either, in IPv4 and mapped into IPv6")
  func privateIsWider() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<10_000 {
      let bits = UInt32.random(in: 0...UInt32.max, using: &generator)
      let mapped = EgressPolicy.Address.v6(high: 0, low: 0xffff_0000_0000 | UInt64(bits))
      let narrow = EgressPolicy.refusal(of: .v4(bits), network: .public)
      let wide = EgressPolicy.refusal(of: .v4(bits), network: .private)
      #expect(wide == nil || narrow == wide, "\(EgressPolicy.Address.v4(bits))")
      #expect(EgressPolicy.refusal(of: mapped, network: .public) == narrow, "\(mapped)")
    }
  }

  @Test("an address prints in its usual form")
  func printing() {
    #expect("\(EgressPolicy.Address.v4(0x7f00_0001))" == "127.0.0.1")
    #expect("\(EgressPolicy.Address.v6(high: 0xfd00_0ec2_0000_0000, low: 0x254))" == "fd00:ec2:0:0:0:0:0:254")
  }

  static func address(_ text: String) -> EgressPolicy.Address? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return .v4(UInt32(truncatingIfNeeded: number(bytes[0..<4]))) }
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    return .v6(high: number(bytes[0..<8]), low: number(bytes[8..<16]))
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
