-- E6 · Pattern A: batches. The transforms live in the model, so that predictions cannot drift from
-- training. Run it from the top folder: apus -f sql/e06_batch.sql

COPY (SELECT i AS id, 10 * split_hash(i, 1) AS feature1, split_hash(i, 2) AS feature2,
             ln(1 + 10 * split_hash(i, 1)) + 3 * split_hash(i, 1) * split_hash(i, 2) AS label
      FROM range(20000) r(i)) TO 'build/data.parquet' (FORMAT parquet);

CREATE OR REPLACE MODEL batch_m INPUT (feature1 FLOAT, feature2 FLOAT) OUTPUT (label FLOAT)
  TRANSFORM (feature1, feature2, ln(1 + feature1) AS feature1_log, feature2 * feature2 AS feature2_squared,
             feature1 * feature2 AS interaction)
  SEQUENTIAL (linear(128), relu(), dropout(0.3), linear(64), relu(), linear(1))
  OPTIONS (epochs = 100, batch_size = 'full', learning_rate = 0.01);

WITH h AS (
  TRAIN MODEL batch_m FROM (FROM 'build/data.parquet' USING SAMPLE 10% (bernoulli, 7)) VALIDATION SPLIT 0.2
    STOP WHEN seconds > 600 OR val_loss < 0.05 OPTIONS (early_stop = true, patience = 20))
SELECT count(*) <= 100 AS stopped, last(stop_reason ORDER BY epoch) IN ('stop_when', 'early_stop', 'epochs') AS has_reason,
       min(val_loss) < 0.3 AS has_learned
FROM h;

COPY (SELECT *, PREDICT(MODEL batch_m) AS prediction FROM 'build/data.parquet') TO 'build/batch_predictions.parquet';

SELECT count(*) AS rows, corr(label, prediction) > 0.9 AS is_close FROM 'build/batch_predictions.parquet';
