import Columnar

extension ModelFunction {
  static let trainingInfo = ModelFunction(
    "training_info", summary: "the epochs of the model's training",
    example: "SELECT epoch, loss FROM training_info(MODEL m)"
  ) { call in
    let rows = call.model.epochs.map { epoch -> [Value] in
      [
        .integer(Int128(call.model.version)), .integer(Int128(epoch.epoch)), .double(epoch.loss),
        epoch.validationLoss.map { .double($0) } ?? .null,
        .list(epoch.metrics.map { .structure([.varchar($0.name), .double($0.value)]) }),
        .double(epoch.learningRate), .integer(Int128(epoch.rows)), .double(epoch.seconds),
        .boolean(epoch.best), epoch.stopReason.map { .varchar($0) } ?? .null,
      ]
    }
    return ModelRowsProvider(
      "Training info", call.model,
      [
        Field("version", .integer), Field("epoch", .integer), Field("loss", .double),
        Field("val_loss", .double), Field("metrics", .map(key: .varchar, value: .double)),
        Field("learning_rate", .double), Field("rows", .bigint), Field("seconds", .double),
        Field("best", .boolean), Field("stop_reason", .varchar),
      ], rows)
  }
}
