import Columnar
import NeuralNet
import Planner
import Storage
import Syntax

/// Objects of the catalog as rows of the file.
enum CatalogRecords {
  /// Which table of the file an object is in; nil for those that have one of their own.
  static func kind(of item: CatalogItem, _ space: CatalogState.Space) -> ObjectRecord.Kind? {
    switch item {
    case .view: .view
    case .sequence: .sequence
    case .type: .type
    case .macro: space == .tableMacro ? .tableMacro : .macro
    case .index: .index
    case .schema, .table, .model, .setting, .foreign: nil
    }
  }

  static func space(of kind: ObjectRecord.Kind) -> CatalogState.Space {
    switch kind {
    case .view: .relation
    case .sequence: .sequence
    case .type: .type
    case .macro: .macro
    case .tableMacro: .tableMacro
    case .index: .index
    }
  }

  static func record(of object: CatalogObject, _ key: CatalogState.Key, _ file: CatalogFile)
    -> ObjectRecord?
  {
    guard let kind = kind(of: object.item, key.space) else { return nil }
    var record = ObjectRecord(
      kind: kind, schema: file.local(key.schema), name: object.name, sql: "",
      owner: object.owner.map { text(of: $0, file) }, comment: object.comment,
      columnComments: text(ofTexts: object.columnComments))
    let name = Printer.quoted(object.name)
    switch object.item {
    case .view(let view):
      let columns =
        view.columns.isEmpty
        ? "" : " (" + view.columns.map { Printer.quoted($0) }.joined(separator: ", ") + ")"
      record.sql = "CREATE VIEW \(name)\(columns) AS \(view.text)"
      record.searchPath = view.searchPath.map { localSchema($0, file) }.joined(separator: ",")
    case .sequence(let sequence): record.sql = sequence.definitionText
    case .type(let type): record.sql = "CREATE TYPE \(name) AS \(type)"
    case .macro(let macro):
      record.sql = Printer.sql(macro: object.name, macro.definitions)
    case .index(let index):
      let expressions = index.expressions.map { expression in
        if case .column = expression.kind { return Printer.sql(expression) }
        return "(" + Printer.sql(expression) + ")"
      }.joined(separator: ", ")
      record.sql =
        "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX \(name) ON "
        + qualified(index.table.schema, index.table.name, file) + " (\(expressions))"
    case .schema, .table, .model, .setting, .foreign: return nil
    }
    return record
  }

  /// A relation as the file's statements name it: by its schema outside of main.
  static func qualified(_ schema: String, _ name: String, _ file: CatalogFile) -> String {
    let local = file.local(schema)
    return (local == CatalogState.mainSchema ? "" : Printer.quoted(local) + ".")
      + Printer.quoted(name)
  }

  private static func localSchema(_ schema: String, _ file: CatalogFile) -> String {
    schema.hasPrefix(file.prefix) ? file.local(schema) : schema
  }

  // MARK: Owners and comments

  private static let spaces: [(space: CatalogState.Space, name: String)] = [
    (.relation, "relation"), (.sequence, "sequence"), (.type, "type"), (.macro, "macro"),
    (.tableMacro, "table_macro"), (.index, "index"), (.model, "model"), (.schema, "schema"),
  ]

  /// `["relation", "main", "t"]`.
  private static func text(of key: CatalogState.Key, _ file: CatalogFile) -> String {
    let space = spaces.first { $0.space == key.space }?.name ?? ""
    return ModelJSON.array([
      .text(space), .text(file.local(key.schema)), .text(key.name),
    ]).written
  }

  static func owner(_ text: String, _ file: CatalogFile) -> CatalogState.Key? {
    guard case .array(let parts)? = ModelJSON(parsing: text), parts.count == 3,
      let space = spaces.first(where: { $0.name == parts[0].text })?.space,
      let schema = parts[1].text, let name = parts[2].text
    else { return nil }
    return file.key(space, schema, name)
  }

  /// An object of texts, in the order of their names.
  static func text(ofTexts texts: [String: String]) -> String? {
    if texts.isEmpty { return nil }
    return ModelJSON.object(texts.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })
      .written
  }

  static func texts(_ text: String?) -> [String: String] {
    guard let text, case .object(let members)? = ModelJSON(parsing: text) else { return [:] }
    return Dictionary(
      members.compactMap { member in member.value.text.map { (member.key, $0) } },
      uniquingKeysWith: { $1 })
  }

  // MARK: Tables

  static func columns(of table: TableVersion, _ object: CatalogObject) -> [ColumnRecord] {
    table.definition.columns.enumerated().map { position, column in
      ColumnRecord(
        id: table.data.columnIDs[position], name: column.name, type: column.type.description,
        defaultSQL: column.defaultValue.map { Printer.sql($0) },
        generatedSQL: column.generated.map { Printer.sql($0) }, isRequired: column.isRequired,
        collation: column.collation, comment: object.columnComments[column.name.lowercased()])
    }
  }

  static func constraints(of definition: TableDefinition) -> [ConstraintRecord] {
    TableText.constraints(definition).map { constraint in
      ConstraintRecord(
        kind: constraint.kind.lowercased(), name: constraint.name,
        columns: constraint.columns.map { definition.columns[$0].name }.joined(separator: ", "),
        sql: constraint.text)
    }
  }

  // MARK: Models

  static func text(ofAliases aliases: [String: Int]) -> String? {
    text(ofTexts: aliases.mapValues { "\($0)" })
  }

  static func aliases(_ text: String?) -> [String: Int] { texts(text).compactMapValues { Int($0) } }

  /// The TRAIN that made a version; empty for weights from elsewhere.
  static func statement(_ version: ModelVersionRecord) -> String {
    ModelJSON(parsing: version.state)?["receipt"]?["sql"]?.text ?? ""
  }

  static func epochs(_ reports: [EpochReport]) -> [EpochRecord] {
    reports.map { report in
      EpochRecord(
        epoch: Int64(report.epoch), loss: report.loss, validationLoss: report.validationLoss,
        metrics: report.metricsJSON.written,
        learningRate: report.learningRate, rowCount: Int64(report.rows), seconds: report.seconds,
        isBest: report.best, stopReason: report.stopReason)
    }
  }

  static func report(_ record: EpochRecord) -> EpochReport {
    let metrics = EpochReport.metrics(ModelJSON(parsing: record.metrics))
    return EpochReport(
      epoch: Int(clamping: record.epoch), loss: record.loss,
      validationLoss: record.validationLoss, metrics: metrics, learningRate: record.learningRate,
      rows: Int(clamping: record.rowCount), seconds: record.seconds, best: record.isBest,
      stopReason: record.stopReason)
  }
}
