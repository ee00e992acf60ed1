// What the operating system knows of this process: CPU time, resident memory, open files.

import FoundationEssentials
import Glibc

struct ProcessFigures {
  var cpuMilliseconds: Int64
  var residentBytes: Int
  var openFiles: Int

  /// Reads them now; a figure that the system does not tell is 0.
  static func read() -> ProcessFigures {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    return ProcessFigures(
      cpuMilliseconds: cpu, residentBytes: residentPages() * sysconf(Int32(_SC_PAGESIZE)), openFiles: files)
  }

  private static func milliseconds(_ t: timeval) -> Int64 { Int64(t.tv_sec) * 1000 + Int64(t.tv_usec) / 1000 }

  /// The second number of /proc/self/statm (proc(5)).
  private static func residentPages() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let words = text.split(separator: " ")
    return words.count > 1 ? Int(words[1]) ?? 0 : 0
  }
}
