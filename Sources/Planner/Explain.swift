import Columnar

/// The plan as a tree of lines: what runs, with the strategies that the rules chose.
///
///     Project: l_returnflag, sum(l_quantity)
///     └─ Aggregate: keys l_returnflag; sum(l_quantity)
///        └─ Scan lineitem: l_returnflag, l_quantity
package enum ExplainText {
  /// `note` adds to a node's line, given its number in preorder.
  package static func lines(_ plan: Plan, note: (Int) -> String? = { _ in nil }) -> [String] {
    var result: [String] = []
    var index = 0
    func walk(_ plan: Plan, _ lead: String, _ branch: String, _ below: String) {
      let suffix = note(index).map { "  [\($0)]" } ?? ""
      index += 1
      result.append(lead + branch + title(plan) + suffix)
      let children = plan.children
      for (position, child) in children.enumerated() {
        let isLast = position == children.count - 1
        walk(child, lead + below, isLast ? "└─ " : "├─ ", isLast ? "   " : "│  ")
      }
    }
    walk(plan, "", "", "")
    return result
  }

  /// The plan as JSON: an array of one object, each with `name`, `details` and `children`.
  package static func json(_ plan: Plan) -> String {
    func object(_ plan: Plan, _ lead: String) -> String {
      let title = title(plan)
      let colon = title.firstIndex(of: ":")
      let name = colon.map { String(title[..<$0]) } ?? title
      let details = colon.map { String(title[title.index(after: $0)...].drop { $0 == " " }) } ?? ""
      let inner = lead + "  "
      let children = plan.children.map { inner + "  " + object($0, inner + "  ") }
      let list = children.isEmpty ? "[]" : "[\n\(children.joined(separator: ",\n"))\n\(inner)]"
      return "{\n\(inner)\"name\": \(quoted(name)),\n\(inner)\"details\": \(quoted(details)),\n"
        + "\(inner)\"children\": \(list)\n\(lead)}"
    }
    return "[\n  \(object(plan, "  "))\n]"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func title(_ plan: Plan) -> String {
    switch plan {
    case .scan(let node):
      var text =
        "Scan \(node.name): " + list(node.columns.map { quotedIdentifier($0.reference.name) })
      if !node.filters.isEmpty {
        text +=
          "; skips by "
          + list(
            node.filters.compactMap { filter in
              node.columns.first { $0.position == filter.column }?.reference.name
            }.reduce(into: []) {
              if !$0.contains($1) { $0.append($1) }
            })
      }
      let keys = node.runtimeFilters.filter { $0.kind == .keys }
      if !keys.isEmpty {
        text += "; filtered by " + list(keys.map { quotedIdentifier($0.column.name) })
      }
      let bounds = node.runtimeFilters.filter { $0.kind != .keys }
      if !bounds.isEmpty {
        text += "; bounded by " + list(bounds.map { quotedIdentifier($0.column.name) })
      }
      return text
    case .values(let node):
      return "Values: \(node.rows.count) \(node.rows.count == 1 ? "row" : "rows")"
    case .filter(let node):
      return "Filter: "
        + node.condition.conjuncts.map(ExpressionText.text).joined(separator: " AND ")
    case .project(let node):
      return "Project: "
        + list(
          node.items.map { item in
            let text = ExpressionText.text(item.expression)
            let name = quotedIdentifier(item.reference.name)
            return text == name || item.reference.name == "order" ? text : "\(text) AS \(name)"
          })
    case .aggregate(let node):
      var parts: [String] = []
      if !node.keys.isEmpty {
        parts.append("keys " + list(node.keys.map { ExpressionText.text($0.expression) }))
      }
      if !node.calls.isEmpty { parts.append(list(node.calls.map { ExpressionText.text($0.call) })) }
      if !node.sets.isEmpty {
        let sets = node.sets.map { set in
          "(" + set.map { ExpressionText.text(node.keys[$0].expression) }.joined(separator: ", ")
            + ")"
        }
        parts.append("sets " + list(sets))
      }
      return "Aggregate: " + parts.joined(separator: "; ")
    case .join(let node):
      let kind: String
      switch node.kind {
      case .inner: kind = "inner"
      case .left: kind = "left"
      case .right: kind = "right"
      case .full: kind = "full"
      case .semi: kind = "semi"
      case .anti: kind = "anti"
      case .mark: kind = "mark"
      case .single: kind = "single"
      }
      var conditions = node.keys.map {
        "\(ExpressionText.text($0.left)) = \(ExpressionText.text($0.right))"
      }
      conditions += node.inequalities.map {
        "\(ExpressionText.text($0.left)) \($0.operator.rawValue) \(ExpressionText.text($0.right))"
      }
      if let residual = node.residual { conditions.append(ExpressionText.text(residual)) }
      let on = conditions.isEmpty ? "" : ": " + conditions.joined(separator: " AND ")
      return "Join (\(kind), \(node.strategy.rawValue), build \(node.buildSide.rawValue))\(on)"
    case .sort(let node):
      let keys = list(node.items.map { ExpressionText.text($0) })
      guard let limit = node.limit else { return "Sort: \(keys)" }
      return "TopN (\(limit)\(node.offset > 0 ? ", offset \(node.offset)" : "")): \(keys)"
    case .distinctOn(let node):
      let order =
        node.order.isEmpty ? "" : "; order " + list(node.order.map { ExpressionText.text($0) })
      return "Distinct on: " + list(node.keys.map(ExpressionText.text)) + order
    case .limit(let node):
      if let bounds = node.bounds {
        let parts = [
          bounds.limit.map { _ in bounds.isPercent ? "computed %" : "computed" },
          bounds.offset.map { _ in "offset computed" },
        ]
        return "Limit: " + parts.compactMap { $0 }.joined(separator: ", ")
      }
      let count = node.percent.map { "\($0)%" } ?? node.limit.map { "\($0)" } ?? "all"
      return "Limit: \(count)\(node.offset > 0 ? ", offset \(node.offset)" : "")"
    case .union: return "Union all"
    case .predict(let node):
      var outputs = ""
      if node.model.outputs.count > 1 {
        let read = Set(node.outputs.map(\.form.output)).sorted()
        outputs = " -> " + list(read.map { node.model.outputs[$0].name })
      }
      let cost = node.model.cost(of: Set(node.outputs.map(\.form.output)).sorted())
      return "Predict (\(node.model.name) \(node.model.versionLabel), \(cost)): "
        + list(node.arguments.map(ExpressionText.text)) + outputs
    case .rows(let node):
      let details = node.provider.details.joined(separator: "; ")
      return node.provider.title + (details.isEmpty ? "" : " (\(details))")
    case .exchange(let node): return "Exchange (\(node.kind.rawValue), \(node.workers) workers)"
    case .window(let node):
      var parts: [String] = []
      if !node.partition.isEmpty {
        parts.append("partition by " + list(node.partition.map(ExpressionText.text)))
      }
      if !node.order.isEmpty {
        parts.append("order by " + list(node.order.map { ExpressionText.text($0) }))
      }
      parts.append(list(node.calls.map { ExpressionText.text($0.call) }))
      if let keep = node.keep { parts.append("first \(keep) of each partition") }
      return "Window: " + parts.joined(separator: "; ")
    case .unnest(let node):
      return "Unnest: " + list(node.lists.map { ExpressionText.text($0.expression) })
    case .sample(let node):
      let amount =
        switch node.amount {
        case .rows(let count): "\(count) rows"
        case .fraction(let fraction): "\(fraction * 100) %"
        }
      return "Sample (\(node.method.rawValue)): \(amount)"
    case .positionalJoin: return "Positional join"
    case .with(let node): return "With \(quotedIdentifier(node.shared.name))"
    case .sharedScan(let node):
      return "Read \(quotedIdentifier(node.shared.name)): "
        + list(node.columns.map { quotedIdentifier($0.reference.name) })
    case .recursive(let node):
      return "Recursive \(quotedIdentifier(node.working.name))"
        + (node.isDistinct ? " (distinct)" : "")
    case .dependentJoin(let node):
      return "Dependent " + title(.join(node.join)).lowercased()
    }
  }

  private static func list(_ parts: [String]) -> String {
    parts.count <= 12
      ? parts.joined(separator: ", ")
      : parts.prefix(11).joined(separator: ", ") + ", … \(parts.count - 11) more"
  }
}
