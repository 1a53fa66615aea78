import Columnar
import Diagnostics
import Execution

/// A model of the database for a Swift program: what CREATE MODEL, TRAIN MODEL and PREDICT do, with
/// arrays in place of columns. SQL sees the same model. It belongs to its connection.
///
///     let model = try connection.createModel(
///       "price", inputs: [ModelField("rooms"), ModelField("area")], outputs: [ModelField("price")],
///       layers: [.linear(64), .relu, .linear(1)], options: ["epochs": 20, "seed": 1])
///     let epochs = try model.train(from: "SELECT rooms, area, price FROM homes")
///     let prices = try model.predict([[3, 80], [2, 55]]).values
public final class NeuralNetwork {
  public let name: String
  private let connection: Connection
  /// By output, for the version that they were made for.
  private var runners: [Int: ModelRunner] = [:]

  init(_ name: String, _ connection: Connection) {
    self.name = name
    self.connection = connection
  }

  /// An epoch of a training.
  public struct Epoch: Sendable, Equatable {
    public let number: Int
    public let loss: Double
    /// nil without rows set aside for validation.
    public let validationLoss: Double?
  }

  /// What a model predicts for some rows.
  public struct Prediction: Sendable {
    /// [rows, values]: what the output gives, or the probability of each of its classes. NaN for
    /// rows with a NULL, and for those whose key has no network.
    public let values: Tensor
    /// Of an output that is a class the likeliest one; nil for numbers.
    public let classes: [String?]?
  }

  /// Trains a new version on the rows of a query, whose columns are found by their names.
  @discardableResult
  public func train(from query: String, options: [String: ModelOption] = [:]) throws -> [Epoch] {
    var sql = "TRAIN MODEL \(quotedIdentifier(name)) FROM (\(query)\n)"
    if !options.isEmpty { sql += " OPTIONS (\(ModelOption.list(options)))" }
    let result = try connection.execute(sql)
    func position(_ name: String) -> Int? { result.columns.firstIndex { $0.name == name } }
    guard let epoch = position("epoch"), let loss = position("loss") else { return [] }
    let validation = position("val_loss")
    return try result.rows().map { row in
      Epoch(
        number: row[epoch].flatMap { Int($0) } ?? 0, loss: row[loss].flatMap { Double($0) } ?? .nan,
        validationLoss: validation.flatMap { row[$0] }.flatMap { Double($0) })
    }
  }

  /// Predicts rows of all inputs side by side, in the order of INPUT: arrays take as many values as
  /// they have.
  ///
  /// - Parameters:
  ///   - keys: where FOR EACH made a network for each key: the rows' keys, by their names.
  ///   - output: which one, where the model has several; nil: the first.
  public func predict(
    _ rows: [[Float]], keys: [String: InputColumn] = [:], output: String? = nil
  ) throws -> Prediction {
    try predict(try Tensor(rows: rows), keys: keys, output: output)
  }

  /// The same for a tensor of [rows, values].
  public func predict(
    _ rows: Tensor, keys: [String: InputColumn] = [:], output: String? = nil
  ) throws -> Prediction {
    try inDatabase {
      let runner = try runner(output)
      let widths = runner.model.inputs.map { InputColumn.width(of: $0.type) }
      guard rows.rowWidth == widths.reduce(0, +) || rows.rowCount == 0 else {
        throw SQLError(
          .model,
          "model \"\(name)\" takes \(widths.reduce(0, +)) values a row, not \(rows.rowWidth)")
      }
      var first = 0
      let columns = try zip(runner.model.inputs, widths).map { input, width in
        defer { first += width }
        if input.type == .varchar { throw InputColumn.mismatch(input, name) }
        return InputColumn.column(rows, first: first, width: width, input.type)
      }
      return try prediction(
        runner, columns + (try self.columns(runner.model.keys, "key", keys, rows: rows.rowCount)),
        rows: rows.rowCount)
    }
  }

