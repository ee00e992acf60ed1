// Where the characters of a scalar's value stand in the file, so that a fault inside a template gets its own column.

enum ScalarText {
  /// How many characters the scalar takes up on its first line.
  static func length(of value: String, plain: Bool, at place: Place) -> Int {
    let rest = place.source.scalars(place.line, from: place.column)
    if plain { return max(1, min(value.unicodeScalars.count, rest.count)) }
    guard let quote = rest.first, quote == "\"" || quote == "'" else { return 1 }
    let start = rest.startIndex
    var index = start + 1
    while index < rest.endIndex {
      if rest[index] == "\\", quote == "\"" {
        index += 2
      } else if rest[index] == quote {
        guard quote == "'", index + 1 < rest.endIndex, rest[index + 1] == "'" else { return index - start + 1 }
        index += 2
      } else {
        index += 1
      }
    }
    return rest.count
  }

  /// The place of `length` characters that begin `offset` into the scalar's value. The scalar's own place where it
  /// is folded over several lines, so that only its beginning is known.
  static func place(of node: YAMLNode, offset: Int, length: Int) -> Place {
    guard case .scalar(let value, let plain) = node.content else { return node.place }
    let rest = node.place.source.scalars(node.place.line, from: node.place.column)
    if plain { return value.unicodeScalars.count <= rest.count ? node.place.part(offset, length) : node.place }
    switch rest.first {
    case "'", "\"": return quoted(node.place, Array(rest), 0, offset, length)
    case "|": return block(node.place, value, offset, length)
    default: return node.place
    }
  }

  private static func quoted(_ place: Place, _ line: [Unicode.Scalar], _ start: Int, _ offset: Int, _ length: Int)
    -> Place
  {
    let quote = line[start]
    var index = start + 1
    var seen = 0
    while seen < offset, index < line.count {
      index += escapeLength(line, index, quote)
      seen += 1
    }
    return index < line.count ? place.part(index - start, length) : place
  }

  private static func escapeLength(_ line: [Unicode.Scalar], _ index: Int, _ quote: Unicode.Scalar) -> Int {
    guard index + 1 < line.count else { return 1 }
    if quote == "'" { return line[index] == "'" && line[index + 1] == "'" ? 2 : 1 }
    guard line[index] == "\\" else { return 1 }
    switch line[index + 1] {
    case "x": return 4
    case "u": return 6
    case "U": return 10
    default: return 2
    }
  }

  private static func block(_ place: Place, _ value: String, _ offset: Int, _ length: Int) -> Place {
    var lineOffset = 0
    var column = 0
    for (index, scalar) in value.unicodeScalars.enumerated() where index < offset {
      if scalar == "\n" {
        lineOffset += 1
        column = 0
      } else {
        column += 1
      }
    }
    let number = place.line + 1 + lineOffset
    let indentation = place.source.scalars(place.line + 1).prefix { $0 == " " }.count
    return Place(source: place.source, line: number, column: indentation + column + 1, length: max(1, length))
  }
}
