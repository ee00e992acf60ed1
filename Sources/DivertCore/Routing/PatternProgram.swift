// A regular expression, compiled: a machine that is in all its states at once and reads each character once. So the time
// is bounded by the text's length times the expression's, whatever the two are: there is no backtracking.

/// A compiled regular expression: a value, for any number of threads.
struct PatternProgram: Sendable {
  private enum Step: Sendable {
    case test(ScalarTest, next: Int)
    case split(Int, Int)
    case assertion(PatternAssertion, next: Int)
    case found
  }

  private var steps: [Step] = [.found]
  private var start = 0

  static let maxSteps = 2000
  /// The longest text that is looked at, in characters (Unicode scalars); what comes behind is as if it were not there.
  static let maxText = 65_536

  /// Throws with a sentence for people.
  init(_ source: String) throws(PatternFault) {
    start = try add(try PatternParser.parse(source), next: 0)
  }

  /// The first step of `node`, of which each way ends at `next`.
  private mutating func add(_ node: PatternNode, next: Int) throws(PatternFault) -> Int {
    switch node {
    case .empty: return next
    case .test(let test): return try append(.test(test, next: next))
    case .assertion(let assertion): return try append(.assertion(assertion, next: next))
    case .sequence(let items):
      var next = next
      for item in items.reversed() { next = try add(item, next: next) }
      return next
    case .either(let branches):
      var entry = try add(branches[branches.count - 1], next: next)
      for branch in branches.dropLast().reversed() { entry = try append(.split(try add(branch, next: next), entry)) }
      return entry
    case .repeated(let node, let least, let most): return try add(node, least, most, next)
    }
  }

  private mutating func add(_ node: PatternNode, _ least: Int, _ most: Int?, _ next: Int) throws(PatternFault) -> Int {
    var entry = next
    if let most {
      for _ in 0..<(most - least) { entry = try append(.split(try add(node, next: entry), next)) }
    } else {
      let loop = try append(.split(next, next))
      steps[loop] = .split(try add(node, next: loop), next)
      entry = loop
    }
    for _ in 0..<least { entry = try add(node, next: entry) }
    return entry
  }

  private mutating func append(_ step: Step) throws(PatternFault) -> Int {
    guard steps.count < Self.maxSteps else {
      throw PatternFault("it is too large: count its repetitions out, \(Self.maxSteps) steps at most")
    }
    steps.append(step)
    return steps.count - 1
  }
}

extension PatternProgram {
  /// Whether the expression is found anywhere in the text.
  func isFound(in text: String) -> Bool {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(min(text.utf8.count, Self.maxText))
    for scalar in text.unicodeScalars.prefix(Self.maxText) { scalars.append(scalar) }
    let whole = text.utf8.count <= Self.maxText || text.unicodeScalars.count <= Self.maxText
    var run = Run(scalars: scalars, isWhole: whole, steps: steps.count)
    for place in 0...scalars.count {
      if reach(start, at: place, &run) { return true }
      guard place < scalars.count else { return false }
      let current = run.states
      run.clear()
      for state in current {
        guard case .test(let test, let next) = steps[state], test.holds(scalars[place]) else { continue }
        if reach(next, at: place + 1, &run) { return true }
      }
    }
    return false
  }

  /// The states of one moment.
  private struct Run {
    let scalars: [Unicode.Scalar]
    let isWhole: Bool
    var states: [Int] = []
    private var seen: [Bool]
    private var visited: [Int] = []

    init(scalars: [Unicode.Scalar], isWhole: Bool, steps: Int) {
      self.scalars = scalars
      self.isWhole = isWhole
      seen = Array(repeating: false, count: steps)
    }

    mutating func enter(_ step: Int) -> Bool {
      if seen[step] { return false }
      seen[step] = true
      visited.append(step)
      return true
    }

    mutating func clear() {
      for step in visited { seen[step] = false }
      visited.removeAll(keepingCapacity: true)
      states.removeAll(keepingCapacity: true)
    }

    func holds(_ assertion: PatternAssertion, at place: Int) -> Bool {
      switch assertion {
      case .start: place == 0
      case .end: place == scalars.count && isWhole
      case .wordEdge: isEdge(place)
      case .noWordEdge: !isEdge(place)
      }
    }

    private func isEdge(_ place: Int) -> Bool {
      let before = place > 0 && ScalarTest.Kind.word.holds(scalars[place - 1])
      let after = place < scalars.count && ScalarTest.Kind.word.holds(scalars[place])
      return before != after
    }
  }

  /// Enters a step and all that follow without reading; true when the end is among them.
  private func reach(_ first: Int, at place: Int, _ run: inout Run) -> Bool {
    var open = [first]
    while let step = open.popLast() {
      guard run.enter(step) else { continue }
      switch steps[step] {
      case .found: return true
      case .test: run.states.append(step)
      case .split(let one, let other): open += [other, one]
      case .assertion(let assertion, let next): if run.holds(assertion, at: place) { open.append(next) }
      }
    }
    return false
  }
}

/// What one character is held against.
enum ScalarTest: Sendable {
  enum Kind: Sendable {
    case digit, noDigit, word, noWord, blank, noBlank

    func holds(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .digit: scalar.isASCII ? ("0"..."9").contains(scalar) : scalar.properties.generalCategory == .decimalNumber
      case .noDigit: !Kind.digit.holds(scalar)
      case .word: Self.isWord(scalar)
      case .noWord: !Self.isWord(scalar)
      case .blank: scalar.properties.isWhitespace
      case .noBlank: !scalar.properties.isWhitespace
      }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
      if scalar == "_" { return true }
      switch scalar.properties.generalCategory {
      case .decimalNumber, .nonspacingMark, .spacingMark, .letterNumber: return true
      default: return scalar.properties.isAlphabetic
      }
    }
  }

  enum Item: Sendable {
    case range(ClosedRange<Unicode.Scalar>)
    case kind(Kind)

    func holds(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .range(let range): range.contains(scalar)
      case .kind(let kind): kind.holds(scalar)
      }
    }
  }

  /// Anything but a line break.
  case any
  case scalar(Unicode.Scalar, ignoresCase: Bool)
  case set([Item], negated: Bool, ignoresCase: Bool)

  func holds(_ scalar: Unicode.Scalar) -> Bool {
    switch self {
    case .any: return scalar != "\n" && scalar != "\r"
    case .scalar(let wanted, let ignoresCase):
      return scalar == wanted || (ignoresCase && Self.lower(scalar) == Self.lower(wanted))
    case .set(let items, let negated, let ignoresCase):
      let forms = ignoresCase ? [scalar, Self.lower(scalar), Self.upper(scalar)] : [scalar]
      return items.contains { item in forms.contains { item.holds($0) } } != negated
    }
  }

  private static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    let mapped = scalar.properties.lowercaseMapping.unicodeScalars
    return mapped.count == 1 ? mapped.first ?? scalar : scalar
  }

  private static func upper(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    let mapped = scalar.properties.uppercaseMapping.unicodeScalars
    return mapped.count == 1 ? mapped.first ?? scalar : scalar
  }
}