  /// Predicts columns, found by the names of the inputs and keys, whatever their case; others are
  /// ignored.
  public func predict(columns: [String: InputColumn], output: String? = nil) throws -> Prediction {
    try inDatabase {
      let runner = try runner(output)
      let inputs = try self.columns(runner.model.inputs, "input", columns, rows: nil)
      let rows = inputs.first?.count ?? 0
      let keys = try self.columns(runner.model.keys, "key", columns, rows: rows)
      return try prediction(runner, inputs + keys, rows: rows)
    }
  }

  /// What the fields of the model are given, by name. Errors: none of that name, another kind, not
  /// as many rows as the others.
  private func columns(
    _ fields: [Field], _ what: String, _ given: [String: InputColumn], rows: Int?
  ) throws -> [Column] {
    var rows = rows
    return try fields.map { field in
      let wanted = field.name.lowercased()
      guard let column = given.first(where: { $0.key.lowercased() == wanted })?.value else {
        throw SQLError(
          .model, "there is no column for \(what) \"\(field.name)\" of model \"\(name)\"",
          hint: didYouMean(field.name, among: given.keys.sorted()))
      }
      let count =
        what == "key" ? try column.keyCount(field, name) : try column.rowCount(field, name)
      if let rows, rows != count {
        throw SQLError(
          .model, "\(what) \"\(field.name)\" of model \"\(name)\" has \(count) rows, not \(rows)")
      }
      rows = count
      return try column.column(field)
    }
  }

  private func prediction(_ runner: ModelRunner, _ columns: [Column], rows: Int) throws
    -> Prediction
  {
    let made = try runner.run(columns, rows: rows)
    return Prediction(
      values: try Tensor(made.values, shape: [rows, made.width]), classes: made.classes)
  }

  /// For the default version as it is now.
  private func runner(_ output: String?) throws -> ModelRunner {
    let model = try connection.session.trainedModel(name)
    if let any = runners.values.first, any.model !== model { runners = [:] }
    var index = 0
    if let output {
      guard
        let found = model.outputs.firstIndex(where: {
          $0.name.lowercased() == output.lowercased()
        })
      else {
        throw SQLError(
          .model, "model \"\(name)\" has no output \"\(output)\"",
          hint: didYouMean(output, among: model.outputs.map(\.name)))
      }
      index = found
    }
    if let known = runners[index] { return known }
    let made = try ModelRunner(model, output: index)
    runners[index] = made
    return made
  }

  private func inDatabase<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as SQLError {
      throw DatabaseError(error, in: "")
    }
  }
}

extension Connection {
  /// Makes a model of layers one after the other; `execute("CREATE MODEL …")` makes those with
  /// GRAPH and TRANSFORM. An error when there is one of that name, unless it is replaced.
  public func createModel(
    _ name: String, inputs: [ModelField], outputs: [ModelField], layers: [Layer],
    options: [String: ModelOption] = [:], replacing: Bool = false
  ) throws -> NeuralNetwork {
    var sql = "CREATE \(replacing ? "OR REPLACE " : "")MODEL \(quotedIdentifier(name))"
    sql += " INPUT (\(inputs.map(\.sql).joined(separator: ", ")))"
    sql += " OUTPUT (\(outputs.map(\.sql).joined(separator: ", ")))"
    sql += " SEQUENTIAL (\(layers.map(\.sql).joined(separator: ", ")))"
    if !options.isEmpty { sql += " OPTIONS (\(ModelOption.list(options)))" }
    try execute(sql)
    return NeuralNetwork(name, self)
  }

  /// A model that is there.
  public func model(_ name: String) throws -> NeuralNetwork {
    guard
      try execute("SHOW MODELS").rows().contains(where: { $0[0]?.lowercased() == name.lowercased() }
      )
    else {
      throw DatabaseError(SQLError(.catalog, "model \"\(name)\" does not exist"), in: "")
    }
    return NeuralNetwork(name, self)
  }
}
