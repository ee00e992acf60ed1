// Why a router does not start.

/// What must be mended before the router can start; printed as it is.
package struct ServeFailure: Error, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
