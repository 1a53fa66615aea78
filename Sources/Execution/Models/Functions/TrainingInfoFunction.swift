import Columnar
import NeuralNet

extension ModelFunction {
  static let trainingInfo = ModelFunction(
    "training_info", summary: "the epochs of the model's training; of several networks', by key",
    example: "SELECT epoch, loss FROM training_info(MODEL m)"
  ) { call in
    let model = call.model
    func rows(_ epochs: [EpochReport], _ key: [Value]) -> [[Value]] {
      epochs.map { epoch in
        key + [
          .integer(Int128(model.version)), .integer(Int128(epoch.epoch)), .double(epoch.loss),
          epoch.validationLoss.map { .double($0) } ?? .null,
          .list(
            epoch.metrics.filter(\.matrix.isEmpty).map {
              .structure([.varchar($0.name), .double($0.value)])
            }),
          .double(epoch.learningRate), .integer(Int128(epoch.rows)), .double(epoch.seconds),
          .boolean(epoch.best), epoch.stopReason.map { .varchar($0) } ?? .null,
        ]
      }
    }
    return ModelRowsProvider(
      "Training info", model,
      model.keys + [
        Field("version", .integer), Field("epoch", .integer), Field("loss", .double),
        Field("val_loss", .double), Field("metrics", .map(key: .varchar, value: .double)),
        Field("learning_rate", .double), Field("rows", .bigint), Field("seconds", .double),
        Field("best", .boolean), Field("stop_reason", .varchar),
      ],
      model.groups.map { groups in
        groups.epochs.enumerated().flatMap { rows($1, groups.keys.key($0)) }
      } ?? rows(model.epochs, []))
  }
}
