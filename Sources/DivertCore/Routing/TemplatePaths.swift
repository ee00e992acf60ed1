// What templates read: the paths that stand in them, wherever they stand. Asked when a file is read and when a recipe is made.

extension Template {
  /// Every path that the template reads, also in its filters' arguments.
  package var paths: [ValuePath] {
    parts.flatMap { part -> [ValuePath] in
      guard case .expression(let expression) = part else { return [] }
      let arguments = expression.filters.flatMap(\.arguments)
      return [expression.path] + arguments.compactMap { if case .path(let path) = $0 { path } else { nil } }
    }
  }

  /// The secrets that it names.
  package var secretNames: [String] { paths.compactMap { if case .secret(let name) = $0 { name } else { nil } } }
}

extension BodyTemplate {
  /// Every template of the tree.
  package var templates: [Template] {
    switch self {
    case .literal: []
    case .template(let template): [template]
    case .object(let entries): entries.flatMap(\.value.templates)
    case .array(let items): items.flatMap(\.templates)
    }
  }
}

extension ActionDefinition {
  /// Every template of its one request; not those of its steps, nor of how it is verified.
  package var templates: [Template] {
    let bodies: [Template] =
      switch body {
      case .none: []
      case .json(let tree): tree.templates
      case .form(let fields): fields.flatMap(\.value.templates)
      }
    return [path] + query.map(\.value) + headers.map(\.value) + bodies
  }

  /// Every template of all its requests.
  package var allTemplates: [Template] {
    templates + steps.flatMap(\.request.templates) + (verify?.request.templates ?? [])
  }

  /// Every path that one of its requests, or the condition of a step, reads.
  package var paths: [ValuePath] { allTemplates.flatMap(\.paths) + steps.flatMap(\.when.paths) }

  /// The secrets that it names, its arguments' defaults included.
  package var secretNames: Set<String> {
    let defaults = arguments.compactMap(\.fallback).flatMap(\.templates)
    return Set((allTemplates + defaults).flatMap(\.secretNames))
  }
}

extension LookupDefinition {
  /// Every template of the question itself; not those of the action that creates what is not found.
  package var templates: [Template] { request.templates + variants + wanted.map(\.value) }
}

extension Condition {
  /// Every path that it compares.
  package var paths: [ValuePath] {
    switch self {
    case .all(let parts), .any(let parts): parts.flatMap(\.paths)
    case .not(let part): part.paths
    case .value(let path, _): [path]
    case .count(let term): term.per.paths
    case .suppressed: []
    }
  }

  /// The lookups that it asks for, by full name, each once, in the order in which they stand.
  package var lookupNames: [String] { paths.lookupNames }
}

extension [ValuePath] {
  /// The lookups among them, by full name, each once, in their order.
  package var lookupNames: [String] {
    var seen: Set<String> = []
    return compactMap { if case .lookup(let name, _) = $0, seen.insert(name).inserted { name } else { nil } }
  }

  /// The arguments among them, by name.
  package var argumentNames: Set<String> {
    Set(compactMap { if case .argument(let name, _) = $0 { name } else { nil } })
  }
}
