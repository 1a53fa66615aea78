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
  func forEachNetwork(_ body: (_ network: Int, _ rows: [Int]) throws -> Void) rethrows {
    var start = 0
    while start < order.count {
      let network = order[start] >> 32
      let end = order[start...].firstIndex { $0 >> 32 != network } ?? order.count
      try body(Int(network), order[start..<end].map { Int($0 & 0xFFFF_FFFF) })
      start = end
    }
  }

  /// How many of the networks have rows here.
  var networkCount: Int {
    order.indices.reduce(0) { $0 + ($1 == 0 || order[$1] >> 32 != order[$1 - 1] >> 32 ? 1 : 0) }
  }
}

/// Finds the network of each row by its key. One thread at a time.
final class KeyedNetworks {
  private let groups: ModelGroups
  private let name: String
  private let isStrict: Bool
  private var table: GroupTable

  init(_ model: Model, _ groups: ModelGroups) throws {
    self.groups = groups
    name = model.name
    isStrict = model.refusesUnseenKeys
    table = try Self.table(of: groups.keys)
  }

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

  /// The rows' networks: there is none where a key is NULL, or one that training did not see (an
  /// error with on_unseen = 'error').
  func rows(_ keys: [Column], count rows: Int) throws -> NetworkRows {
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
    // Keys without a network are forgotten before they become many.
    if table.count > 2 * count + 100_000 { table = try Self.table(of: groups.keys) }
    return keyed
  }

  private func unseen(_ keys: [Column], _ row: Int) -> SQLError {
    SQLError(
      .model,
      "model \"\(name)\" has no network for "
        + ModelKeys.text(keys.map { $0.value(row) }, groups.keys.fields))
  }
}

/// The weights that each row of a batch is for: those of the model's one network, or by key.
final class RowWeights {
  private let model: Model
  private let networks: KeyedNetworks?
  /// The model's networks, of one shape.
  let all: [Weights]

  init(_ model: Model) throws {
    self.model = model
    networks = try model.groups.map { try KeyedNetworks(model, $0) }
    all = model.groups?.weights ?? model.weights.map { [$0] } ?? []
    if all.isEmpty { throw SQLError(.model, "model \"\(model.name)\" has not been trained") }
  }

  /// For each network its rows, ascending, of those that `isWanted`. `keys`: the columns of the model's
  /// keys; a row whose key has no network is nobody's.
  func forEachNetwork(
    keys: [Column], rows: Int, where isWanted: (Int) -> Bool,
    _ body: (_ network: Int, _ rows: [Int]) throws -> Void
  ) throws {
    guard let networks else { return try body(0, (0..<rows).filter(isWanted)) }
    try networks.rows(keys, count: rows).forEachNetwork { network, rows in
      try body(network, rows.filter(isWanted))
    }
  }
}
