// What time and memory do to a delivery of a rehearsal, as sentences.

extension RehearsedDelivery {
  /// Why it is there, what it waits for, and what may keep it; a sentence each.
  package var remarks: [String] {
    var remarks: [String] = []
    if let route = brokenPromise { remarks.append("only if what route \(route) expects does not come") }
    if let insteadOf { remarks.append("in place of send \(insteadOf), which expired") }
    if let timing = recipe?.send.timing {
      if let unless = timing.unless { remarks.append("unless before then: \(unless.words)") }
      if let expires = plan.expires, !isSkipped { remarks.append("not after \(expires.iso8601)") }
      if let throttle = timing.throttle {
        remarks.append("at most \(throttle.atMost) within \(throttle.within.duration)")
      }
    }
    for wait in waits { remarks.append("waits until \(wait.until.iso8601): \(wait.reason.sentence)") }
    return remarks
  }
}

extension RouteTable {
  /// What a route expects, in words; empty: nothing.
  package func expectation(of path: String) -> String {
    var routes = parts.routes
    while let route = routes.popLast() {
      if route.path == path { return route.expect?.words ?? "" }
      routes += route.children
    }
    return ""
  }

  /// Everything that its routes remember is remembered by the customer's phone number.
  package var remembersByPhone: Bool {
    var keys = parts.books.values.map(\.key)
    var routes = parts.routes
    while let route = routes.popLast() {
      keys += [route.once?.per].compactMap { $0 }
      for send in route.sends + route.otherwise { keys += send.timing.keys }
      routes += route.children
    }
    return keys.allSatisfy(\.isCustomerPhone)
  }
}

extension SendTiming {
  fileprivate var keys: [Template] {
    claims.map(\.per) + [throttle?.per].compactMap { $0 } + otherwise.flatMap(\.timing.keys)
  }
}

extension Template {
  fileprivate var isCustomerPhone: Bool {
    if let expression = single, expression.filters.isEmpty, case .field(.customerPhone) = expression.path {
      return true
    }
    return false
  }
}
