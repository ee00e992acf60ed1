// A budget that is used up while something waits for it is told to people, once; and that it began anew (step 6 of the line).

extension DeliveryMachine {
  /// Something waits at a target: an alarm where that is because its budget is used up.
  mutating func noteBudget(_ target: Int, _ now: Timestamp) {
    guard !gates[target].isOverBudget, let (text, until) = gates[target].allowance.spentBudget(now) else { return }
    gates[target].isOverBudget = true
    let name = gates[target].name
    desk.raise("budget:\(name)", target: name, text: "target \(name): \(text) until \(until.iso8601)")
  }

  /// The alarm ends when the budget has something left, or is none any more.
  mutating func refreshBudget(_ target: Int, _ now: Timestamp) {
    guard gates[target].isOverBudget, gates[target].allowance.spentBudget(now) == nil else { return }
    gates[target].isOverBudget = false
    let name = gates[target].name
    desk.clear("budget:\(name)", target: name, text: "target \(name) has budget again: its deliveries go on")
  }

  /// The same for a credential, at which targets wait.
  mutating func noteBudget(credential place: Int, _ now: Timestamp) {
    guard !credentials[place].isOverBudget, let (text, until) = credentials[place].allowance.spentBudget(now) else {
      return
    }
    credentials[place].isOverBudget = true
    let name = credentials[place].name
    desk.raise(
      "credential_budget:\(name)", target: nil, text: "credential \(name): \(text) until \(until.iso8601)")
  }

  mutating func refreshBudget(credential place: Int, _ now: Timestamp) {
    guard credentials[place].isOverBudget, credentials[place].allowance.spentBudget(now) == nil else { return }
    credentials[place].isOverBudget = false
    let name = credentials[place].name
    let text = "credential \(name) has budget again: its targets' deliveries go on"
    desk.clear("credential_budget:\(name)", target: nil, text: text)
  }
}

extension Allowance {
  /// What is used up, and when it begins anew; nil: there is something left, or no budget.
  mutating func spentBudget(_ now: Timestamp) -> (text: String, until: Timestamp)? {
    guard let meter = budget, restOfBudget(now) == 0, let end = budget?.endsAt else { return nil }
    let period = meter.budget.period == .day ? "day" : "hour"
    return ("its budget of \(meter.budget.most) requests a \(period) is used up, and what is above waits", end)
  }
}
