// swift-tools-version: 6.1
import PackageDescription

/// The arrows of docs/architecture.md, and nothing else: a module sees only what is listed here.
let package = Package(
  name: "Apus",
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .executable(name: "apus", targets: ["ApusShell"]),
  ],
  targets: [
    .systemLibrary(name: "CReadline"),
    .systemLibrary(name: "CZstd"),
    .systemLibrary(name: "CSnappy"),
    .systemLibrary(name: "CLZ4"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CPCRE2"),
    .systemLibrary(name: "CSQLite"),
    .systemLibrary(name: "CSystem"),
    .target(
      name: "CVectorMath", cSettings: [.define("_GNU_SOURCE")],
      linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Diagnostics"),
    .target(name: "JSONReading"),
    .target(name: "Columnar", dependencies: ["Diagnostics"]),
    .target(
      name: "Storage",
      dependencies: ["Columnar", "Diagnostics", "CSQLite", "CVectorMath", "CZstd"]),
    .target(
      name: "Functions",
      dependencies: ["Columnar", "Diagnostics", "JSONReading", "CPCRE2", "CVectorMath"]),
    .target(name: "Syntax", dependencies: ["Diagnostics"]),
    .target(
      name: "NeuralNet",
      dependencies: ["Diagnostics", "JSONReading", "CVectorMath"]),
    .target(
      name: "Formats",
      dependencies: [
        "Columnar", "Diagnostics", "Functions", "JSONReading", "CVectorMath", "CZstd", "CSnappy",
        "CLZ4", "CZlib",
      ]),
    .target(name: "Planner", dependencies: ["Columnar", "Diagnostics", "Functions", "Syntax"]),
    .target(
      name: "Execution",
      dependencies: [
        "Columnar", "Diagnostics", "Functions", "JSONReading", "Syntax", "Planner", "Storage",
        "Formats", "NeuralNet", "CSystem",
      ]),
    .target(
      name: "Apus",
      dependencies: [
        "Columnar", "Diagnostics", "Functions", "Syntax", "Planner", "Execution",
      ]),
    .executableTarget(
      name: "ApusShell",
      dependencies: ["Apus", "Diagnostics", "JSONReading", "CReadline", "CSystem"]),
    .executableTarget(
      name: "prepared-benchmark", dependencies: ["Apus"], path: "benchmarks/Prepared"),
    .testTarget(name: "JSONReadingTests", dependencies: ["JSONReading"]),
    .testTarget(name: "SyntaxTests", dependencies: ["Syntax", "Diagnostics"]),
    .testTarget(name: "ColumnarTests", dependencies: ["Columnar", "Diagnostics"]),
    .target(name: "CSQLiteFaults", dependencies: ["CSQLite"], path: "Tests/CSQLiteFaults"),
    .testTarget(name: "StorageTests", dependencies: ["Storage", "Columnar", "Diagnostics"]),
    .testTarget(
      name: "StorageFaultTests",
      dependencies: ["Storage", "Diagnostics", "CSQLite", "CSQLiteFaults"]),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Columnar", "Diagnostics"]),
    .testTarget(name: "FunctionsTests", dependencies: ["Functions", "Columnar", "Diagnostics"]),
    .testTarget(
      name: "ExecutionTests",
      dependencies: [
        "Execution", "Storage", "Syntax", "Functions", "Columnar", "NeuralNet", "Diagnostics",
      ]),
    .testTarget(
      name: "ApusTests", dependencies: ["Apus", "Execution", "Functions", "Planner", "Syntax"]),
    .testTarget(name: "ShellTests", dependencies: ["ApusShell"]),
    .testTarget(
      name: "NeuralNetTests", dependencies: ["NeuralNet", "Diagnostics", "CVectorMath"]),
  ],
  swiftLanguageModes: [.v6]
)
