import Diagnostics

/// `MODEL name [VERSION v]`, `name`, `'name'`, `'name@3'`, `'name@champion'`.
package struct ModelReference: Sendable {
  package var name: QualifiedName
  package var version: ModelVersion?
  package var span: SourceSpan
}

/// A version by its number or its alias.
package enum ModelVersion: Sendable {
  case number(Int)
  case alias(String)
}

/// PREDICT, PROBABILITY or PREDICT_PROBA as an expression.
package struct PredictCall: Sendable {
  package enum Form: String, CaseIterable, Sendable {
    case predict = "PREDICT"
    case probability = "PROBABILITY"
    case probabilities = "PREDICT_PROBA"
  }
  package var form: Form
  package var model: ModelReference
  /// The class after FOR, in PROBABILITY
  package var forClass: SyntaxExpression?
  /// Empty: bind the columns in scope by name
  package var arguments: [Argument]
}

/// One `name = value` of OPTIONS. Values are expressions; a bare word is a `.column`.
package struct SyntaxOption: Sendable {
  package var name: Identifier
  package var value: SyntaxExpression
}

/// `table`, `(query)` or `'file'` after FROM in TRAIN and EVALUATE.
package enum ModelSource: Sendable {
  case table(QualifiedName)
  case query(Query)
  case file(String, span: SourceSpan)
}

/// CREATE MODEL.
package struct CreateModel: Sendable {
  package enum Origin: Sendable {
    /// FROM 'path' (FORMAT …)
    case file(String, span: SourceSpan, options: [CopyOption])
    /// FROM MODEL m [VERSION v]
    case model(ModelReference)
  }
  /// The network, where one is given.
  package enum Architecture: Sendable {
    case sequential([ModelLayer])
    case graph([SelectItem])
  }
  package var header: CreateHeader
  package var name: QualifiedName
  package var origin: Origin?
  package var inputs: [ModelInput] = []
  package var outputs: [ModelOutput] = []
  package var transform: [TransformItem] = []
  package var architecture: Architecture?
  package var options: [SyntaxOption] = []
  /// AS query: train at once
  package var query: Query?
}

/// `name type` of INPUT.
package struct ModelInput: Sendable {
  package var name: Identifier
  package var type: TypeName
}

/// `name type [CLASSES (…)]` of OUTPUT.
package struct ModelOutput: Sendable {
  package var name: Identifier
  package var type: TypeName
  package var classes: [SyntaxExpression]
}

/// `expression [AS name | AS (a, b)]` of TRANSFORM.
package struct TransformItem: Sendable {
  package var expression: SyntaxExpression
  package var names: [Identifier]
  package var span: SourceSpan

  package init(expression: SyntaxExpression, names: [Identifier], span: SourceSpan) {
    self.expression = expression
    self.names = names
    self.span = span
  }
}

/// `linear(64) [AS name]` of SEQUENTIAL.
package struct ModelLayer: Sendable {
  package var call: FunctionCall
  package var name: Identifier?
  package var span: SourceSpan
}

/// TRAIN MODEL.
package struct TrainModel: Sendable {
  package enum Start: Sendable {
    case fresh
    /// WARM START [FROM VERSION v]
    case warm(ModelVersion?)
    case resume
  }
  package enum Validation: Sendable {
    case split(SyntaxExpression, on: SyntaxExpression?)
    case filter(SyntaxExpression)
    case source(ModelSource)
  }
  package var name: QualifiedName
  /// AS VERSION name
  package var versionName: Identifier?
  package var start: Start = .fresh
  package var source: ModelSource
  package var labels: [TrainLabel] = []
  package var weight: SyntaxExpression?
  package var validation: Validation?
  package var partitionBy: SyntaxExpression?
  /// FOR EACH (…)
  package var forEach: [SyntaxExpression] = []
  package var orderBy: [OrderItem] = []
  /// STOP WHEN
  package var stopWhen: SyntaxExpression?
  package var options: [SyntaxOption] = []
}

/// `column [AS output]` of LABEL.
package struct TrainLabel: Sendable {
  package var column: QualifiedName
  package var output: Identifier?
}

/// EVALUATE or VALIDATE MODEL.
package struct EvaluateModel: Sendable {
  package var model: ModelReference
  package var source: ModelSource
  /// METRICS (accuracy, auc)
  package var metrics: [SyntaxExpression] = []
  package var groupBy: [SyntaxExpression] = []
}

/// ALTER MODEL.
package struct AlterModel: Sendable {
  package enum Action: Sendable {
    case rename(to: Identifier)
    case setDefaultVersion(ModelVersion)
    case rollback
    case setAlias(version: ModelVersion, alias: String)
    case setOptions([SyntaxOption])
    case loadWeights(path: String, options: [CopyOption], span: SourceSpan)
  }
  package var name: QualifiedName
  package var ifExists: Bool
  package var action: Action
}

/// EXPORT MODEL … TO 'path' (…).
package struct ExportModel: Sendable {
  package var model: ModelReference
  package var path: String
  package var pathSpan: SourceSpan
  package var options: [CopyOption]
}

/// DROP MODEL, the whole or one version.
package struct DropModel: Sendable {
  package var ifExists: Bool
  package var model: ModelReference
}
