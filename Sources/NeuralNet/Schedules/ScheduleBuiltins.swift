/// Every learning-rate schedule, by name. Adding one: its file here, and its line below.
package let scheduleTable: [ScheduleDefinition] = [
  .constant,
  .cosine,
  .cosineRestarts,
  .cyclic,
  .exponential,
  .multiStep,
  .oneCycle,
  .polynomial,
  .reduceOnPlateau,
  .step,
  .warmup,
]
