// The program's name for itself.

package enum Version {
  /// As `divert version` prints it and metrics carry it.
  package static let number = "0.1.0"
}
