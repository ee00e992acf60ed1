// Runs the loader on input after input: the program behind scripts/fuzz.
//
//   config-fuzz --seed S --from I --inputs N [--print] FILE…
//
// The files are the corpus. Every input is known by the seed and its number: `--from I --inputs 1 --print` prints one.
// Exit status 1: a fault was found; its number is the last one printed.
import ConfigFuzz
import Foundation

@main
enum ConfigFuzzRunner {
  private static let slow = Duration.seconds(2)

  static func main() {
    var (seed, from, count, prints) = (UInt64(1), UInt64(0), UInt64(10_000), false)
    var corpus: [String] = []
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
      switch argument {
      case "--seed": seed = number(&arguments)
      case "--from": from = number(&arguments)
      case "--inputs": count = number(&arguments)
      case "--print": prints = true
      default: FileManager.default.contents(atPath: argument).map { corpus.append(String(decoding: $0, as: UTF8.self)) }
      }
    }
    guard !corpus.isEmpty else { end("no readable file was named", 64) }
    let inputs = FuzzInputs(seed: seed, corpus: corpus)
    if prints {
      print(inputs.input(from))
      return
    }
    run(inputs, from..<from + count)
  }

  private static func run(_ inputs: FuzzInputs, _ numbers: Range<UInt64>) {
    let clock = ContinuousClock()
    let start = clock.now
    var longest = Duration.zero
    for number in numbers {
      // Said before the work, so that it is known after a crash.
      if number % 1000 == 0 { say("at \(number)") }
      let text = inputs.input(number)
      let begun = clock.now
      if let fault = FuzzCheck.fault(of: text) { end("input \(number) of seed \(inputs.seed): \(fault)", 1) }
      let took = begun.duration(to: clock.now)
      longest = max(longest, took)
      if took > slow { end("input \(number) of seed \(inputs.seed): slow, \(took)", 1) }
    }
    print(
      "\(numbers.count) inputs, seed \(inputs.seed), in \(start.duration(to: clock.now)); the slowest took \(longest)")
  }

  private static func number(_ arguments: inout ArraySlice<String>) -> UInt64 {
    guard let number = arguments.popFirst().flatMap({ UInt64($0) }) else { end("a whole number is wanted", 64) }
    return number
  }

  private static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  private static func end(_ text: String, _ status: Int32) -> Never {
    say(text)
    exit(status)
  }
}
