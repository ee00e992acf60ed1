// RS256 against the public key's own verification.
import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import DivertCore
@testable import DivertServer

@Suite struct AssertionSignerTests {
  @Test(
    "what is signed with the key in the secret verifies with its public key, also where its lines are joined by \\n")
  func verifies() throws {
    let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let pem = key.pemRepresentation
    let text = Array("header.claims".utf8)
    for one in [pem, pem.replacingOccurrences(of: "\n", with: "\\n")] {
      let signature = _RSA.Signing.RSASignature(rawRepresentation: try AssertionSigner.sign(one, text))
      #expect(key.publicKey.isValidSignature(signature, for: text, padding: .insecurePKCS1v1_5))
    }
  }

  @Test("what is no RSA key is refused without a word of it")
  func refuses() {
    for pem in ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
      do {
        _ = try AssertionSigner.sign(pem, [1])
        Issue.record("taken: \(pem)")
      } catch {
        #expect(error.reason.code == "private_key_invalid" && !error.reason.sentence.contains("AAAA"))
      }
    }
  }
}
