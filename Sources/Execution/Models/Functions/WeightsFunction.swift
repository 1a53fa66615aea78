import Columnar

extension ModelFunction {
  static let weights = ModelFunction(
    "weights", summary: "the weights of the network, a tensor a row",
    example: "SELECT name, shape FROM weights(MODEL m)"
  ) { call in
    let parameters = call.model.weights?.parameters ?? []
    let rows = parameters.map { parameter -> [Value] in
      [
        .varchar(parameter.name), .list(parameter.shape.map { .integer(Int128($0)) }),
        .list((call.model.weights?.tensor(parameter.name) ?? []).map { .float($0) }),
      ]
    }
    return ModelRowsProvider(
      "Weights", call.model,
      [
        Field("name", .varchar), Field("shape", .list(.bigint)), Field("values", .list(.float)),
      ], rows)
  }
}
