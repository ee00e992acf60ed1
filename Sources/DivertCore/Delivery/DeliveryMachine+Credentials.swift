// Targets that share a credential share its limits: each request passes its target's gate and then the credential's, in turns.

extension DeliveryMachine {
  /// Whether a credential can be used now; what waits for it goes on, or back to disk.
  package mutating func credential(_ name: String, is standing: CredentialStanding, now: Timestamp) {
    let place = credential(name, now: now)
    let wasParked = credentials[place].isParked
    credentials[place].standing = standing
    touch(credential: place)
    guard wasParked != credentials[place].isParked else { return }
    // All that stand in the line are looked at again: to put what they have in memory back on disk, or to fetch it.
    while let target = credentials[place].line.popFirst() {
      gates[target].enlisted = false
      touch(target)
    }
  }

  /// An answer said that nothing is left: nothing goes before `time`, to all targets of the credential where there is one. A
  /// day at most.
  package mutating func rest(_ name: String, until time: Timestamp, now: Timestamp) {
    let time = min(time, now + TargetGate.longestWait)
    guard let target = gateIndex[name], time > now else { return }
    if let credential = gates[target].credential {
      credentials[credential].allowance.rest(until: time, .quota)
      touch(credential: credential)
    } else {
      gates[target].allowance.rest(until: time, .quota)
      touch(target)
    }
  }

  // MARK: Budgets

  /// After `configure`, at the start: what the last process spent.
  package mutating func restore(budgets: [BudgetHolder: BudgetCount]) {
    for (holder, count) in budgets {
      switch holder {
      case .target(let name): if let place = gateIndex[name] { gates[place].allowance.restore(count) }
      case .credential(let name): if let place = credentialIndex[name] { credentials[place].allowance.restore(count) }
      }
    }
  }

  /// What was spent goes to disk with whatever goes there anyway: at most what is under way is not counted after a
  /// crash.
  mutating func noteBudgets() {
    for place in gates.indices {
      if let count = gates[place].allowance.newCount() { pending.batch.budgets[.target(gates[place].name)] = count }
    }
    for place in credentials.indices {
      guard let count = credentials[place].allowance.newCount() else { continue }
      pending.batch.budgets[.credential(credentials[place].name)] = count
    }
  }

  // MARK: Gates

  mutating func configure(credential name: String, _ settings: CredentialSettings, now: Timestamp) {
    let place = credential(name, now: now)
    credentials[place].configure(settings, now: now)
    touch(credential: place)
  }

  /// The gate of a credential, made on first sight without limits until `configure` knows better.
  mutating func credential(_ name: String, now: Timestamp) -> Int {
    if let index = credentialIndex[name] { return index }
    credentials.append(CredentialGate(name: name, settings: CredentialSettings(), now: now))
    credentialIndex[name] = credentials.count - 1
    return credentials.count - 1
  }

  /// The target uses this credential from now on.
  mutating func assign(_ target: Int, credential name: String?, now: Timestamp) {
    let newer = name.map { credential($0, now: now) }
    if newer == gates[target].credential { return }
    if gates[target].enlisted, let old = gates[target].credential {
      _ = credentials[old].line.removeAll { $0 == target }
      gates[target].enlisted = false
    }
    gates[target].credential = newer
  }

  private mutating func touch(credential place: Int) {
    if credentials[place].touched { return }
    credentials[place].touched = true
    touchedCredentials.append(place)
  }

  mutating func wakeCredential(_ place: Int, _ time: Timestamp) {
    guard credentials[place].wakeAt == time else { return }
    credentials[place].wakeAt = nil
    touch(credential: place)
  }

  /// The target's credential can be used, or it has none.
  func isReady(_ target: Int) -> Bool { gates[target].credential.map { credentials[$0].standing == .ready } ?? true }

  /// The target's credential is parked: it waits on disk.
  func isBarred(_ target: Int) -> Bool { gates[target].credential.map { credentials[$0].isParked } ?? false }

  /// A barred target keeps nothing in memory, and stands in the line to be looked at when that is over.
  mutating func bar(_ target: Int, _ now: Timestamp) {
    spillAll(target)
    declareCongestion(target, now)
    if gates[target].diskDue != nil || gates[target].congested { enlist(target) }
  }

  // MARK: The line

