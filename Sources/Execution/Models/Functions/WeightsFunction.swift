import Columnar
import NeuralNet

extension ModelFunction {
  static let weights = ModelFunction(
    "weights", summary: "the weights of the network, a tensor a row; of several networks, by key",
    example: "SELECT name, shape FROM weights(MODEL m)"
  ) { call in
    let model = call.model
    func rows(_ weights: Weights?, _ key: [Value]) -> [[Value]] {
      (weights?.parameters ?? []).map { parameter in
        key + [
          .varchar(parameter.name), .list(parameter.shape.map { .integer(Int128($0)) }),
          .list((weights?.tensor(parameter.name) ?? []).map { .float($0) }),
        ]
      }
    }
    return ModelRowsProvider(
      "Weights", model,
      model.keys + [
        Field("name", .varchar), Field("shape", .list(.bigint)), Field("values", .list(.float)),
      ],
      model.groups.map { groups in
        groups.weights.enumerated().flatMap { rows($1, groups.keys.key($0)) }
      } ?? rows(model.weights, []))
  }
}
