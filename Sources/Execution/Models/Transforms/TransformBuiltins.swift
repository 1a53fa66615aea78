/// Every transform that TRAIN fits, by name.
let transformTable: [TransformDefinition] = [
  .bucketize,
  .category,
  .cross,
  .hashBucket,
  .impute,
  .minMaxScaler,
  .oneHot,
  .ordinal,
  .quantileBucketize,
  .robustScaler,
  .standardize,
  .targetEncode,
  .tokenize,
]
