// Runs a file's tests on a virtual clock: each event is planned and each request made, nothing is sent. Pure.
package import DivertCore

extension ConfigTests {
  /// Runs the tests against the table that was compiled from the same text.
  /// - Parameter only: runs the tests whose name has one of these in it; empty: all of them.
  package static func run(_ tests: ConfigTests, table: RouteTable, only: [String] = []) -> TestReport {
    var gauge = CoverageGauge(tests.points)
    let chosen = tests.tests.filter { test in only.isEmpty || only.contains { test.name.contains($0) } }
    let results = chosen.map { test in
      var run = TestRun(test, table, switchedOff: tests.switchedOff)
      return run.result(&gauge)
    }
    return TestReport(results: results, coverage: gauge.coverage)
  }
}
