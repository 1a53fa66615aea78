/// Which values share memory.
enum SlotPlanner {
  /// Slot 0 holds the inputs; it may be the caller's and is never written.
  ///
  /// A value made in place takes its input's slot: when nobody else reads the input (on the way
  /// back too, where that way comes). Without training a slot is free again after its last reader.
  static func place(_ graph: PlanGraph, inputCount: Int, inputWidth: Int, training: Bool)
    -> (slots: [Int], widths: [Int])
  {
    var slots = [Int](repeating: 0, count: graph.widths.count)
    var slotWidths = [inputWidth]
    var free: [Int] = []
    // What the backward passes of those who wrote to a value's memory still read there.
    var uses = [OutputUse](repeating: .none, count: graph.widths.count)
    var readersLeft = [Int](repeating: 0, count: graph.widths.count)
    for node in graph.nodes { for input in node.inputs { readersLeft[input] += 1 } }
    let readers = readersLeft

    for node in graph.nodes {
      for input in node.inputs { readersLeft[input] -= 1 }
      let source = node.inputs[0]
      let isSoleReader =
        source >= inputCount && !graph.results.contains(source)
        && (training ? readers[source] == 1 : readersLeft[source] == 0)
        && graph.widths[source] == graph.widths[node.output]
      let isInPlace =
        isSoleReader && node.operation.inPlace
        && (!training || mayOverwrite(uses[source], by: node.operation))
      if isInPlace {
        slots[node.output] = slots[source]
      } else if !training, let reuse = free.popLast() {
        slots[node.output] = reuse
        slotWidths[reuse] = max(slotWidths[reuse], graph.widths[node.output])
      } else {
        slots[node.output] = slotWidths.count
        slotWidths.append(graph.widths[node.output])
      }
      for input in Set(node.inputs).sorted()
      where input >= inputCount && readersLeft[input] == 0 && !graph.results.contains(input)
        && slots[input] != slots[node.output]
      {
        free.append(slots[input])
      }
      uses[node.output] =
        isInPlace
        ? uses[source].joined(with: node.operation.outputUse) : node.operation.outputUse
    }
    return (slots, slotWidths)
  }

  private static func mayOverwrite(_ use: OutputUse, by next: any LayerOperator) -> Bool {
    switch use {
    case .none: true
    case .sign: next.keepsSign || next.keepsValue
    case .value: next.keepsValue
    }
  }
}

extension OutputUse {
  /// What two layers read of one value.
  fileprivate func joined(with other: OutputUse) -> OutputUse {
    switch (self, other) {
    case (.value, _), (_, .value): .value
    case (.sign, _), (_, .sign): .sign
    case (.none, .none): .none
    }
  }
}
