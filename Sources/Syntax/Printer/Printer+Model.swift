extension Printer {
  /// `MODEL name VERSION v`.
  mutating func write(_ model: ModelReference) {
    put("MODEL ")
    bare(model)
  }

  /// Without the word MODEL.
  mutating func bare(_ model: ModelReference) {
    write(model.name)
    guard let version = model.version else { return }
    put(" VERSION ")
    write(version)
  }

  private mutating func write(_ version: ModelVersion) {
    switch version {
    case .number(let number): put(String(number))
    case .alias(let alias): put(Self.literal(alias))
    }
  }

  private mutating func write(_ source: ModelSource) {
    switch source {
    case .table(let name): write(name)
    case .query(let query): enclosed("", query)
    case .file(let path, _): put(Self.literal(path))
    }
  }

  private mutating func options(_ options: [SyntaxOption]) {
    guard !options.isEmpty else { return }
    put(" OPTIONS (")
    list(options) { printer, option in
      printer.write(option.name)
      printer.put(" = ")
      printer.write(option.value)
    }
    put(")")
  }

  mutating func write(_ create: CreateModel) {
    header("MODEL", create.header, create.name)
    switch create.origin {
    case nil: break
    case .file(let path, _, let options)?:
      put(" FROM " + Self.literal(path))
      self.options(options)
    case .model(let model)?:
      put(" FROM ")
      write(model)
    }
    group("INPUT", create.inputs) { printer, input in
      printer.write(input.name)
      printer.put(" ")
      printer.write(input.type)
    }
    group("OUTPUT", create.outputs) { printer, output in
      printer.write(output.name)
      printer.put(" ")
      printer.write(output.type)
      printer.group("CLASSES", output.classes) { $0.write($1) }
    }
    group("TRANSFORM", create.transform) { printer, item in
      printer.write(item.expression)
      if item.names.count == 1, let only = item.names.first {
        printer.put(" AS ")
        printer.write(only)
      } else if !item.names.isEmpty {
        printer.put(" AS ")
        printer.names(item.names)
      }
    }
    switch create.architecture {
    case nil: break
    case .sequential(let layers)?:
      group("SEQUENTIAL", layers) { printer, layer in
        printer.write(layer.call)
        guard let name = layer.name else { return }
        printer.put(" AS ")
        printer.write(name)
      }
    case .graph(let nodes)?: group("GRAPH", nodes) { $0.write($1) }
    }
    options(create.options)
    if let query = create.query {
      put(" AS ")
      write(query)
    }
  }

  /// ` WORD (item, …)`, nothing where there are none.
  private mutating func group<Item>(
    _ word: String, _ items: [Item], _ item: (inout Printer, Item) -> Void
  ) {
    guard !items.isEmpty else { return }
    put(" \(word) (")
    list(items, ", ", item)
    put(")")
  }

  mutating func write(_ train: TrainModel) {
    put("TRAIN MODEL ")
    write(train.name)
    if let name = train.versionName {
      put(" AS VERSION ")
      write(name)
    }
    switch train.start {
    case .fresh: break
    case .warm(let version):
      put(" WARM START")
      if let version {
        put(" FROM VERSION ")
        write(version)
      }
    case .resume: put(" RESUME")
    }
    put(" FROM ")
    write(train.source)
    if !train.labels.isEmpty {
      put(" LABEL ")
      list(train.labels) { printer, label in
        printer.write(label.column)
        guard let output = label.output else { return }
        printer.put(" AS ")
        printer.write(output)
      }
    }
    clause("WEIGHT", train.weight)
    switch train.validation {
    case nil: break
    case .split(let fraction, let key)?:
      clause("VALIDATION SPLIT", fraction)
      clause("ON", key)
    case .filter(let condition)?: clause("VALIDATION WHERE", condition)
    case .source(let source)?:
      put(" VALIDATION FROM ")
      write(source)
    }
    clause("PARTITION BY", train.partitionBy)
    group("FOR EACH", train.forEach) { $0.write($1) }
    if !train.orderBy.isEmpty {
      put(" ")
      orderBy(train.orderBy)
    }
    clause("STOP WHEN", train.stopWhen)
    options(train.options)
  }

  mutating func write(_ evaluate: EvaluateModel) {
    put("EVALUATE ")
    write(evaluate.model)
    put(" FROM ")
    write(evaluate.source)
    group("METRICS", evaluate.metrics) { $0.write($1) }
    if !evaluate.groupBy.isEmpty {
      put(" GROUP BY ")
      expressions(evaluate.groupBy)
    }
  }

  mutating func write(_ alter: AlterModel) {
    put(alter.ifExists ? "ALTER MODEL IF EXISTS " : "ALTER MODEL ")
    write(alter.name)
    switch alter.action {
    case .rename(let name):
      put(" RENAME TO ")
      write(name)
    case .setDefaultVersion(let version):
      put(" SET DEFAULT VERSION ")
      write(version)
    case .rollback: put(" ROLLBACK")
    case .setAlias(let version, let alias):
      put(" VERSION ")
      write(version)
      put(" SET ALIAS " + Self.literal(alias))
    case .setOptions(let options):
      put(" SET")
      if options.isEmpty { put(" OPTIONS ()") } else { self.options(options) }
    case .loadWeights(let path, let options, _):
      put(" LOAD WEIGHTS FROM " + Self.literal(path))
      self.options(options)
    }
  }
}
