import Foundation
import Testing

/// The examples of sql/ are run as they stand; what they print is kept beside them. With
/// APUS_UPDATE_GOLDENS set the outputs are written anew.
@Suite struct ExampleScriptTests {
  static let names = [
    "e01_quickstart", "e02_first_network", "e03_sampled_features", "e04_inference_at_scale",
    "e05_full_pipeline", "e06_batch", "e07_real_time", "e09_forecast", "e11_two_heads",
    "e12_lifecycle",
  ]

  @Test(.timeLimit(.minutes(5)), arguments: names) func example(name: String) throws {
    let outcome = try ShellProcess.runScript(name)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.status == 0)
    let golden = ShellProcess.root.appending(path: "sql/\(name).out")
    if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDENS"] != nil {
      try outcome.output.write(to: golden, atomically: true, encoding: .utf8)
      return
    }
    #expect(outcome.output == (try String(contentsOf: golden, encoding: .utf8)))
  }

  /// No script is without a test.
  @Test func everyScriptIsRun() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: ShellProcess.root.appending(path: "sql").path)
    let scripts = files.filter { $0.hasPrefix("e") && $0.hasSuffix(".sql") }.map {
      String($0.dropLast(4))
    }
    #expect(scripts.sorted() == Self.names)
  }
}