  /// The target has something that it may send: it waits for its turn.
  mutating func enlist(_ target: Int) {
    guard let credential = gates[target].credential, !gates[target].enlisted else { return }
    gates[target].enlisted = true
    credentials[credential].line.append(target)
    touch(credential: credential)
  }

  /// One request of each target in turn, as long as the credential has room. Whether targets are to be looked at again.
  mutating func serveCredentials(_ now: Timestamp) -> Bool {
    if touchedCredentials.isEmpty { return false }
    let places = touchedCredentials
    touchedCredentials.removeAll(keepingCapacity: true)
    for place in places {
      credentials[place].touched = false
      serve(place, now)
    }
    return !touched.isEmpty || !touchedCredentials.isEmpty
  }

  private mutating func serve(_ place: Int, _ now: Timestamp) {
    if stopping || credentials[place].isParked { return }
    refreshBudget(credential: place, now)
    while !credentials[place].line.isEmpty {
      if case .wait(let until) = credentials[place].passage(now) {
        if let until { setTimer(credential: place, until) }
        noteBudget(credential: place, now)
        return
      }
      guard let target = credentials[place].line.popFirst() else { return }
      gates[target].enlisted = false
      // Something changed since it took its place: it is looked at anew.
      guard gates[target].credential == place, mayDepart(target, now) else {
        touch(target)
        continue
      }
      departNext(target, now)
      if mayDepart(target, now) { enlist(target) } else { touch(target) }
    }
  }

  /// It has something to send, and may as far as the target is concerned.
  private mutating func mayDepart(_ target: Int, _ now: Timestamp) -> Bool {
    var wake: Timestamp?
    return hasWork(target, now, &wake) && gates[target].passage(now) == .go
  }

  private mutating func setTimer(credential place: Int, _ time: Timestamp) {
    if let set = credentials[place].wakeAt, set <= time { return }
    credentials[place].wakeAt = time
    timers.set(~place, at: time)
  }

  /// A request takes its place among those of its credential.
  mutating func lend(_ slot: Int, _ credential: Int) {
    jobs[slot].lease = credential
    credentials[credential].depart()
  }

  /// A request ended, or does not go: its place at the credential is free.
  mutating func giveBack(_ slot: Int) {
    guard let credential = jobs[slot].lease else { return }
    jobs[slot].lease = nil
    end(lease: credential)
  }

  /// The same for a request that is no job's alone.
  mutating func end(lease credential: Int) {
    credentials[credential].arrive()
    touch(credential: credential)
  }

  /// The request that was to go needs none: nothing of the credential's limits is used.
  mutating func takeBack(_ slot: Int) {
    if let credential = jobs[slot].lease { credentials[credential].allowance.giveBack() }
    giveBack(slot)
  }

  // MARK: What answers say of what may go

  /// Whether the target's token is renewed when an answer says that it has ended.
  func isRenewed(_ target: Int) -> Bool { gates[target].credential.map { credentials[$0].settings.renews } ?? false }

  /// A throttle slows the whole credential, where there is one; what is taken speeds it up again.
  mutating func judgeAllowance(_ target: Int, _ attempt: Attempt, wait: Span?, _ now: Timestamp) {
    let credential = gates[target].credential
    switch attempt.outcome {
    case .throttle:
      if let credential {
        credentials[credential].allowance.throttled(attempt, wait: wait, now: now, using: &random)
      } else {
        gates[target].allowance.throttled(attempt, wait: wait, now: now, using: &random)
      }
    case .ok, .okDuplicate, .fail:
      gates[target].allowance.accepted(attempt, concurrency: gates[target].settings.concurrency)
      if let credential {
        let concurrency = credentials[credential].settings.concurrency
        credentials[credential].allowance.accepted(attempt, concurrency: concurrency)
      }
    case .retry, .refresh, .hold, .disable, .park:
      gates[target].allowance.throttlesInARow = 0
      if let credential { credentials[credential].allowance.throttlesInARow = 0 }
    }
  }

  /// Until when the vendor asked for a pause.
  func pausedUntil(_ target: Int) -> Timestamp? {
    if let credential = gates[target].credential { return credentials[credential].allowance.notBefore }
    return gates[target].allowance.notBefore
  }

  /// By hand, or because a held target answers again: it is tried at once.
  mutating func liftPause(_ target: Int) {
    gates[target].allowance.notBefore = nil
    guard let credential = gates[target].credential else { return }
    credentials[credential].allowance.notBefore = nil
    touch(credential: credential)
  }
}
