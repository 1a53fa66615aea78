import Columnar
import Diagnostics
import NeuralNet
import Planner

/// What comes before the first epoch of a TRAIN: its transforms are fitted, its rows read, its classes
/// found.
struct TrainPreparation {
  var state: ModelState
  let reader: TrainingReader
  let network: Network
  let options: TrainerOptions

  /// `known`: what a version or a checkpoint to go on from has found.
  init(
    _ provider: TrainProvider, _ input: TrainInput, query: QueryContext, memory: MemoryHolder,
    known: ModelState?
  ) throws {
    let definition = provider.entry.definition
    provider.onProgress("reading")
    state = ModelState()
    if let known {
      state.transforms = known.transforms
    } else if definition.transform.needsFit {
      state.transforms = try TransformFitting(
        transform: definition.transform,
        columns: input.plan.output.prefix(definition.inputs.count + definition.outputs.count)
          .map { Field($0.name, $0.type) },
        label: definition.outputs[0].field, rows: Self.trainingRows(provider, input.plan),
        run: input.run
      ).states()
    }
    reader = try Self.read(
      provider, input, try definition.transform.bound(state.transforms), query, memory)
    state.classes = try reader.findClasses(known: known?.classes ?? [])
    network = try definition.network(for: state).network
    var options = provider.options.training
    if options.threads == 0 { options.threads = query.workerCount }
    try options.resolveClassWeights(
      try zip(definition.outputs, state.classes).filter { !$1.isEmpty }.map {
        ($0.field.name, try ModelState.texts(of: $1, $0.field.type))
      })
    self.options = options
    state.receipt = TrainingReceipt(
      statement: provider.statement, of: definition, start: provider.start?.version,
      rows: reader.rows, hash: reader.hash)
  }

  /// Only rows to train on fit a transform.
  private static func trainingRows(_ provider: TrainProvider, _ plan: Plan) -> Plan {
    guard provider.query.hasValidation, let flag = plan.output.last else { return plan }
    return .filter(
      FilterNode(
        input: plan,
        condition: .or([.isNull(.column(flag), isNegated: false), .not(.column(flag))])))
  }

  private static func read(
    _ provider: TrainProvider, _ input: TrainInput, _ transform: BoundTransform,
    _ query: QueryContext, _ memory: MemoryHolder
  ) throws -> TrainingReader {
    let definition = provider.entry.definition
    let columns = input.plan.output.map { Expression.column($0) }
    let source = try input.open(
      transform.features(of: Array(columns.prefix(definition.inputs.count)))
        + columns.dropFirst(definition.inputs.count))
    let reader = TrainingReader(
      definition, provider.options, transform: transform, labels: provider.labels,
      keys: provider.keys, query: provider.query)
    var told = 0
    while let batch = try source.next() {
      try query.checkCancelled()
      if reader.rows - told > 1_000_000 {
        told = reader.rows
        provider.onProgress("reading, \(told / 1_000_000) million rows")
      }
      try reader.append(batch)
      // As much again is needed for a moment when the batches become one set.
      if reader.isSpilled { continue }
      let isAllowed = 2 * reader.byteCount <= provider.options.memoryLimit ?? .max
      if isAllowed, memory.holdOrSpill(2 * reader.byteCount, share: 0.6) { continue }
      try reader.spill(seed: provider.options.training.seed) { try Self.store(query) }
      memory.holdRegardless(TrainingRecords.residentBytes)
    }
    memory.keep()
    return reader
  }

  static func store(_ query: QueryContext) throws -> any RecordStore {
    try SpilledRecords(query.memory.spillSpace, buckets: TrainingRecords.bucketCount)
  }
}
