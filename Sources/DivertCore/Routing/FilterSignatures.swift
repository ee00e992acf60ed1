// What each filter takes: checked when a file is read, shown in its messages and its reference.

/// How many arguments a filter takes, of which kinds, with an example.
package struct FilterSignature: Sendable {
  package enum Kind: Sendable {
    /// A literal or a `$path`.
    case any
    /// A literal whole number, at least 0.
    case count
    case duration, zone, table, country
    /// How a moment is written: `YYYY-MM-DD HH:mm:ss`.
    case moment
  }

  package var counts: ClosedRange<Int>
  /// The kind of each argument; the last also of those after it.
  package var kinds: [Kind]
  /// The filter in use, and what it makes of a value.
  package var example: String

  init(_ counts: ClosedRange<Int>, _ kinds: [Kind] = [], _ example: String) {
    self.counts = counts
    self.kinds = kinds
    self.example = example
  }

  var countText: String {
    if counts == 0...0 { return "no argument" }
    if counts.lowerBound == counts.upperBound {
      return "\(counts.lowerBound) argument\(counts.lowerBound == 1 ? "" : "s")"
    }
    if counts.upperBound == .max { return "\(counts.lowerBound) arguments or more" }
    return "\(counts.lowerBound) to \(counts.upperBound) arguments"
  }
}

extension Filter {
  /// What the filter takes.
  package var signature: FilterSignature {
    switch self {
    case .default: .init(1...1, [.any], "agent | default: 'An agent'")
    case .upper, .lower, .trim: .init(0...0, [], "customer.name | \(rawValue)")
    case .truncate, .truncateBytes, .truncateUTF16:
      .init(1...2, [.count, .any], "customer.name | \(rawValue): 20, '…'")
    case .date, .time: .init(0...0, [], "at | \(rawValue)")
    case .add: .init(1...1, [.duration], "now | add: 4h")
    case .inZone: .init(1...1, [.zone], "at | in_zone: Asia/Kolkata")
    case .unix, .unixMilliseconds: .init(0...0, [], "at | \(rawValue)")
    case .e164: .init(0...1, [.country], "customer.phone | e164")
    case .national: .init(0...1, [.country], "customer.phone | national")
    case .digits, .mask: .init(0...0, [], "customer.phone | \(rawValue)")
    case .json: .init(0...0, [], "raw | json")
    case .urlencode, .mrkdwnEscape, .htmlEscape, .soqlEscape, .soslEscape:
      .init(0...0, [], "customer.name | \(rawValue)")
    case .map: .init(1...1, [.table], "agent | map: team_leads")
    case .next: .init(1...Int.max, [.any], "raw.risk | next: low, medium, high")
    case .uuid: .init(0...0, [], "idempotency_key | uuid")
    case .join: .init(0...1, [.any], "raw.tags | join: ', '")
    case .round: .init(0...1, [.count], "raw.amount | round: 2")
    case .number: .init(0...0, [], "raw.amount | number")
    case .string: .init(0...0, [], "call.duration | string")
    case .texts, .list: .init(0...0, [], "raw.tags | \(rawValue)")
    case .objects: .init(1...9, [.any], "raw.tags | objects: text, type, text")
    case .pairs: .init(2...2, [.any], "raw.lead | pairs: name, value")
    case .base64: .init(0...0, [], "customer.name | base64")
    case .format: .init(1...1, [.moment], "at | format: 'YYYY-MM-DD HH:mm:ss'")
    }
  }
}

extension FilterSignature.Kind {
  /// What is wrong with an argument of this kind; nil: nothing.
  func fault(of argument: FilterArgument, tables: Set<String>) -> ValuePathFault? {
    if case .any = self { return nil }
    guard case .literal(let text) = argument else {
      return ValuePathFault(reason: "this argument is checked when the file is read: write it out, not as a $path")
    }
    switch self {
    case .any: return nil
    case .count:
      return (0...100_000).contains(Int(text) ?? -1) ? nil : ValuePathFault(reason: "`\(text)` is no whole number")
    case .duration:
      return Span(signedDuration: text) == nil
        ? ValuePathFault(reason: "`\(text)` is no duration: write `4h`, `'6d 1h'` or `-30m`") : nil
    case .zone:
      return Zone.exists(text)
        ? nil
        : ValuePathFault(
          reason: "there is no time zone `\(text)`", suggestion: NearestName.to(text, among: Zone.identifiers))
    case .table:
      return tables.contains(text)
        ? nil
        : ValuePathFault(
          reason: "there is no table `\(text)` under `tables`", suggestion: NearestName.to(text, among: tables.sorted())
        )
    case .moment:
      return MomentFormat.fault(in: text).map { ValuePathFault(reason: $0) }
    case .country:
      return PhoneNumbering.countries[text] == nil
        ? ValuePathFault(reason: "the numbering of country `\(text)` is not known: write a code such as IN") : nil
    }
  }
}

extension Span {
  /// A duration that may have `-` before it.
  init?(signedDuration text: String) {
    guard text.hasPrefix("-") else {
      self.init(duration: text)
      return
    }
    guard let span = Span(duration: String(text.dropFirst())) else { return nil }
    self.init(milliseconds: -span.milliseconds)
  }
}
