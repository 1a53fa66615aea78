import Columnar
import Planner

extension ModelFunction {
  static let featureInfo = ModelFunction(
    "feature_info", summary: "what enters the network, and what TRANSFORM found in training",
    example: "SELECT * FROM feature_info(MODEL m)"
  ) { call in
    let transform = call.model.definition.transform
    let states = call.model.state.transforms
    let rows = call.model.transform.features.enumerated().map { index, feature -> [Value] in
      let item = index < transform.items.count ? transform.items[index] : nil
      let step = item?.step
      let fitted = step.flatMap { $0 < states.count ? states[$0]?.written : nil }
      return [
        .varchar(feature.name), .varchar(feature.type.description),
        .integer(Int128(ModelDefinition.width(of: feature.type))),
        step.map { .varchar(transform.steps[$0].definition.name) } ?? .null,
        feature.cardinality.map { .integer(Int128($0)) } ?? .null,
        fitted.map { .varchar($0) } ?? .null,
      ]
    }
    return ModelRowsProvider(
      "Feature info", call.model,
      [
        Field("feature", .varchar), Field("type", .varchar), Field("width", .bigint),
        Field("transform", .varchar), Field("ids", .bigint), Field("fitted", .varchar),
      ], rows)
  }
}
