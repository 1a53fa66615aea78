import Columnar
import Diagnostics
import Functions
import Syntax

/// TABLESAMPLE, of one table, and USING SAMPLE, of all of FROM before WHERE.
extension Binder {
  func sampled(_ plan: Plan, _ sample: Sample?) throws -> Plan {
    guard let sample else { return plan }
    let context = ExpressionContext(
      scope: Scope(), clause: "a sample's size", subqueries: SubqueryCollector())
    let bound = ConstantFolding.foldAll(try bind(sample.size, context))
    guard case .constant(let value, let type) = bound, type.isNumeric,
      case .constant(.double(let size), _) = try foldedCast(
        .constant(value, type), to: .double, isTry: false, span: sample.size.span)
    else {
      throw SQLError(.binder, "a sample's size must be a constant number", at: sample.size.span)
    }
    let method = try sampleMethod(sample)
    let amount: SampleNode.Amount
    if sample.isPercent {
      guard size >= 0, size <= 100 else {
        throw SQLError(
          .binder, "a sample takes 0 to 100 percent, not \(Printer.sql(sample.size))",
          at: sample.size.span)
      }
      amount = .fraction(size / 100)
    } else {
      guard size >= 0, size <= 1_000_000_000 else {
        throw SQLError(
          .binder, "a sample takes 0 to 1000000000 rows, not \(Printer.sql(sample.size))",
          at: sample.size.span)
      }
      if method == .bernoulli {
        throw SQLError(
          .binder, "a bernoulli sample takes a percentage, not a number of rows",
          at: sample.span, hint: "reservoir(\(Printer.sql(sample.size)) ROWS) takes rows")
      }
      amount = .rows(Int(size.rounded()))
    }
    return .sample(
      SampleNode(
        input: plan, method: method ?? (sample.isPercent ? .system : .reservoir), amount: amount,
        seed: sample.seed))
  }

  private func sampleMethod(_ sample: Sample) throws -> SampleNode.Method? {
    guard let name = sample.method else { return nil }
    guard let method = SampleNode.Method(rawValue: name) else {
      throw SQLError(
        .binder, "there is no sampling method \"\(name)\"", at: sample.span,
        hint: didYouMean(name, among: ["bernoulli", "reservoir", "system"]))
    }
    return method
  }
}
