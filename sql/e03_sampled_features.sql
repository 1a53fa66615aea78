-- E3 · Pattern 1: a file, features of its columns, a repeatable sample, a network.
-- Run it from the top folder: apus -f sql/e03_sampled_features.sql

COPY (
  SELECT CASE WHEN i % 50 = 0 THEN NULL ELSE 18 + 60 * split_hash(i, 1) END AS age,
         exp(9 + 2 * split_hash(i, 2)) AS income,
         (0.05 * (18 + 60 * split_hash(i, 1)) + split_hash(i, 2)) AS target
  FROM range(50000) r(i)
) TO 'build/large_dataset.parquet' (FORMAT parquet);

-- What the network sees is part of the model: PREDICT computes it in the same way.
CREATE MODEL income INPUT (age FLOAT, income FLOAT) OUTPUT (target FLOAT)
  TRANSFORM (standardize(age) AS age, standardize(age * age) AS age_squared, standardize(ln(income)) AS income_log)
  SEQUENTIAL (linear(64), relu(), linear(1));

-- The same tenth of the rows on every run.
WITH history AS (
  TRAIN MODEL income FROM (SELECT age, income, target FROM 'build/large_dataset.parquet'
                           WHERE age IS NOT NULL USING SAMPLE 10% (bernoulli, 42)) OPTIONS (batch_size = 32))
SELECT count(*) AS epochs, max(rows) BETWEEN 4500 AND 5300 AS is_a_tenth FROM history;

SELECT rows, round(r2, 2) AS r2
FROM (EVALUATE MODEL income FROM (FROM 'build/large_dataset.parquet' WHERE age IS NOT NULL) METRICS (r2));

SELECT count(*) AS rows, count(PREDICT(MODEL income)) AS predicted FROM 'build/large_dataset.parquet';
