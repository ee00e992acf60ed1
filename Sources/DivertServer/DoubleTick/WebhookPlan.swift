// What is registered at DoubleTick held against what the routes need: what to do about it, and what is missing, superfluous or
// doubled. Pure.

import DivertCore

/// What to do so that events come. Registering appends, and two webhooks with one address deliver everything twice: so what is there is
/// changed.
package enum WebhookPlan: Sendable, Hashable {
  case register(WebhookOrder)
  case edit(ListedWebhook, WebhookOrder)
  /// All of it is there.
  case nothing(ListedWebhook)
  /// There are several with this address already.
  case doubled([ListedWebhook])

  /// - Parameter numbers: empty: those that a webhook with this address has already.
  package static func make(_ wanted: WebhookOrder, _ listed: [ListedWebhook]) -> WebhookPlan {
    let same = listed.filter { WebhookURL.isSame($0.url, wanted.url) }
    guard let there = same.first else { return .register(wanted) }
    if same.count > 1 { return .doubled(same) }
    let events = there.events.appending(wanted.events)
    let numbers = there.numbers.appending(numbers: wanted.numbers)
    if events == there.events, numbers == there.numbers { return .nothing(there) }
    let name = there.name.isEmpty ? wanted.name : there.name
    return .edit(there, WebhookOrder(name: name, url: there.url, events: events, numbers: numbers))
  }
}

/// What speaks against the registered webhooks.
package struct WebhookFindings: Sendable, Hashable {
  package struct Missing: Sendable, Hashable {
    package var event: String
    /// The routes that wait for it.
    package var routes: [String]
    /// The numbers for which it is missing; empty: for all.
    package var numbers: [String]
  }

  package var missing: [Missing] = []
  /// Registered, and no route asks for them.
  package var superfluous: [String] = []
  /// Events that come more than once, with the webhooks' ids.
  package var doubled: [String: [String]] = [:]

  package var isGap: Bool { !missing.isEmpty || !doubled.isEmpty }

  /// - Parameters:
  ///   - needs: event → the routes that need it.
  ///   - webhooks: those that lead to this router.
  ///   - numbers: the business numbers that must be covered; empty: any number will do.
  ///   - takesAll: a route asks for no event in particular, so that nothing is superfluous.
  package init(needs: [String: [String]], webhooks: [ListedWebhook], numbers: [String], takesAll: Bool) {
    for (event, routes) in needs.sorted(by: { $0.key < $1.key }) {
      let covered = webhooks.filter { $0.events.contains(event) }
      if covered.isEmpty {
        missing.append(.init(event: event, routes: routes, numbers: []))
      } else {
        let have = Set(covered.flatMap(\.numbers).map(Phone.digits))
        let lacking = numbers.filter { !have.contains(Phone.digits($0)) }
        if !lacking.isEmpty { missing.append(.init(event: event, routes: routes, numbers: lacking)) }
      }
    }
    let registered = Set(webhooks.flatMap(\.events))
    superfluous = takesAll ? [] : registered.subtracting(needs.keys).sorted()
    for event in registered {
      let all = webhooks.filter { $0.events.contains(event) }
      let clashes = all.filter { one in all.contains { $0.id != one.id && $0.sharesNumber(with: one) } }
      if !clashes.isEmpty { doubled[event] = clashes.map(\.id) }
    }
  }
}

extension ListedWebhook {
  /// A webhook without numbers may be for all of them.
  fileprivate func sharesNumber(with other: ListedWebhook) -> Bool {
    if numbers.isEmpty || other.numbers.isEmpty { return true }
    return !Set(numbers.map(Phone.digits)).isDisjoint(with: other.numbers.map(Phone.digits))
  }
}

/// Addresses of webhooks: equal, ours, and shown without their key.
package enum WebhookURL {
  /// Equal but for a `/` at the end.
  static func isSame(_ a: String, _ b: String) -> Bool { trimmed(a) == trimmed(b) }

  private static func trimmed(_ url: String) -> Substring { url.hasSuffix("/") ? url.dropLast() : url[...] }

  /// Whether a webhook's address leads to this router: it is the address, or one below it (with an event's label).
  package static func leads(_ url: String, to address: String) -> Bool {
    isSame(url, address) || url.hasPrefix(trimmed(address) + "/")
  }

  /// Whether an address looks like that of a source: `https://…/in/<source>`, with or without more.
  package static func leads(_ url: String, toSource source: String) -> Bool {
    let path = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst(2).map { $0.prefix { $0 != "?" } }
    return zip(path, path.dropFirst()).contains { $0 == "in" && $1 == source }
  }

  /// The address without what stands behind `/in/<source>/`, which is a secret; of another one the host alone, since
  /// the addresses that vendors give out are mostly secret as a whole.
  package static func masked(_ url: String) -> String {
    guard let place = url.firstRange(of: "/in/") else { return hostAlone(url) }
    let source = url[place.upperBound...].prefix { $0 != "/" && $0 != "?" }
    let rest = url[place.upperBound...].dropFirst(source.count)
    return url[..<place.upperBound] + source + (rest.isEmpty ? "" : "/…")
  }

  private static func hostAlone(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return "…" }
    let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
    return url[..<scheme.upperBound] + host + (authority.endIndex < url.endIndex ? "/…" : "")
  }
}

extension [String] {
  fileprivate func appending(_ more: [String]) -> [String] { self + more.filter { !contains($0) } }

  /// Numbers are the same with and without `+` and blanks.
  fileprivate func appending(numbers more: [String]) -> [String] {
    let known = Set(map(Phone.digits))
    return self + more.filter { !known.contains(Phone.digits($0)) }
  }
}
