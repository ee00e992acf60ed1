// `--sandbox-faults "crm: 429 5%, lead: timeout every 100"` → rules: whose requests fail, how, and how often.

package import DivertConfig
import DivertCore

/// Which requests fail, and how.
package struct FaultRule: Sendable, Hashable {
  /// How often.
  package enum Rate: Sendable, Hashable {
    case always
    /// A share of the requests, in millionths, drawn from a fixed seed.
    case share(Int)
    /// Every nth: the nth, the 2nth …
    case every(Int)
    /// The first n.
    case first(Int)
  }

  /// A target, a target's action (`crm.log_call`: with steps, the requests of them all), one step (`crm.note.link`), a preset's
  /// name, or `*` for every target.
  package var name: String
  /// The fault's name.
  package var fault: String
  package var rate: Rate

  package init(name: String, fault: String, rate: Rate) {
    self.name = name
    self.fault = fault
    self.rate = rate
  }

  /// Whether it concerns a request to this target. What fetches a token must be meant by name: another answer is wanted there.
  func covers(_ target: String, type: String?, action: String) -> Bool {
    if action == SandboxTarget.tokenRequest, type != SandboxTarget.credential || name == "*" {
      return name == "\(target).\(action)"
    }
    return name == "*" || name == target || name == type || name == "\(target).\(action)"
      || name == "\(target).\(Self.whole(action))"
  }

  /// The action of a step's request; of another request its own name: what asks whether a delivery arrived is meant by that alone.
  private static func whole(_ request: String) -> String {
    let parts = request.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[1] != "verify" && parts[0] != "lookups" ? String(parts[0]) : request
  }

  /// As it can be written: `crm: 429 5%`.
  package var text: String {
    switch rate {
    case .always: "\(name): \(fault)"
    case .share(let millionths): "\(name): \(fault) \(Self.percent(millionths))%"
    case .every(let n): "\(name): \(fault) every \(n)"
    case .first(let n): "\(name): \(fault) first \(n)"
    }
  }

  private static func percent(_ millionths: Int) -> String {
    let digits = String(millionths % 10_000 + 10_000).dropFirst()
    let rest = digits.reversed().drop { $0 == "0" }.reversed()
    return String(millionths / 10_000) + (rest.isEmpty ? "" : "." + String(rest))
  }
}

// Reading.
extension FaultRule {
  /// Every rule of a text; none where it is empty or `none`.
  /// - Parameters:
  ///   - called: where it stands, as messages say it: `--sandbox-faults`.
  ///   - targets: those that there are.
  /// - Throws: everything that is wrong with it, a sentence for each part.
  package static func read(
    _ text: String, called: String, targets: [String: SandboxTarget]
  ) throws(ServeFailure) -> [FaultRule] {
    if trim(text).isEmpty || trim(text) == "none" { return [] }
    var rules: [FaultRule] = []
    var faults: [String] = []
    for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      do throws(ServeFailure) { rules.append(try rule(trim(part), targets)) } catch {
        faults.append("\(called), part \(index + 1) ('\(trim(part))'): \(error)")
      }
    }
    if faults.isEmpty { return rules }
    throw ServeFailure(faults.joined(separator: "\n"))
  }

  private static func trim(_ text: some StringProtocol) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  private static func rule(_ part: String, _ targets: [String: SandboxTarget]) throws(ServeFailure) -> FaultRule {
    let halves = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(trim)
    guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else {
      throw ServeFailure("write a target's name, a colon and a fault, as in 'crm: 429 5%'")
    }
    let words = halves[1].split(separator: " ", maxSplits: 1).map(String.init)
    let rule = FaultRule(name: halves[0], fault: words[0], rate: try rate(words.dropFirst().first))
    try rule.judge(targets)
    return rule
  }

  private static func rate(_ text: String?) throws(ServeFailure) -> Rate {
    guard let text else { return .always }
    if text.hasSuffix("%"), let share = millionths(trim(text.dropLast())), (1...1_000_000).contains(share) {
      return .share(share)
    }
    let words = text.split(separator: " ")
    let digits = words.last.map { word in String(word.prefix { $0.isASCII && $0.isNumber }) } ?? ""
    let ending = words.last.map { $0.dropFirst(digits.count) } ?? ""
    if words.count == 2, let n = Int(digits), n > 0, ["", "st", "nd", "rd", "th"].contains(ending) {
      if words[0] == "every" { return .every(n) }
      if words[0] == "first", ending.isEmpty { return .first(n) }
    }
    throw ServeFailure("'\(text)' says not how often: write '5%' (up to 100%), 'every 20' or 'first 3'")
  }

  /// `0.5` percent is 5000.
  private static func millionths(_ percent: String) -> Int? {
    let parts = percent.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = Int(parts[0]), (0...100).contains(whole) else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.utf8.count <= 4, fraction.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    let padded = fraction + String(repeating: "0", count: 4 - fraction.utf8.count)
    return Int(padded).map { whole * 10_000 + $0 }
  }

  /// Names and faults that there are not are refused with those that there are.
  private func judge(_ targets: [String: SandboxTarget]) throws(ServeFailure) {
    let meant = targets.filter { target, known in
      let action = name.hasPrefix(target + ".") ? String(name.dropFirst(target.count + 1)) : ""
      return covers(target, type: known.type, action: known.actions.contains(action) ? action : "")
    }
    guard !meant.isEmpty || name == "*" else {
      let names = Set(targets.keys).union(targets.values.map(\.type)).sorted()
      let actions = targets.flatMap { target, known in known.actions.map { "\(target).\($0)" } }
      let near = NearestName.to(name, among: name.contains(".") ? actions.sorted() : names)
      let remedy = near.map { "did you mean '\($0)'?" } ?? "there are \(names.joined(separator: ", ")), and * for all"
      throw ServeFailure("there is no target, action or type '\(name)'; \(remedy)")
    }
    if fault.contains("%") { throw ServeFailure("name a fault before '\(fault)', as in '\(name): 500 \(fault)'") }
    if meant.values.contains(where: { FaultBook.fault(fault, of: $0) != nil }) || FaultBook.isKnown(fault) { return }
    let own = Set(meant.values.flatMap { $0.faults.keys }).sorted()
    let names = own + FaultBook.names
    let near = NearestName.to(fault, among: names)
    let remedy = near.map { "did you mean '\($0)'?" } ?? "there are \(names.joined(separator: ", ")) and every status"
    throw ServeFailure("'\(name)' has no fault '\(fault)'; \(remedy)")
  }
}
