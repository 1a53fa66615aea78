-- E5 · Pattern 3: the full pipeline. Features, a split by key, training, export, predictions, accuracy.
-- Run it from the top folder: apus -f sql/e05_full_pipeline.sql

COPY (
  SELECT i AS id, 18 + 62 * split_hash(i, 1) AS age, exp(9 + 2 * split_hash(i, 2)) AS income,
         DATE '2025-01-01' + floor(365 * split_hash(i, 3))::INTEGER AS date,
         (split_hash(i, 4) < 1 / (1 + exp(-2 * ((18 + 62 * split_hash(i, 1) - 45) / 10
           + 2 * (split_hash(i, 2) - 0.5)))))::INTEGER AS target
  FROM range(20000) r(i)
) TO 'build/input.parquet' (FORMAT parquet);

CREATE VIEW features AS
SELECT *,
       CASE WHEN age < 25 THEN 'young' WHEN age < 50 THEN 'middle' ELSE 'senior' END AS age_group,
       ln(1 + income) AS log_income, dayofweek(date) IN (0, 6) AS is_weekend, split_hash(id, 42) < 0.8 AS is_train
FROM 'build/input.parquet';

CREATE MODEL clf INPUT (age FLOAT, log_income FLOAT, is_weekend BOOLEAN) OUTPUT (target FLOAT)
  TRANSFORM (standardize(age) AS age, standardize(log_income) AS log_income, is_weekend)
  SEQUENTIAL (linear(3, 64), relu(), dropout(0.3), linear(64, 32), relu(), linear(32, 1), sigmoid())
  OPTIONS (optimizer = 'adam', learning_rate = 0.01, loss = 'bce', epochs = 100, batch_size = 'full', seed = 42);

WITH h AS (TRAIN MODEL clf FROM (SELECT * FROM features WHERE is_train USING SAMPLE 10% (bernoulli, 42)))
SELECT epoch, round(loss, 1) AS loss FROM h WHERE epoch % 25 = 0;

-- In Python: torch.load('build/model.pth') gives the state dict.
EXPORT MODEL clf TO 'build/model.pth' (FORMAT pytorch);

CREATE TABLE predictions AS SELECT *, PREDICT(MODEL clf) AS prediction FROM features WHERE NOT is_train;

SELECT count(*) BETWEEN 3800 AND 4200 AS is_a_fifth,
       avg((target = (prediction > 0.5)::INTEGER)::INTEGER) > 0.8 AS is_accurate
FROM predictions;

SELECT age_group, accuracy > 0.7 AS is_accurate, auc > 0.7 AS is_sharp, logloss < 0.6 AS is_sure
FROM (EVALUATE MODEL clf FROM (SELECT * FROM features WHERE NOT is_train) METRICS (accuracy, auc, logloss)
      GROUP BY age_group)
ORDER BY age_group;
