import Apus

/// What docs/swift.md shows: `NeuralNetworkTests` runs it and compares the texts.
enum SwiftExample {
  static func network() throws -> (first: Double, last: Double, prediction: Float, isSame: Bool) {
    // begin
    let connection = try Database().connect()
    try connection.execute(
      """
      CREATE TABLE homes AS
        SELECT 1 + range % 5 AS rooms, 30 + range % 7 * 15 AS area,
          20 * (1 + range % 5) + 3 * (30 + range % 7 * 15) AS price
        FROM range(400)
      """)
    let model = try connection.createModel(
      "price", inputs: [ModelField("rooms"), ModelField("area")], outputs: [ModelField("price")],
      layers: [.batchNorm, .linear(16), .relu, .linear(1)],
      options: ["epochs": 60, "learning_rate": 0.05, "loss": "mse", "seed": 1])
    let epochs = try model.train(from: "SELECT rooms, area, price FROM homes")
    print("loss \(epochs[0].loss) -> \(epochs[epochs.count - 1].loss)")

    // Rows of all inputs side by side, or columns by their names.
    let some = try model.predict([[3, 75], [2, 60]]).values
    let same = try model.predict(columns: ["area": [75, 60], "rooms": [3, 2]]).values
    print(some[0][0], same == some)
    // end
    return (epochs[0].loss, epochs[epochs.count - 1].loss, some.values[0], same == some)
  }

  static func tensors() throws -> [[String?]] {
    // begin
    let database = try Database()
    try database.register("norm", tensors: [[3]], returns: []) { inputs in
      let vectors = inputs[0]
      let norms = (0..<vectors.rowCount).map { row in
        vectors[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      return try Tensor(norms, shape: [vectors.rowCount])
    }
    let rows = try database.connect().execute("SELECT norm([3, 4, 0]), norm(NULL)").rows()
    print(rows)
    // end
    return rows
  }
}
