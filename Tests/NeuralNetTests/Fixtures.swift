import Glibc

@testable import NeuralNet

/// The fixtures recorded from PyTorch; nil (and a loud line) where they are not installed.
enum Fixtures {
  static let folder: String? = {
    var candidates = ["../shared/fixtures", "../../shared/fixtures"]
    if let given = getenv("APUS_FIXTURES") { candidates.insert(String(cString: given), at: 0) }
    for path in candidates where access(path + "/index.json", R_OK) == 0 { return path }
    print("SKIPPED: no fixtures in ../shared/fixtures or ../../shared/fixtures")
    return nil
  }()

  static func load(_ name: String) throws -> [String: NamedTensor]? {
    guard let bytes = try bytes("\(name).safetensors") else { return nil }
    return Dictionary(uniqueKeysWithValues: try Safetensors.read(bytes).map { ($0.name, $0) })
  }

  /// The arrays of numbers under a key of a JSON file.
  static func numbers(_ file: String, _ key: String) throws -> [String: [Double]]? {
    guard let bytes = try bytes(file), let json = HeaderJSON.parse(bytes[...])?[key],
      case .object(let members) = json
    else { return nil }
    var result: [String: [Double]] = [:]
    for member in members {
      guard case .array(let items) = member.value else { continue }
      result[member.key] = items.compactMap {
        if case .number(let number) = $0 { number } else { nil }
      }
    }
    return result
  }

  /// The recordings of a folder, without folder and ending, by the index.
  static func names(_ folder: String) throws -> [String] {
    guard let bytes = try bytes("index.json"),
      case .array(let items) = HeaderJSON.parse(bytes[...])?["fixtures"]
    else { return [] }
    return items.compactMap { item in
      guard case .text(let path) = item["path"], path.hasPrefix(folder), path.hasSuffix(".json")
      else { return nil }
      return String(path.dropFirst(folder.count).dropLast(5))
    }
  }

  private static func bytes(_ name: String) throws -> [UInt8]? {
    guard let folder, let file = fopen("\(folder)/\(name)", "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes += chunk[0..<count]
    }
    return bytes
  }
}

/// Within PyTorch's own tolerance of the fixtures.
func near(_ a: [Float], _ b: [Float], relative: Float = 1e-4, absolute: Float = 2e-5) -> Bool {
  guard a.count == b.count else { return false }
  for (x, y) in zip(a, b) where !(abs(x - y) <= absolute + relative * abs(y)) && x != y {
    print("differs: \(x) \(y)")
    return false
  }
  return true
}

/// What recordings are compared by: each value to a part of itself, or to as much of the largest beside
/// it, since a sum is as exact as its largest summand.
func matches(_ a: [Float], _ b: [Float], relative: Float = 1e-5) -> Bool {
  let size = b.map { abs($0) }.max() ?? 0
  return near(a, b, relative: relative, absolute: relative * size)
}

func predict(_ predictor: Predictor, _ matrix: [Float]) throws -> [Float] {
  let rows = matrix.count / predictor.inputWidth
  var output = [Float](repeating: .nan, count: rows * predictor.outputWidth)
  let scratch = try predictor.makeScratch()
  matrix.withUnsafeBufferPointer { source in
    output.withUnsafeMutableBufferPointer { target in
      if let from = source.baseAddress, let to = target.baseAddress {
        predictor.predict(rows: rows, matrix: from, rowMajor: to, scratch: scratch)
      }
    }
  }
  return output
}

/// Uniform draws in -1 ..< 1.
func draws(_ count: Int, seed: UInt64) -> [Float] {
  let random = CounterRandom(seed, 99)
  return (0..<count).map { random.unit(UInt64($0)) * 2 - 1 }
}
