import Diagnostics

// MARK: - References

extension Parser {
  /// Whether `MODEL name` stands here, rather than a column that is called model.
  var atModelReference: Bool {
    guard at(.model), isName(at: 1) || next.kind == .string else { return false }
    switch next.keyword {
    case .between: return false
    case .at: return token(at: 2).keyword != .time
    case .ignore, .respect: return token(at: 2).keyword != .nulls
    default: return true
    }
  }

  /// `name [VERSION v]`, `'name@3'`; the word MODEL has been read.
  mutating func modelReference() throws -> ModelReference {
    let start = peek.start
    var reference: ModelReference
    if peek.kind == .string {
      let token = peek
      reference = Self.modelReference(try stringLiteral(), at: token.span)
    } else {
      reference = ModelReference(name: try qualifiedName("a model"), span: peek.span)
    }
    if at(.version), next.kind == .integer || next.kind == .string || atVersionName {
      advance()
      reference.version = try modelVersion()
    }
    reference.span = span(from: start)
    return reference
  }

  /// Whether `VERSION champion` stands here, with an end or a clause behind it.
  private var atVersionName: Bool {
    guard isName(at: 1), next.keyword != .to, next.keyword != .from else { return false }
    switch token(at: 2).kind {
    case .comma, .rightParenthesis, .semicolon, .endOfInput: return true
    default:
      return token(at: 2).keyword == .from || token(at: 2).keyword == .to
        || token(at: 2).keyword == .for
    }
  }

  /// `3`, `'champion'` or `champion`.
  mutating func modelVersion() throws -> ModelVersion {
    switch peek.kind {
    case .integer: return .number(try integerLiteral("a version"))
    case .string: return .alias(try stringLiteral())
    default: return .alias(try identifier("a version's number or alias").name)
    }
  }

  /// `'m'`, `'m@3'`, `'m@champion'`.
  private static func modelReference(_ text: String, at span: SourceSpan) -> ModelReference {
    var name = text
    var version: ModelVersion?
    if let mark = text.lastIndex(of: "@"), mark != text.startIndex {
      let tail = String(text[text.index(after: mark)...])
      if !tail.isEmpty {
        name = String(text[..<mark])
        version = Int(tail).map { .number($0) } ?? .alias(tail)
      }
    }
    let identifier = Identifier(name: name, quoted: true, span: span)
    return ModelReference(name: QualifiedName(identifier), version: version, span: span)
  }

  /// In `PREDICT(m, TABLE t)` the first argument is a model, although it reads as a column.
  mutating func bindModelArgument(_ call: inout FunctionCall) {
    guard call.name.parts.count == 1, let first = call.arguments.first, first.name == nil,
      PredictCall.Form(rawValue: call.name.last.name.uppercased()) != nil,
      let expression = first.expression
    else { return }
    if let reference = Self.modelReference(expression) {
      call.arguments[0].value = .model(reference)
    }
  }

  /// `m` and `'m@3'`, which read as a column and a text, as the model that they may name.
  package static func modelReference(_ expression: SyntaxExpression) -> ModelReference? {
    switch expression.kind {
    case .column(let name): return ModelReference(name: name, span: name.span)
    case .literal(.string(let text)): return modelReference(text, at: expression.span)
    default: return nil
    }
  }

  /// PREDICT, PROBABILITY, PREDICT_PROBA as expressions. Where the first argument cannot be a
  /// model, an ordinary call.
  mutating func predictPrimary() throws -> SyntaxExpression {
    let start = peek.start
    let form = PredictCall.Form(rawValue: peek.keyword.spelling)
    guard let form, startsPredictModel() else {
      let name = QualifiedName(try takeIdentifier())
      return try functionCall(name, receiver: nil, from: start)
    }
    advance()
    advance()
    if atModelReference { advance() }
    var call = PredictCall(form: form, model: try modelReference(), arguments: [])
    if accept(.for) { call.forClass = try expression() }
    if accept(.comma), !at(.rightParenthesis) {
      call.arguments = try list(until: { $0.at(.rightParenthesis) }) { try $0.argument() }
    }
    try expect(.rightParenthesis, "\",\" or \")\"")
    return SyntaxExpression(.predict(call), span: span(from: start))
  }

  /// Looks past `PREDICT (`: a name or a string, and then what may follow a model.
  private func startsPredictModel() -> Bool {
    var offset = 2
    if token(at: offset).keyword == .model,
      isName(at: offset + 1) || token(at: offset + 1).kind == .string
    {
      return true
    }
    guard isName(at: offset) || token(at: offset).kind == .string else { return false }
    offset += 1
    while token(at: offset).kind == .dot {
      offset += 2
    }
    let following = token(at: offset)
    return following.kind == .comma || following.kind == .rightParenthesis
      || following.keyword == .for || following.keyword == .version
      || following.kind == .endOfInput
  }

