// A short name for a text by its content: the configuration's version in the store, in dead letters and in logs.
import Crypto

package enum ContentHash {
  /// The first 12 hexadecimal digits of the SHA-256 of the text's UTF-8.
  package static func short(_ text: String) -> String {
    SHA256.hash(data: Array(text.utf8)).withUnsafeBytes { Hex.text($0.prefix(6)) }
  }
}
