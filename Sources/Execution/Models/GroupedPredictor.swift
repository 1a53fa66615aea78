import Columnar
import Diagnostics
import Functions
import NeuralNet

/// Which network each row of a batch goes to.
struct NetworkRows {
  /// A network's number and a row's in one, ascending.
  fileprivate(set) var order: [UInt64] = []
  /// Rows that have no network.
  fileprivate(set) var isUnknown: [Bool]

  /// The networks that have rows here, and these, ascending.
  func forEachNetwork(_ body: (_ network: Int, _ rows: [Int]) -> Void) {
    var start = 0
    while start < order.count {
      let network = order[start] >> 32
      let end = order[start...].firstIndex { $0 >> 32 != network } ?? order.count
      body(Int(network), order[start..<end].map { Int($0 & 0xFFFF_FFFF) })
      start = end
    }
  }

  /// How many of the networks have rows here.
  var networkCount: Int {
    order.indices.reduce(0) { $0 + ($1 == 0 || order[$1] >> 32 != order[$1 - 1] >> 32 ? 1 : 0) }
  }
}

/// Runs each row through the network of its key. One thread at a time.
final class GroupedPredictor {
  private let groups: ModelGroups
  private let predictor: Predictor
  private let scratch: PredictorScratch
  private let name: String
  private let isStrict: Bool
  private var table: GroupTable
  private var matrix: [Float] = []
  private var results: [Float] = []

  /// For some of the model's outputs, by their numbers.
  init(_ model: Model, outputs: [Int], groups: ModelGroups) throws {
    self.groups = groups
    guard let first = groups.weights.first else {
      throw SQLError(.model, "model \"\(model.name)\" has no networks")
    }
    predictor = try model.predictor(outputs, first)
    scratch = try predictor.makeScratch()
    name = model.name
    isStrict = model.definition.options.unseen == .error
    table = try Self.table(of: groups.keys)
  }

  /// Floats of a row of the outputs.
  var outputWidth: Int { predictor.outputWidth }
  var ranges: [Range<Int>] { predictor.ranges }

  /// Numbers of keys: those that have a network come first, in its order.
  private static func table(of keys: ModelKeys) throws -> GroupTable {
    let table = GroupTable(keys.fields.map(\.type))
    let columns = try keys.fields.indices.map { try keys.column($0) }
    var ids = [UInt32](repeating: 0, count: EngineLimits.batchRows)
    var first = 0
    while first < keys.count {
      let count = min(ids.count, keys.count - first)
      table.lookUp(columns.map { $0.slice(first, count) }, count: count, groups: &ids)
      first += count
    }
    return table
  }

  /// Floating-point operations of a row.
  var flopsPerRow: Int { predictor.flopsPerRow }

  /// [rows, outputWidth] of `output`, and the rows' networks: there is none where a key is NULL, or
  /// one that training did not see (an error with on_unseen = 'error').
  func predict(
    rows: Int, features: FeatureColumns, keys: [Column],
    rowMajor output: UnsafeMutablePointer<Float>
  ) throws -> NetworkRows {
    var ids = [UInt32](repeating: 0, count: rows)
    table.lookUp(keys, count: rows, groups: &ids)
    let count = groups.weights.count
    let nullable = keys.filter(\.mayHaveNulls)
    var keyed = NetworkRows(isUnknown: [Bool](repeating: false, count: rows))
    keyed.order.reserveCapacity(rows)
    for row in 0..<rows {
      if Int(ids[row]) < count {
        keyed.order.append(UInt64(ids[row]) << 32 | UInt64(row))
        continue
      }
      keyed.isUnknown[row] = true
      if isStrict, !nullable.contains(where: { $0.isNull(row) }) { throw unseen(keys, row) }
    }
    keyed.order.sort()
    features.keepingAlive { columns in run(keyed.order, columns, output) }
    // Keys without a network are forgotten before they become many.
    if table.count > 2 * count + 100_000 { table = try Self.table(of: groups.keys) }
    return keyed
  }

  /// `order`: a network's number and a row's, ascending.
  private func run(
    _ order: [UInt64], _ columns: [UnsafePointer<Float>],
    _ output: UnsafeMutablePointer<Float>
  ) {
    let width = predictor.inputWidth
    let outputWidth = predictor.outputWidth
    if matrix.count < order.count * width {
      matrix = [Float](repeating: 0, count: order.count * width)
      results = [Float](repeating: 0, count: order.count * outputWidth)
    }
    for (place, entry) in order.enumerated() {
      let row = Int(entry & 0xFFFF_FFFF)
      for (index, column) in columns.enumerated() { matrix[place * width + index] = column[row] }
    }
    matrix.withUnsafeBufferPointer { matrix in
      results.withUnsafeMutableBufferPointer { results in
        guard let from = matrix.baseAddress, let to = results.baseAddress else { return }
        var start = 0
        while start < order.count {
          let network = Int(order[start] >> 32)
          var end = start + 1
          while end < order.count, Int(order[end] >> 32) == network { end += 1 }
          predictor.predict(
            rows: end - start, matrix: from + start * width, rowMajor: to + start * outputWidth,
            scratch: scratch, weights: groups.weights[network])
          start = end
        }
        for (place, entry) in order.enumerated() {
          (output + Int(entry & 0xFFFF_FFFF) * outputWidth).update(
            from: to + place * outputWidth, count: outputWidth)
        }
      }
    }
  }

  private func unseen(_ keys: [Column], _ row: Int) -> SQLError {
    SQLError(
      .model,
      "model \"\(name)\" has no network for "
        + ModelKeys.text(keys.map { $0.value(row) }, groups.keys.fields))
  }
}