  /// `MODEL` where it is only a word before the name.
  private mutating func skipModelWord() {
    if at(.model), isName(at: 1) { advance() }
  }

  /// A table, `(query)` or `'file'`.
  private mutating func modelSource() throws -> ModelSource {
    if peek.kind == .string {
      let token = peek
      return .file(try stringLiteral(), span: token.span)
    }
    guard at(.leftParenthesis) else {
      return .table(try qualifiedName("a table, a file or \"(\" and a query"))
    }
    advance()
    let query = try query()
    try expect(.rightParenthesis, "\")\"")
    return .query(query)
  }

  /// `(name = value, …)`.
  private mutating func optionList() throws -> [SyntaxOption] {
    try expect(.leftParenthesis, "\"(\"")
    if accept(.rightParenthesis) { return [] }
    let options = try list(until: { $0.at(.rightParenthesis) }) { parser in
      let name = try parser.label("an option's name")
      guard parser.accept(.equal) || parser.accept(.fatArrow) else {
        throw parser.unexpected("\"=\"")
      }
      return SyntaxOption(name: name, value: try parser.expression())
    }
    try expect(.rightParenthesis, "\",\" or \")\"")
    return options
  }
}

// MARK: - CREATE MODEL

extension Parser {
  static let modelClauses: [Keyword] = [
    .input, .output, .transform, .sequential, .graph, .options, .as, .from,
  ]

  /// CREATE MODEL; the word MODEL has been read.
  mutating func createModel(_ header: CreateHeader) throws -> CreateModel {
    var header = header
    header.isIfNotExists = accept(.if, .not, .exists)
    var model = CreateModel(header: header, name: try qualifiedName("a model's name"))
    var seen: [Keyword] = []
    while !atEnd {
      let clause = peek
      if seen.contains(clause.keyword), Self.modelClauses.contains(clause.keyword) {
        throw mistake("\(clause.keyword.spelling) is given twice", at: clause.span)
      }
      seen.append(clause.keyword)
      switch clause.keyword {
      case .from: model.origin = try modelOrigin()
      case .input:
        advance()
        model.inputs = try parenthesized { parser in
          let name = try parser.label("an input's name")
          return ModelInput(name: name, type: try parser.typeName())
        }
      case .output:
        advance()
        model.outputs = try parenthesized { try $0.modelOutput() }
      case .transform:
        advance()
        model.transform = try parenthesized { try $0.transformItem() }
      case .sequential, .graph:
        if model.architecture != nil {
          throw mistake("a model has SEQUENTIAL or GRAPH, not both", at: clause.span)
        }
        model.architecture = try architecture()
      case .options:
        advance()
        model.options = try optionList()
      case .as:
        advance()
        model.query = try query()
        return model
      default:
        throw unexpected(
          "INPUT, OUTPUT, TRANSFORM, SEQUENTIAL, GRAPH, OPTIONS or AS", Self.modelClauses)
      }
    }
    return model
  }

  private mutating func modelOrigin() throws -> CreateModel.Origin {
    advance()
    if peek.kind == .string {
      let token = peek
      let path = try stringLiteral()
      let options = at(.leftParenthesis) ? try copyOptionList() : []
      return .file(path, span: token.span, options: options)
    }
    guard accept(.model) else { throw unexpected("a file or MODEL", [.model]) }
    return .model(try modelReference())
  }

  private mutating func modelOutput() throws -> ModelOutput {
    let name = try label("an output's name")
    let type = try typeName()
    let classes = accept(.classes) ? try parenthesized { try $0.expression() } : []
    return ModelOutput(name: name, type: type, classes: classes)
  }

  private mutating func transformItem() throws -> TransformItem {
    let start = peek.start
    let expression = try expression()
    var names: [Identifier] = []
    if accept(.as) {
      names = at(.leftParenthesis) ? try identifierList() : [try label("an alias")]
    }
    return TransformItem(expression: expression, names: names, span: span(from: start))
  }

  private mutating func architecture() throws -> CreateModel.Architecture {
    if accept(.sequential) { return .sequential(try parenthesized { try $0.modelLayer() }) }
    try expect(.graph)
    return .graph(
      try parenthesized { parser in
        let start = parser.peek.start
        let expression = try parser.expression()
        try parser.expect(.as)
        let name = try parser.label("the node's name")
        return SelectItem(expression: expression, alias: name, span: parser.span(from: start))
      })
  }

  private mutating func modelLayer() throws -> ModelLayer {
    let start = peek.start
    let name = QualifiedName(try label("a layer"))
    let call = try functionCall(name, receiver: nil)
    let alias = accept(.as) ? try label("the layer's name") : nil
    return ModelLayer(call: call, name: alias, span: span(from: start))
  }
}

// MARK: - TRAIN and EVALUATE

