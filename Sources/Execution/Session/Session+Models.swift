import Diagnostics
import Planner
import Syntax

// Statements that make, change and drop models.
extension Session {
  func run(_ create: CreateModel) throws -> StatementResult {
    guard let key = try claim(.model, create.name, create.header, kind: "model") else {
      return .none
    }
    publish(
      key, create.name, .model(try ModelEntry(definition: try ModelCompiler.compile(create))))
    return .none
  }

  func run(_ drop: DropModel) throws -> StatementResult {
    if drop.model.version != nil {
      throw SQLError(.notSupported, "model versions are not supported yet", at: drop.model.span)
    }
    let name = drop.model.name
    if let (key, _) = try find(.model, name, orNil: drop.ifExists) {
      change { $0[key] = nil }
    } else if !drop.ifExists {
      throw SQLError(
        .catalog, "model \"\(name.last.name)\" does not exist", at: drop.model.span,
        hint: didYouMean(name.last.name, among: catalog().modelNames))
    }
    return .none
  }
}
