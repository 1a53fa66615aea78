import Planner
import Storage

extension MemoryTable {
  var definition: TableDefinition {
    var result = TableDefinition(
      name: name, columns: schema.map { TableDefinition.Column(name: $0.name, type: $0.type) })
    for position in requiredColumns { result.columns[position].isRequired = true }
    return result
  }
}