extension Parser {
  mutating func trainModel() throws -> TrainModel {
    try expect(.train)
    skipModelWord()
    let name = try qualifiedName("a model")
    var train = TrainModel(name: name, source: .table(name))
    if accept(.as) {
      try expect(.version)
      train.versionName = try label("the version's name")
    }
    if accept(.warm) {
      try expect(.start)
      var version: ModelVersion?
      if at(.from), next.keyword == .version, token(at: 2).kind != .word || isName(at: 2) {
        advance()
        advance()
        version = try modelVersion()
      }
      train.start = .warm(version)
    } else if accept(.resume) {
      train.start = .resume
    }
    guard accept(.from) else {
      throw unexpected("FROM, AS VERSION, WARM START or RESUME", [.from, .warm, .resume, .as])
    }
    train.source = try modelSource()
    while !atEnd, !at(.rightParenthesis) { try trainClause(&train) }
    return train
  }

  private mutating func trainClause(_ train: inout TrainModel) throws {
    switch peek.keyword {
    case .label:
      advance()
      train.labels += try list(until: { !$0.isName() }) { parser in
        let column = try parser.qualifiedName("a column")
        let output = parser.accept(.as) ? try parser.label("an output") : nil
        return TrainLabel(column: column, output: output)
      }
    case .weight:
      advance()
      train.weight = try expression()
    case .validation:
      advance()
      train.validation = try validation()
    case .partition:
      try expect(.partition, .by)
      train.partitionBy = try expression()
    case .for:
      try expect(.for, .each)
      train.forEach = try parenthesized { try $0.expression() }
    case .order:
      train.orderBy = try orderBy()
    case .stop:
      try expect(.stop, .when)
      train.stopWhen = try expression()
    case .options:
      advance()
      train.options += try optionList()
    default:
      throw unexpected(
        "LABEL, WEIGHT, VALIDATION, PARTITION BY, FOR EACH, ORDER BY, STOP WHEN or OPTIONS",
        [.label, .weight, .validation, .partition, .for, .order, .stop, .options])
    }
  }

  private mutating func validation() throws -> TrainModel.Validation {
    if accept(.split) {
      let fraction = try expression()
      return .split(fraction, on: accept(.on) ? try expression() : nil)
    }
    if accept(.where) { return .filter(try expression()) }
    if accept(.from) { return .source(try modelSource()) }
    throw unexpected("SPLIT, WHERE or FROM", [.split, .where, .from])
  }

  mutating func evaluateModel() throws -> EvaluateModel {
    advance()
    skipModelWord()
    let model = try modelReference()
    try expect(.from)
    var evaluate = EvaluateModel(model: model, source: try modelSource())
    if accept(.metrics) { evaluate.metrics = try parenthesized { try $0.expression() } }
    if accept(.group) {
      try expect(.by)
      evaluate.groupBy = try list(until: { $0.atEnd }) { try $0.expression() }
    }
    return evaluate
  }
}

// MARK: - ALTER, EXPORT, DROP, VERIFY

extension Parser {
  /// ALTER MODEL; both words have been read.
  mutating func alterModel() throws -> AlterModel {
    let ifExists = accept(.if, .exists)
    let name = try qualifiedName("a model")
    return AlterModel(name: name, ifExists: ifExists, action: try alterModelAction())
  }

  private mutating func alterModelAction() throws -> AlterModel.Action {
    if accept(.rename) {
      try expect(.to)
      return .rename(to: try identifier())
    }
    if accept(.rollback) { return .rollback }
    if accept(.version) {
      let version = try modelVersion()
      try expect(.set)
      guard let word = wordText(), word == "alias" else { throw unexpected("ALIAS") }
      advance()
      let alias = peek.kind == .string ? try stringLiteral() : try identifier("an alias").name
      return .setAlias(version: version, alias: alias)
    }
    if accept(.set) {
      if accept(.options) { return .setOptions(try optionList()) }
      if accept(.default) {
        try expect(.version)
        return .setDefaultVersion(try modelVersion())
      }
      throw unexpected("DEFAULT VERSION or OPTIONS", [.default, .options])
    }
    if accept(.load) {
      try expect(.weights, .from)
      let token = peek
      let path = try stringLiteral("a path")
      let options = at(.leftParenthesis) ? try copyOptionList() : []
      return .loadWeights(path: path, options: options, span: token.span)
    }
    throw unexpected(
      "RENAME TO, SET, ROLLBACK, VERSION or LOAD WEIGHTS",
      [.rename, .set, .rollback, .version, .load])
  }

  /// The word at hand in lower case, where it is one.
  func wordText() -> String? {
    guard peek.kind == .word else { return nil }
    return lexer.text(peek.start, peek.end).lowercased()
  }

  mutating func exportModel() throws -> ExportModel {
    try expect(.export, .model)
    let model = try modelReference()
    try expect(.to)
    let token = peek
    let path = try stringLiteral("a path")
    let options = at(.leftParenthesis) ? try copyOptionList() : []
    return ExportModel(model: model, path: path, pathSpan: token.span, options: options)
  }
}
