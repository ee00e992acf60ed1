// libyaml's complaints in plain English, with the remedy.

enum YAMLFault {
  /// The message and the hint for libyaml's `problem`, found on `line`.
  static func explain(_ problem: String, _ context: String?, line: String) -> (message: String, hint: String?) {
    if line.unicodeScalars.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
      return ("a tab stands in the indentation", "indent with blanks; YAML allows no tabs there")
    }
    if problem.contains("undefined alias") {
      return ("an alias (*name) without an anchor (&name) before it", "quote the text if it is meant to begin with '*'")
    }
    if problem.contains("another document") {
      return ("a second document ('---') in one file", "put everything into one document")
    }
    if problem.contains("mapping values are not allowed") {
      return ("a ':' where no key can stand", "quote text that contains ': ', or mind the indentation")
    }
    if problem.contains("cannot start any token") {
      return ("a value cannot begin with this character", "put the text in quotes")
    }
    if problem.contains("could not find expected ':'") {
      return ("a line here is neither 'key: value' nor '- item'", "mind the ':' and the indentation")
    }
    if problem.contains("end of stream") || problem.contains("unexpected end") {
      return ("the file ends inside a quoted text, a '[' or a '{'", "close it")
    }
    if problem.contains("block") || problem.contains("expected key") {
      return ("this line's indentation fits nothing above it", "align it with its neighbours")
    }
    if problem.contains("expected node content") {
      return ("a value is missing before this", "quote text that begins with '-', ',' or a bracket")
    }
    if problem.contains("expected ',' or") {
      return ("a ',' or the closing bracket is missing before this", "close the '[' or '{', or quote the text")
    }
    let place = context.map { " \($0)" } ?? ""
    return ("not readable as YAML\(place): \(problem)", nil)
  }
}
