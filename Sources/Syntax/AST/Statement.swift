import Diagnostics

/// Every statement of the language.
package indirect enum Statement: Sendable {
  case query(Query)
  // Tables and views
  case createTable(CreateTable)
  case createView(CreateView)
  case createSchema(CreateSchema)
  case createType(CreateType)
  case createSequence(CreateSequence)
  case createIndex(CreateIndex)
  case createMacro(CreateMacro)
  case alterTable(AlterTable)
  case alterSequence(AlterSequence)
  case drop(Drop)
  case comment(CommentOn)
  // Rows
  case insert(Insert)
  case update(Update)
  case delete(Delete)
  case merge(Merge)
  case truncate(QualifiedName)
  case copyTo(CopyTo)
  case copyFrom(CopyFrom)
  case exportDatabase(ExportDatabase)
  case importDatabase(ImportDatabase)
  // Models
  case createModel(CreateModel)
  case trainModel(TrainModel)
  case evaluateModel(EvaluateModel)
  case alterModel(AlterModel)
  case exportModel(ExportModel)
  case dropModel(DropModel)
  /// VERIFY MODEL
  case verifyModel(ModelReference)
  // Looking
  case explain(Explain)
  case describe(Describe)
  case show(Show)
  case summarize(Describe)
  // Session
  case set(SetVariable)
  case reset(ResetVariable)
  case pragma(Pragma)
  case use(QualifiedName)
  case transaction(TransactionStatement)
  case prepare(Prepare)
  case execute(Execute)
  /// nil: all
  case deallocate(Identifier?)
  case call(FunctionCall)
  case attach(Attach)
  case detach(Identifier, ifExists: Bool)
  case load(name: String, isInstall: Bool)
  case maintenance(Maintenance)
}

/// A statement, and where it stands in the script (without the semicolon).
package struct ParsedStatement: Sendable {
  package var statement: Statement
  package var span: SourceSpan
  /// The distinct parameters, in the order of their first use.
  package var parameters: [Parameter] = []

  /// The statement's own text; `script` is the text that was parsed.
  package func text(in script: String) -> Substring {
    script.utf8Slice(span)
  }
}

extension String {
  /// The part between two byte offsets; clamped to the text.
  func utf8Slice(_ span: SourceSpan) -> Substring {
    let count = utf8.count
    let low = min(max(span.start, 0), count)
    let high = min(max(span.end, low), count)
    let start = utf8.index(startIndex, offsetBy: low)
    let end = utf8.index(start, offsetBy: high - low)
    return self[start..<end]
  }
}
